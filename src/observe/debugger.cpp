#include "observe/debugger.h"

#include <utility>

#include "code/mapping.h"

#include "observe/describe.h"

extern "C" {

jit_descriptor __jit_debug_descriptor = {1, JIT_NOACTION, nullptr, nullptr};

/// Debuggers stop here and look at the descriptor.
__attribute__((noinline)) void __jit_debug_register_code() {
  asm volatile("" ::: "memory");  // the stores to the descriptor come before, and the call is not removed
}

}  // extern "C"

namespace heddle::observe {
namespace {

base::Mutex g_mutex;  // the descriptor and its list; held in __jit_debug_register_code, where a debugger reads them

void act(jit_actions_t action, jit_code_entry* entry) HEDDLE_REQUIRES(g_mutex) {
  __jit_debug_descriptor.relevant_entry = entry;
  __jit_debug_descriptor.action_flag = action;
  __jit_debug_register_code();
  __jit_debug_descriptor.action_flag = JIT_NOACTION;
  __jit_debug_descriptor.relevant_entry = nullptr;
}

}  // namespace

bool debugger_listens() {
  constexpr std::uint8_t kBreakpoint = 0xcc;  // int3, which no function begins with by itself
  return *reinterpret_cast<const volatile std::uint8_t*>(&__jit_debug_register_code) == kBreakpoint;
}

AnnouncedObject::AnnouncedObject(std::vector<std::uint8_t> object) : object_(std::move(object)) {
  entry_.symfile_addr = reinterpret_cast<const char*>(object_.data());
  entry_.symfile_size = object_.size();
  base::MutexLock lock(g_mutex);
  entry_.next_entry = __jit_debug_descriptor.first_entry;
  if (entry_.next_entry != nullptr) entry_.next_entry->prev_entry = &entry_;
  __jit_debug_descriptor.first_entry = &entry_;
  act(JIT_REGISTER_FN, &entry_);
}

AnnouncedObject::~AnnouncedObject() {
  base::MutexLock lock(g_mutex);
  if (entry_.prev_entry != nullptr)
    entry_.prev_entry->next_entry = entry_.next_entry;
  else
    __jit_debug_descriptor.first_entry = entry_.next_entry;
  if (entry_.next_entry != nullptr) entry_.next_entry->prev_entry = entry_.prev_entry;
  act(JIT_UNREGISTER_FN, &entry_);
}

namespace {

/// As debuggers' commands take it: a '$' in front would make it a variable of theirs.
std::string debugger_name(const code::ModuleCode& owner, spec::FuncIndex func) {
  std::string name = printable_name(owner, func);
  if (name.starts_with('$')) name.erase(0, 1);
  return name;
}

/// The places of one function's code, and the files they are in.
class Places {
 public:
  Places(const binary::SourceLineTable& lines, std::vector<std::string>& files) : lines_(lines), files_(files) {}

  DebugLine line_of(std::uint32_t body_offset) {
    const binary::SourceLineTable::Place place = lines_.find(body_offset);
    if (place.line == 0) return {0, file(lines_.files().size(), "wasm"), body_offset};
    const std::string& name = lines_.files()[place.file];
    return {0, file(place.file, name.empty() ? "?" : name), place.line};
  }

 private:
  std::uint32_t file(std::size_t key, const std::string& name) {
    const auto [at, is_new] = numbers_.try_emplace(key, static_cast<std::uint32_t>(files_.size()));
    if (is_new) files_.push_back(name);
    return at->second;
  }

  const binary::SourceLineTable& lines_;
  std::vector<std::string>& files_;
  std::map<std::size_t, std::uint32_t> numbers_;
};

/// Each inlined call gets the code that is in it, what is in calls inside of it included.
void add_inlined_ranges(const code::FunctionCode& code, std::vector<DebugInlinedCall>& calls) {
  for (std::size_t i = 0; i < code.offset_rows.size(); ++i) {
    const std::uint32_t begin = code.offset_rows[i].code_offset;
    const std::uint32_t end = i + 1 < code.offset_rows.size() ? code.offset_rows[i + 1].code_offset : code.size_bytes;
    if (begin >= end) continue;
    for (std::uint32_t in = code.offset_rows[i].inlined; in != 0; in = code.inlined_calls[in - 1].around) {
      auto& ranges = calls[in - 1].ranges;
      if (!ranges.empty() && ranges.back().second == begin)
        ranges.back().second = end;
      else
        ranges.emplace_back(begin, end);
    }
  }
}

}  // namespace

DebugFunction describe_for_debuggers(const code::FunctionCode& code, const binary::SourceLineTable& lines) {
  DebugFunction f;
  f.name = debugger_name(*code.owner, code.func);
  f.begin = reinterpret_cast<std::uintptr_t>(code.begin);
  f.size_bytes = code.size_bytes;
  f.frame_rows = code.frame_rows();
  f.saved = code.frame.saved;
  f.frame_bytes = code.frame.size_bytes;
  Places places(lines, f.files);
  for (const PlaceRow& row : place_rows(code)) {
    DebugLine line = places.line_of(row.body_offset);
    line.code_offset = row.code_offset;
    line.is_statement = !row.is_inside;
    f.lines.push_back(line);
  }
  for (const abi::InlinedCall& call : code.inlined_calls) {
    const DebugLine at = places.line_of(call.body_offset);
    f.inlined.push_back({debugger_name(*code.owner, call.func), at.file, at.line, call.around, {}});
  }
  add_inlined_ranges(code, f.inlined);
  return f;
}

namespace {

/// How many objects stand side by side before they become one. What a debugger does at each announcement grows with the
/// number of objects (GDB 13: 4000 functions that are called once took 19 s with an object for each).
constexpr std::size_t kFanOut = 16;
/// Below SHN_LORESERVE, with the other sections of the object.
constexpr std::size_t kMaxFunctions = 60'000;

}  // namespace

/// Objects of level 0 hold one function, those of level n what kFanOut of level n - 1 held.
struct DebuggerSupport::Module {
  struct Object {
    std::vector<const code::FunctionCode*> functions;
    std::unique_ptr<AnnouncedObject> announced;
  };

  explicit Module(const module::Module& m) : lines(m) {}

  void add(std::size_t level, std::vector<const code::FunctionCode*> functions) {
    std::vector<DebugFunction> described;
    for (const code::FunctionCode* f : functions) described.push_back(describe_for_debuggers(*f, lines));
    if (levels.size() <= level) levels.resize(level + 1);
    levels[level].push_back({std::move(functions),
                             std::make_unique<AnnouncedObject>(make_debug_object(described, code::code_alignment()))});
  }

  void merge() {
    for (std::size_t level = 0; level < levels.size() && levels[level].size() >= kFanOut; ++level) {
      std::vector<const code::FunctionCode*> all;
      for (const Object& object : levels[level])
        all.insert(all.end(), object.functions.begin(), object.functions.end());
      if (all.size() > kMaxFunctions) return;
      add(level + 1, std::move(all));  // first: no function is unknown meanwhile
      levels[level].clear();
    }
  }

  const binary::SourceLineTable lines;
  std::vector<std::vector<Object>> levels;
};

DebuggerSupport::DebuggerSupport() {
  code::map_code_for_debuggers();
}

DebuggerSupport::~DebuggerSupport() = default;

void DebuggerSupport::on_new_code(const code::NewCode& c) {
  base::MutexLock lock(mutex_);
  std::unique_ptr<Module>& m = modules_[c.code.owner];
  if (m == nullptr) m = std::make_unique<Module>(c.code.owner->module());
  m->add(0, {&c.code});
  m->merge();
}

void DebuggerSupport::on_gone(const code::ModuleCode& m) {
  base::MutexLock lock(mutex_);
  modules_.erase(&m);
}

}  // namespace heddle::observe
