#include "observe/debug_object.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace heddle::observe {
namespace {

/// What `command OBJECT` prints about the object; both must be good.
std::string tell(const std::string& command, const std::vector<std::uint8_t>& object) {
  char path[] = "/tmp/heddle-object-XXXXXX";
  const int fd = mkstemp(path);
  EXPECT_GE(fd, 0);
  close(fd);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(object.data()), static_cast<std::streamsize>(object.size()));
  std::FILE* pipe = popen((command + " " + path + " 2>&1").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string out;
  std::array<char, 4096> part{};
  for (std::size_t n; (n = fread(part.data(), 1, part.size(), pipe)) > 0;) out.append(part.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << command << ":\n" << out;
  unlink(path);
  return out;
}

/// With each run of blanks as one space.
std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank || out.empty() || out.back() != ' ') out += is_blank ? ' ' : c;
  }
  return out;
}

void expect_in_order(const std::string& text, std::initializer_list<const char*> parts) {
  std::size_t at = 0;
  for (const char* part : parts) {
    const std::size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << "no '" << part << "' behind byte " << at << " of:\n" << text;
    at = found + std::string(part).size();
  }
}

/// Saves rbx and r14 in a frame of 24 bytes; [0x18, 0x20) is popped. `leaf` is inlined at 8, `tip` in it at 0xc.
DebugFunction function(const char* name, std::uint64_t begin) {
  DebugFunction f;
  f.name = name;
  f.begin = begin;
  f.size_bytes = 0x24;
  f.files = {"app.c", "lib/list.h"};
  f.lines = {{0, 0, 10, true}, {8, 1, 300, false}, {0xc, 0, 9, true}};
  f.inlined = {{"leaf", 0, 11, 0, {{8, 0x10}}}, {"tip", 1, 301, 1, {{0xc, 0xe}, {0xf, 0x10}}}};
  f.frame_rows = {{4, 24}, {0x18, 0}, {0x20, 24}};
  f.saved = {0, -1, -1, -1, 8, -1};
  f.frame_bytes = 24;
  return f;
}

TEST(DebugObject, is_an_object_without_faults) {
  const std::vector<DebugFunction> both = {function("first", 0x10000), function("second", 0x20000)};
  tell("llvm-dwarfdump-22 --verify", make_debug_object(both, 16));
}

TEST(DebugObject, symbols_have_address_and_size) {
  const std::vector<DebugFunction> both = {function("first", 0x10000), function("second", 0x20000)};
  const std::string symbols = squeezed(tell("readelf -sW", make_debug_object(both, 16)));
  expect_in_order(symbols, {"0000000000010000 36 FUNC GLOBAL DEFAULT 1 first\n",
                            "0000000000020000 36 FUNC GLOBAL DEFAULT 2 second\n"});
}

TEST(DebugObject, neighbours_share_a_section) {
  const std::vector<DebugFunction> three = {function("a", 0x10000), function("b", 0x10030), function("c", 0x10060)};
  const std::string symbols = squeezed(tell("readelf -sW", make_debug_object(three, 16)));
  expect_in_order(symbols, {"FUNC GLOBAL DEFAULT 1 a\n", "FUNC GLOBAL DEFAULT 1 b\n", "FUNC GLOBAL DEFAULT 1 c\n"});
  const std::string sections = squeezed(tell("readelf -SW", make_debug_object(three, 16)));
  expect_in_order(sections, {".text NOBITS 0000000000010000 000000 000084 00 AX"});
  const std::string apart = squeezed(tell("readelf -sW", make_debug_object(three, 8)));
  expect_in_order(apart, {"FUNC GLOBAL DEFAULT 1 a\n", "FUNC GLOBAL DEFAULT 2 b\n"});
}

TEST(DebugObject, lines_have_files_and_say_where_statements_begin) {
  const DebugFunction f = function("f", 0x10000);
  const std::string lines = squeezed(tell("llvm-dwarfdump-22 --debug-line", make_debug_object({&f, 1}, 16)));
  expect_in_order(
      lines, {"file_names[ 1]:\n name: \"app.c\"", "file_names[ 2]:\n name: \"lib/list.h\"",
              "0x0000000000010000 10 0 1 0 0 0 is_stmt\n", "0x0000000000010008 300 0 2 0 0 0 \n",
              "0x000000000001000c 9 0 1 0 0 0 is_stmt\n", "0x0000000000010024 9 0 1 0 0 0 is_stmt end_sequence\n"});
}

TEST(DebugObject, functions_and_what_is_inlined_in_them_have_their_ranges) {
  const DebugFunction f = function("f", 0x10000);
  const std::string info = squeezed(tell("llvm-dwarfdump-22 --debug-info", make_debug_object({&f, 1}, 16)));
  expect_in_order(info, {"DW_TAG_compile_unit\n",
                         "DW_AT_name (\"app.c\")",
                         "DW_AT_low_pc (0x0000000000010000)",
                         "DW_AT_high_pc (0x0000000000010024)",
                         "DW_TAG_subprogram\n DW_AT_name (\"leaf\")",
                         "DW_TAG_subprogram\n DW_AT_name (\"tip\")",
                         "DW_TAG_subprogram\n DW_AT_name (\"f\")",
                         "DW_AT_high_pc (0x0000000000010024)",
                         "DW_TAG_inlined_subroutine\n",
                         "\"leaf\")",
                         "[0x0000000000010008, 0x0000000000010010)",
                         "DW_AT_call_file (\"app.c\")",
                         "DW_AT_call_line (11)",
                         "DW_TAG_inlined_subroutine\n",
                         "\"tip\")",
                         "[0x000000000001000c, 0x000000000001000e)\n [0x000000000001000f, 0x0000000000010010)",
                         "DW_AT_call_file (\"lib/list.h\")",
                         "DW_AT_call_line (301)",
                         "NULL",
                         "NULL",
                         "NULL",
                         "NULL"});
}

TEST(DebugObject, frames_have_their_size_and_saved_registers_at_each_place) {
  const DebugFunction f = function("f", 0x10000);
  const std::string frames = squeezed(tell("llvm-dwarfdump-22 --debug-frame", make_debug_object({&f, 1}, 16)));
  expect_in_order(
      frames, {"pc=00010000...00010024", " 0x10000: CFA=RSP+8: RIP=[CFA-8]\n",
               " 0x10004: CFA=RSP+32: RBX=[CFA-32], R14=[CFA-24], RIP=[CFA-8]\n", " 0x10018: CFA=RSP+8: RIP=[CFA-8]\n",
               " 0x10020: CFA=RSP+32: RBX=[CFA-32], R14=[CFA-24], RIP=[CFA-8]\n"});
}

}  // namespace
}  // namespace heddle::observe
