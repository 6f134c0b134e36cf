#include "observe/debugger.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "support/machine_code.h"

namespace heddle::observe {
namespace {

using test::Emitter;
using test::MachineModule;

/// The functions in all objects of the list, by name; objects that hold one twice fail.
std::set<std::string> listed(std::size_t& objects) {
  std::set<std::string> names;
  objects = 0;
  const jit_code_entry* previous = nullptr;
  for (const jit_code_entry* e = __jit_debug_descriptor.first_entry; e != nullptr;
       previous = e, e = e->next_entry, ++objects) {
    EXPECT_EQ(e->prev_entry, previous);
    const auto* elf = reinterpret_cast<const Elf64_Ehdr*>(e->symfile_addr);
    const auto* sections = reinterpret_cast<const Elf64_Shdr*>(e->symfile_addr + elf->e_shoff);
    EXPECT_EQ(elf->e_shoff + elf->e_shnum * sizeof(Elf64_Shdr), e->symfile_size);
    for (unsigned s = 0; s < elf->e_shnum; ++s) {
      if (sections[s].sh_type != SHT_SYMTAB) continue;
      const auto* symbols = reinterpret_cast<const Elf64_Sym*>(e->symfile_addr + sections[s].sh_offset);
      const char* texts = e->symfile_addr + sections[sections[s].sh_link].sh_offset;
      for (std::size_t i = 1; i < sections[s].sh_size / sizeof(Elf64_Sym); ++i)
        EXPECT_TRUE(names.insert(texts + symbols[i].st_name).second) << "twice: " << texts + symbols[i].st_name;
    }
  }
  return names;
}

TEST(DebuggerSupport, few_objects_tell_of_all_functions_until_the_module_goes) {
  constexpr std::size_t kFunctions = 300;
  MachineModule m;
  for (std::size_t i = 0; i < kFunctions; ++i) m.add({}, [](Emitter& e) { e.as.ret(); });
  DebuggerSupport support;
  std::size_t objects = 0;
  {
    auto code = code::ModuleCode::create(m.build(), m);
    ASSERT_TRUE(code.ok());
    (*code)->add_listener(support);
    ASSERT_TRUE((*code)->compile_all(1).ok());
    EXPECT_EQ(__jit_debug_descriptor.version, 1u);
    const std::set<std::string> names = listed(objects);
    EXPECT_EQ(names.size(), kFunctions);
    EXPECT_TRUE(names.contains("func[299]"));
    EXPECT_LE(objects, 48u);
  }
  EXPECT_TRUE(listed(objects).empty()) << "its code is gone";
  EXPECT_EQ(objects, 0u);
}

TEST(DebuggerSupport, no_debugger_has_started_this_test) {
  EXPECT_FALSE(debugger_listens());
}

/// One function of a frame of 24 bytes, a call in it; not named but exported.
struct OneFunction {
  MachineModule m;
  std::uint32_t return_offset = 0;
  std::shared_ptr<code::ModuleCode> code;
  const code::FunctionCode* function = nullptr;

  explicit OneFunction(const char* name = "$go\non") {
    const spec::FuncIndex f = m.add({}, [this](Emitter& e) {
      e.enter(24, 8);
      e.call(spec::FuncIndex(0u), 107);
      return_offset = e.here();
      e.leave();
      e.trap(spec::TrapCode::unreachable, 109);
    });
    m.export_function(name, f);
    code = *code::ModuleCode::create(m.build(), m);
    EXPECT_TRUE(code->compile_all(1).ok());
    function = code->published()[0];
  }
};

TEST(DescribeForDebuggers, a_name_is_one_line_that_is_no_variable_of_gdb) {
  OneFunction one;
  EXPECT_EQ(describe_for_debuggers(*one.function, binary::SourceLineTable(one.code->module())).name, "go?on");
}

TEST(DescribeForDebuggers, frames_are_those_that_our_own_stacks_are_walked_by) {
  OneFunction one;
  const auto f = describe_for_debuggers(*one.function, binary::SourceLineTable(one.code->module()));
  EXPECT_EQ(f.saved[3], 8);
  EXPECT_EQ(f.frame_bytes, 24u);
  for (std::uint32_t offset = 0; offset < f.size_bytes; ++offset) {
    std::uint32_t pushed = 0;
    for (const abi::FrameRow& row : f.frame_rows)
      if (row.code_offset <= offset) pushed = row.size_bytes;
    EXPECT_EQ(pushed, one.function->pushed_bytes_at(one.function->begin + offset)) << offset;
  }
}

TEST(DescribeForDebuggers, lines_of_a_module_without_dwarf_are_its_bytes) {
  OneFunction one;
  const auto f = describe_for_debuggers(*one.function, binary::SourceLineTable(one.code->module()));
  EXPECT_EQ(f.files, (std::vector<std::string>{"wasm"}));
  ASSERT_EQ(f.lines.size(), 3u);
  EXPECT_EQ(f.lines[0].line, 100u) << "where the body begins";
  EXPECT_TRUE(f.lines[0].is_statement);
  // Debuggers look a caller up by the byte before its return address.
  EXPECT_EQ(f.lines[1].code_offset, one.return_offset - 1);
  EXPECT_EQ(f.lines[1].line, 107u);
  EXPECT_FALSE(f.lines[1].is_statement) << "no instruction begins there, and no breakpoint may";
  EXPECT_EQ(f.lines[2].line, 109u);
  EXPECT_TRUE(f.lines[2].is_statement);
}

}  // namespace
}  // namespace heddle::observe
