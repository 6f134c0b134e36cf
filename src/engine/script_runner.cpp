// The executor's state is per host thread (ThreadRun): a store, the modules by name, the registered names. A `(thread)`
// gets a ThreadRun of its own; what it shares are modules that are named in `(shared ...)`, as exports to register, of
// which only shared memories can be imported across threads (everything else belongs to one store).
#include "engine/script_runner.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <thread>

#include "binary/decoder.h"
#include "engine/spectest.h"
#include "engine/tier_up.h"
#include "runtime/instance.h"
#include "runtime/store.h"
#include "text/wast_script.h"
#include "validate/checked.h"

namespace heddle::engine {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using runtime::EntryStatus;
using runtime::Extern;
using runtime::Instance;
using spec::TrapCode;
using text::ScriptAction;
using text::ScriptCommand;
using text::ScriptModule;
using text::ScriptPattern;
using text::ScriptValue;
using Kind = ScriptCommand::Kind;

/// Exports by name: what `register` gives to importers.
using Exports = std::map<std::string, Extern, std::less<>>;

/// How an action ended.
struct ActionResult {
  EntryStatus status = EntryStatus::returned;
  std::string trap;  ///< message, if trapped
  std::vector<spec::ValType> types;
  std::vector<abi::VmValue> values;
};

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// The suite's texts sometimes add a detail ("uninitialized element 2") that our traps do not have, and ours may add
/// one.
bool message_fits(std::string_view actual, std::string_view expected) {
  return begins_with(actual, expected) || begins_with(expected, actual);
}

const char* kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::malformed: return "malformed";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::unlinkable: return "unlinkable";
    case ErrorKind::limit: return "limit";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::io: return "io";
  }
  return "?";
}

std::string describe(const Error& error) {
  return fmt::format("{}: {}", kind_name(error.kind), error.message);
}

/// Host objects of the scripts are numbers; their word is never null (runtime: an externref is any nonzero word).
void* host_word(std::uint64_t number) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(number + 1));
}

abi::VmValue to_vm(const ScriptValue& value) {
  abi::VmValue vm{};
  switch (value.kind) {
    case ScriptValue::Kind::i32:
    case ScriptValue::Kind::i64:
    case ScriptValue::Kind::f32:
    case ScriptValue::Kind::f64: vm.i64 = value.bits; break;
    case ScriptValue::Kind::v128: std::memcpy(vm.v128, value.vector.data(), 16); break;
    case ScriptValue::Kind::ref_null: vm.ref = nullptr; break;
    case ScriptValue::Kind::ref_extern:
    case ScriptValue::Kind::ref_host: vm.ref = host_word(value.bits); break;
  }
  return vm;
}

std::string show(spec::ValType type, const abi::VmValue& value) {
  switch (type.kind()) {
    case spec::ValType::Kind::i32: return fmt::format("(i32.const {:#x})", value.i32);
    case spec::ValType::Kind::i64: return fmt::format("(i64.const {:#x})", value.i64);
    case spec::ValType::Kind::f32: return fmt::format("(f32.const {} = bits {:#x})", value.f32, value.i32);
    case spec::ValType::Kind::f64: return fmt::format("(f64.const {} = bits {:#x})", value.f64, value.i64);
    case spec::ValType::Kind::v128: return fmt::format("(v128 {:#018x} {:#018x})", value.words[0], value.words[1]);
    case spec::ValType::Kind::ref:
      return fmt::format("({} {})", to_string(type), value.ref == nullptr ? "null" : "object");
    case spec::ValType::Kind::bottom: break;
  }
  return "?";
}

bool matches(const ScriptPattern& pattern, spec::ValType type, const abi::VmValue& value) {
  using P = ScriptPattern::Kind;
  switch (pattern.kind) {
    case P::number:
    case P::vector: {
      const std::size_t size = type.is_vec() ? 16 : (type == spec::kI32 || type == spec::kF32) ? 4 : 8;
      if (type.is_ref()) return false;
      return text::matches_bits(pattern, {reinterpret_cast<const std::uint8_t*>(&value), size});
    }
    case P::ref_null: return type.is_ref() && value.ref == nullptr;
    case P::ref_type: return type.is_ref() && value.ref != nullptr;
    case P::ref_value: return type.is_ref() && value.ref == host_word(pattern.value.bits);
    case P::either:
      for (const ScriptPattern& alternative : pattern.alternatives)
        if (matches(alternative, type, value)) return true;
      return false;
  }
  return false;
}

Result<module::CheckedModule> check(const ScriptModule& script, spec::Features features) {
  if (script.error) return *script.error;
  auto wire = std::make_shared<module::OwnedBytes>(script.bytes);
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(std::move(wire), features));
  return validate::validate_module(std::move(decoded), 1);
}

/// A module definition that can be instantiated: shared code.
using Code = std::shared_ptr<code::ModuleCode>;

class ThreadRun;

/// What all threads of one script share.
struct ScriptRun {
  std::string_view file;
  const ScriptOptions& options;
  std::mutex mutex;  // protects report
  ScriptReport report;

  void count(bool is_assertion, const std::string& failure, const ScriptCommand& command) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++report.commands;
    if (is_assertion) {
      ++report.assertions;
      if (failure.empty()) ++report.passed;
    }
    if (!failure.empty())
      report.failures.push_back(
          fmt::format("{}:{}: {}: {}", file, command.place.line, text::command_name(command.kind), failure));
  }
};

class ThreadRun {
 public:
  ThreadRun(ScriptRun& run, const std::uint8_t* stack_limit) : run_(run), store_(nullptr, stack_limit, nullptr) {
    // Imports of "spectest" come from a module of our own, as the reference interpreter's do.
    text::ScriptModule host;
    auto parsed = spectest_module();
    HEDDLE_CHECK(parsed.ok(), "the module spectest parses");
    host.bytes = std::move(parsed).value();
    auto instance = instantiate(host, spec::Features::all());
    HEDDLE_CHECK(instance.ok() && instance->status == EntryStatus::returned, "the module spectest can be instantiated");
    registered_["spectest"] = exports_of(*instance->instance);
    latest_ = nullptr;
  }

  void share(const std::string& name, Exports exports) { shared_[name] = std::move(exports); }

  void execute_all(const std::vector<ScriptCommand>& commands) {
    for (const ScriptCommand& command : commands) execute(command);
    for (auto& [name, thread] : threads_)
      if (thread->joinable()) thread->join();
  }

 private:
  void execute(const ScriptCommand& command) {
    const auto& left_out = run_.options.skipped_lines;
    if (std::find(left_out.begin(), left_out.end(), command.place.line) != left_out.end()) {
      const std::lock_guard<std::mutex> lock(run_.mutex);
      ++run_.report.skipped;
      return;
    }
    const std::string failure = run_command(command);
    if (run_.options.tier_up != nullptr) run_.options.tier_up->await_queued();
    const bool is_assertion = begins_with(text::command_name(command.kind), "assert_");
    run_.count(is_assertion, failure, command);
  }

  /// Empty if all is well.
  std::string run_command(const ScriptCommand& c) {
    switch (c.kind) {
      case Kind::module: return define_and_instantiate(c.module);
      case Kind::module_definition: return define(c.module);
      case Kind::module_instance: return instantiate_named(c);
      case Kind::register_: return register_module(c);
      case Kind::action: return expect_no_trap(c.action);
      case Kind::assert_return: return expect_return(c);
      case Kind::assert_trap: return c.has_module ? expect_instantiation_trap(c) : expect_trap(c);
      case Kind::assert_exhaustion: return expect_trap(c);
      case Kind::assert_exception: return expect_exception(c);
      case Kind::assert_malformed:
      case Kind::assert_malformed_custom: return expect_error(c, ErrorKind::malformed);
      case Kind::assert_invalid:
      case Kind::assert_invalid_custom: return expect_error(c, ErrorKind::invalid);
      case Kind::assert_unlinkable: return expect_unlinkable(c);
      case Kind::thread: return start_thread(c);
      case Kind::wait: return wait_thread(c);
    }
    return "unknown command";
  }

  Result<Code> compile(const ScriptModule& script) { return compile(script, run_.options.features); }
  Result<Code> compile(const ScriptModule& script, spec::Features features) {
    HEDDLE_TRY_ASSIGN(auto checked, check(script, features));
    HEDDLE_TRY_ASSIGN(Code code, code::ModuleCode::create(std::move(checked), *run_.options.tier));
    if (run_.options.tier_up != nullptr) run_.options.tier_up->add(code);
    return code;
  }

  Result<std::vector<Extern>> resolve(const module::Module& m) {
    std::vector<Extern> imports;
    for (const module::Import& import : m.imports) {
      const auto from = registered_.find(import.module);
      const auto item = from == registered_.end() ? Exports::iterator{} : from->second.find(import.name);
      if (from == registered_.end() || item == from->second.end())
        return Error{ErrorKind::unlinkable, import.offset,
                     fmt::format("unknown import {}.{}", import.module, import.name)};
      imports.push_back(item->second);
    }
    return imports;
  }

  Result<Instance::Started> instantiate(const Code& code) {
    HEDDLE_TRY_ASSIGN(const auto imports, resolve(code->module()));
    return Instance::instantiate(store_, code, imports);
  }
  Result<Instance::Started> instantiate(const ScriptModule& script) {
    return instantiate(script, run_.options.features);
  }
  Result<Instance::Started> instantiate(const ScriptModule& script, spec::Features features) {
    HEDDLE_TRY_ASSIGN(const Code code, compile(script, features));
    return instantiate(code);
  }

  static Exports exports_of(Instance& instance) {
    Exports exports;
    for (const module::Export& e : instance.module().exports)
      exports.emplace(std::string(e.name), instance.export_of(e));
    return exports;
  }

  std::string trap_text(EntryStatus status) {
    if (status == EntryStatus::exception) return "uncaught exception";
    if (!store_.trap_text().empty()) return store_.trap_text();
    return spec::trap_message(static_cast<TrapCode>(store_.vm()->trap_code));
  }

  std::string define_and_instantiate(const ScriptModule& script) {
    latest_ = nullptr;
    auto code = compile(script);
    if (!code.ok()) return describe(code.error());
    definitions_[script.name] = latest_definition_ = *code;
    return start(*code, script.name);
  }

  std::string define(const ScriptModule& script) {
    auto code = compile(script);
    if (!code.ok()) return describe(code.error());
    definitions_[script.name] = latest_definition_ = *code;
    return {};
  }

  std::string instantiate_named(const ScriptCommand& c) {
    const Code code = c.of_name.empty() ? latest_definition_ : definitions_[c.of_name];
    if (code == nullptr) return fmt::format("no module definition ${}", c.of_name);
    return start(code, c.name);
  }

  std::string start(const Code& code, const std::string& name) {
    auto started = instantiate(code);
    if (!started.ok()) return describe(started.error());
    if (started->status != EntryStatus::returned) return "instantiation trapped: " + trap_text(started->status);
    latest_ = started->instance;
    if (!name.empty()) instances_[name] = latest_;
    return {};
  }

  Instance* instance_named(const std::string& name) {
    if (name.empty()) return latest_;
    const auto found = instances_.find(name);
    return found == instances_.end() ? nullptr : found->second;
  }

  std::string register_module(const ScriptCommand& c) {
    if (!c.of_name.empty()) {
      if (const auto shared = shared_.find(c.of_name); shared != shared_.end()) {
        registered_[c.text] = shared->second;
        return {};
      }
    }
    Instance* instance = instance_named(c.of_name);
    if (instance == nullptr) return fmt::format("no instance ${}", c.of_name);
    registered_[c.text] = exports_of(*instance);
    return {};
  }

  Result<ActionResult> perform(const ScriptAction& action) {
    Instance* instance = instance_named(action.module_name);
    const auto fail = [](std::string message) {
      return Error{ErrorKind::unlinkable, base::kNoOffset, std::move(message)};
    };
    if (instance == nullptr) return fail(fmt::format("no instance ${}", action.module_name));
    auto item = instance->find_export(action.name);
    if (!item) return fail(fmt::format("no export \"{}\"", action.name));
    ActionResult result;
    if (action.kind == ScriptAction::Kind::get) {
      if (item->kind() != spec::ExternKind::global) return fail("not a global");
      const auto* global = std::get<runtime::GlobalInstance*>(item->item);
      result.types.push_back(global->type.type);
      result.values.push_back(*global->value);
      return result;
    }
    if (item->kind() != spec::ExternKind::func) return fail("not a function");
    const abi::VmFuncRef* func = std::get<const abi::VmFuncRef*>(item->item);
    if (func->type->func.params.size() != action.args.size()) return fail("wrong number of arguments");
    std::vector<abi::VmValue> params;
    for (const ScriptValue& arg : action.args) params.push_back(to_vm(arg));
    result.types = func->type->func.results;
    result.values.resize(result.types.size());
    store_.trap_text().clear();
    result.status = store_.call(*func, params, result.values);
    if (result.status != EntryStatus::returned) result.trap = trap_text(result.status);
    return result;
  }

  std::string expect_no_trap(const ScriptAction& action) {
    auto result = perform(action);
    if (!result.ok()) return describe(result.error());
    return result->status == EntryStatus::returned ? "" : "trap: " + result->trap;
  }

  std::string expect_return(const ScriptCommand& c) {
    auto result = perform(c.action);
    if (!result.ok()) return describe(result.error());
    if (result->status != EntryStatus::returned) return "trap: " + result->trap;
    if (result->values.size() != c.expected.size())
      return fmt::format("expected {} results, got {}", c.expected.size(), result->values.size());
    for (std::size_t i = 0; i < c.expected.size(); ++i)
      if (!matches(c.expected[i], result->types[i], result->values[i]))
        return fmt::format("result {}: expected {}, got {}", i, to_string(c.expected[i]),
                           show(result->types[i], result->values[i]));
    return {};
  }

  std::string expect_trap(const ScriptCommand& c) {
    auto result = perform(c.action);
    if (!result.ok()) return describe(result.error());
    if (result->status != EntryStatus::trapped) return fmt::format("expected a trap \"{}\", got none", c.text);
    return message_fits(result->trap, c.text) ? ""
                                              : fmt::format("expected trap \"{}\", got \"{}\"", c.text, result->trap);
  }

  std::string expect_exception(const ScriptCommand& c) {
    auto result = perform(c.action);
    if (!result.ok()) return describe(result.error());
    return result->status == EntryStatus::exception ? "" : "expected an exception, got none";
  }

  std::string expect_instantiation_trap(const ScriptCommand& c) {
    store_.trap_text().clear();
    auto started = instantiate(c.module);
    if (!started.ok()) return describe(started.error());
    if (started->status != EntryStatus::trapped) return fmt::format("expected a trap \"{}\", got none", c.text);
    const std::string trap = trap_text(started->status);
    return message_fits(trap, c.text) ? "" : fmt::format("expected trap \"{}\", got \"{}\"", c.text, trap);
  }

  std::string expect_error(const ScriptCommand& c, ErrorKind kind) {
    auto checked = check(c.module, run_.options.features);
    if (checked.ok()) return fmt::format("expected \"{}\", got a valid module", c.text);
    if (checked.error().kind != kind || !begins_with(checked.error().message, c.text))
      return fmt::format("expected {} \"{}\", got {}", kind_name(kind), c.text, describe(checked.error()));
    return {};
  }

  std::string expect_unlinkable(const ScriptCommand& c) {
    auto code = compile(c.module);
    if (!code.ok()) return describe(code.error());
    auto started = instantiate(*code);
    if (started.ok()) return fmt::format("expected \"{}\", got an instance", c.text);
    if (started.error().kind != ErrorKind::unlinkable || !begins_with(started.error().message, c.text))
      return fmt::format("expected unlinkable \"{}\", got {}", c.text, describe(started.error()));
    return {};
  }

  std::string start_thread(const ScriptCommand& c);
  std::string wait_thread(const ScriptCommand& c) {
    const auto found = threads_.find(c.of_name);
    if (found == threads_.end()) return fmt::format("no thread ${}", c.of_name);
    if (found->second->joinable()) found->second->join();
    return {};
  }

  ScriptRun& run_;
  runtime::Store store_;
  std::map<std::string, Code> definitions_;
  Code latest_definition_;
  std::map<std::string, Instance*> instances_;
  Instance* latest_ = nullptr;
  std::map<std::string, Exports, std::less<>> registered_;
  std::map<std::string, Exports> shared_;  // by the name of the module in the enclosing script
  std::map<std::string, std::unique_ptr<std::thread>> threads_;
};

/// Lowest address that wasm may use on this thread's stack: at most 4 MiB below the caller, so that exhaustion tests
/// end soon.
const std::uint8_t* stack_limit_here() {
  constexpr std::size_t kScriptStackBytes = std::size_t{4} << 20;
  return static_cast<const std::uint8_t*>(__builtin_frame_address(0)) - kScriptStackBytes;
}

std::string ThreadRun::start_thread(const ScriptCommand& c) {
  std::map<std::string, Exports> shared;
  for (const std::string& name : c.shared) {
    if (const auto outer = shared_.find(name); outer != shared_.end()) {
      shared[name] = outer->second;
      continue;
    }
    Instance* instance = instance_named(name);
    if (instance == nullptr) return fmt::format("no instance ${} to share", name);
    shared[name] = exports_of(*instance);
  }
  ScriptRun& run = run_;
  threads_[c.name] = std::make_unique<std::thread>([&run, &c, shared = std::move(shared)] {
    ThreadRun thread(run, stack_limit_here());
    for (const auto& [name, exports] : shared) thread.share(name, exports);
    thread.execute_all(c.commands);
  });
  return {};
}

}  // namespace

base::Result<ScriptReport> run_script(std::string_view source, std::string_view file, const ScriptOptions& options) {
  HEDDLE_TRY_ASSIGN(const auto commands, text::parse_wast(source, options.features));
  ScriptRun run{file, options, {}, {}};
  ThreadRun main(run, stack_limit_here());
  main.execute_all(commands);
  return std::move(run.report);
}

}  // namespace heddle::engine
