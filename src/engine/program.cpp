#include "engine/program.h"

#include <fmt/format.h>
#include <utility>

#include "engine/background_validation.h"
#include "engine/deadline.h"
#include "engine/host_stack.h"
#include "engine/known_start.h"
#include "runtime/report.h"

namespace heddle::engine {
namespace {

using runtime::EntryStatus;
using runtime::Outcome;

Outcome invalid_body(const LoadedModule& module, const base::Error& error) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.exit_code = 1;
  outcome.trap = spec::TrapCode::invalid_function_body;
  outcome.message = fmt::format("{} (at byte {})", error.message, error.offset);
  if (module.source.known != nullptr && module.source.known->failed())
    outcome.message = fmt::format("{} was changed while it ran", module.source.file);
  return outcome;
}

/// Hands the code that the program ran to the cache, while other threads may still run it.
void keep_code(const LoadedModule& module) {
  std::vector<cache::Fresh> fresh;
  for (const code::FunctionCode* function : module.code->published())
    fresh.push_back({function->func, function, [function] { return function->unpatched(); }});
  module.cached->keep(fresh);
  if (module.start != nullptr)
    module.start->keep(module.code->module(), module.validation != nullptr ? module.validation->valid_bodies()
                                                                           : module.code->module().bodies.size());
}

}  // namespace

Program::Program(std::shared_ptr<const LoadedModule> module, RunOptions options)
    : module_(std::move(module)),
      options_(std::move(options)),
      limits_(options_.max_memory_bytes, options_.max_table_entries),
      trace_(options_.trace_file.empty() ? nullptr : std::make_unique<runtime::Trace>()),
      group_(group_options()) {
  if (trace_ != nullptr) module_->code->add_listener(*trace_);
}

runtime::ThreadGroup::Options Program::group_options() {
  runtime::ThreadGroup::Options result;
  result.max_threads = options_.max_threads;
  result.thread_stack_bytes = options_.thread_stack_bytes;
  result.report_deadlock = options_.report_deadlock;
  result.on_claim = [this](const Outcome& outcome) { on_claim(outcome); };
  result.trace = trace_.get();
  return result;
}

void Program::on_claim(const Outcome& outcome) {
  Outcome told = outcome;
  // Now: whoever is told may end the process.
  if (trace_ != nullptr) {
    const base::Status written = trace_->write(options_.trace_file);
    if (!written.ok()) told.message += (told.message.empty() ? "" : "\n") + written.error().message;
  }
  const bool is_normal = outcome.kind == Outcome::Kind::returned || outcome.kind == Outcome::Kind::exited;
  if (is_normal && module_->cached != nullptr) keep_code(*module_);
  if (options_.on_outcome) options_.on_outcome(told);
}

Program::~Program() {
  if (listener_ != 0) module_->validation->remove_listener(listener_);
  if (trace_ != nullptr) module_->code->remove_listener(*trace_);
  deadline_.reset();
  if (store_ == nullptr) return;
  group_.request_exit({});
  group_.remove_member(*store_);
  group_.wait_ended();
}

base::Result<std::unique_ptr<Program>> Program::create(std::shared_ptr<const LoadedModule> module, RunOptions options) {
  std::unique_ptr<Program> program(new Program(std::move(module), std::move(options)));
  HEDDLE_TRY(program->link());
  return program;
}

base::Status Program::link() {
  HEDDLE_TRY_ASSIGN(wasi_, wasi::Context::create(options_.wasi));
  wasi::define_preview1(linker_, *wasi_);
  if (threads::ThreadSpawn::is_imported_by(module_->code->module())) {
    if (!options_.allow_threads) {
      return base::Error{base::ErrorKind::unlinkable, base::kNoOffset,
                         "the module starts threads (it imports wasi.thread-spawn), and threads are switched off"};
    }
    spawn_ = std::make_unique<threads::ThreadSpawn>(group_, &limits_, options_.thread_note);
    spawn_->define(linker_);
  }
  runtime::Linker::PlanOptions plan_options;
  plan_options.limits = &limits_;
  plan_options.allow_unknown_imports = options_.allow_unknown_imports;
  HEDDLE_TRY_ASSIGN(plan_, linker_.plan(module_->code, plan_options));
  if (spawn_ != nullptr) HEDDLE_TRY(spawn_->bind(plan_));
  return {};
}

base::Result<Outcome> Program::run() {
  HEDDLE_CHECK(!std::exchange(started_, true), "a Program runs once");
  store_ = std::make_unique<runtime::Store>(&group_, current_stack_limit(), &limits_);
  if (!group_.add_member(*store_)) {  // ended before it began
    store_.reset();
    return *group_.outcome();
  }
  if (module_->validation != nullptr)
    listener_ = module_->validation->add_listener(
        [this](const base::Error& error) { group_.request_exit(invalid_body(*module_, error)); });
  if (options_.timeout_ns != 0) deadline_ = std::make_unique<Deadline>(group_, options_.timeout_ns);
  HEDDLE_TRY_ASSIGN(Outcome mine, run_main());
  group_.request_exit(std::move(mine));
  return *group_.outcome();
}

base::Result<Outcome> Program::run_main() {
  HEDDLE_TRY_ASSIGN(const EntryStatus status, enter());
  // Interrupted: somebody has claimed the end already, so what we say changes nothing.
  if (status == EntryStatus::returned || status == EntryStatus::interrupted) return Outcome{};
  const Outcome outcome = runtime::trap_outcome(*store_, status);
  const auto error = module_->code->error();
  return outcome.trap == spec::TrapCode::invalid_function_body && error ? invalid_body(*module_, *error) : outcome;
}

base::Result<EntryStatus> Program::enter() {
  HEDDLE_TRY_ASSIGN(const runtime::Instance::Started started, plan_->instantiate(*store_));
  if (started.status != EntryStatus::returned) return started.status;
  for (const char* name : {"_start", "_initialize"}) {
    const abi::VmFuncRef* function = started.instance->find_function(name, {});
    if (function != nullptr) return store_->call(*function, {}, {});
  }
  return EntryStatus::returned;
}

}  // namespace heddle::engine
