// What debuggers need to name the program's code: an object file with symbols and DWARF for each piece of it, announced
// by GDB's JIT interface, which LLDB reads, too. Frames of the program then stand between the host's in a backtrace.
//
// https://sourceware.org/gdb/current/onlinedocs/gdb.html/JIT-Interface.html
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "binary/debug_lines.h"
#include "code/listener.h"
#include "code/module_code.h"

#include "observe/debug_object.h"

// What debuggers read and where they stop; names and layouts are theirs. Visible where symbols are stripped, too.
#pragma GCC visibility push(default)
extern "C" {

struct jit_code_entry {
  jit_code_entry* next_entry;
  jit_code_entry* prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};

enum jit_actions_t : std::uint32_t { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

struct jit_descriptor {
  std::uint32_t version;
  jit_actions_t action_flag;
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};

extern jit_descriptor __jit_debug_descriptor;
void __jit_debug_register_code();

}  // extern "C"
#pragma GCC visibility pop

namespace heddle::observe {

/// Whether a debugger that knows the interface runs this process by now: it has put a breakpoint where code is
/// announced. One load; nothing is asked of the system.
bool debugger_listens();

/// An object file that debuggers see as long as this lives. Any thread.
class AnnouncedObject {
 public:
  explicit AnnouncedObject(std::vector<std::uint8_t> object);
  ~AnnouncedObject();
  AnnouncedObject(const AnnouncedObject&) = delete;
  AnnouncedObject& operator=(const AnnouncedObject&) = delete;

 private:
  const std::vector<std::uint8_t> object_;
  jit_code_entry entry_{};
};

/// Lines are of the module's own DWARF; where it has none they are of the file "wasm": bytes from the module's start,
/// as in our own stacks.
DebugFunction describe_for_debuggers(const code::FunctionCode& code, const binary::SourceLineTable& lines);

/// Announces all code. Outlives the modules it is told of. Made before the first module is compiled in this process
/// (code/mapping.h), or else no breakpoint can be put into code.
class DebuggerSupport final : public code::Listener {
 public:
  DebuggerSupport();
  ~DebuggerSupport();
  void on_new_code(const code::NewCode& c) override HEDDLE_EXCLUDES(mutex_);
  void on_gone(const code::ModuleCode& m) override HEDDLE_EXCLUDES(mutex_);

 private:
  struct Module;
  base::Mutex mutex_;  // several modules' code
  std::map<const code::ModuleCode*, std::unique_ptr<Module>> modules_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::observe
