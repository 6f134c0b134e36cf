#include "observe/perf.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

#include "code/module_code.h"
#include "support/machine_code.h"
#include "support/temporary_folder.h"

#include "observe/describe.h"
#include "observe/stats.h"

namespace heddle::observe {
namespace {

using test::Emitter;
using test::MachineModule;

class Folder : public test::TemporaryFolder {
 public:
  std::string map() const { return *this / ("perf-" + std::to_string(getpid()) + ".map"); }
  std::string dump() const { return *this / ("jit-" + std::to_string(getpid()) + ".dump"); }
};

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Two functions, one with a trap site; the second is exported as a name with a newline.
struct TwoFunctions {
  MachineModule m;
  spec::FuncIndex f, g;
  TwoFunctions() {
    f = m.add({}, [](Emitter& e) {
      e.as.nop();
      e.trap(spec::TrapCode::unreachable, 103);
    });
    g = m.add({}, [](Emitter& e) { e.as.ret(); });
    m.export_function("two\nlines", g);
  }
  std::shared_ptr<code::ModuleCode> compile(code::Listener& listener) {
    auto code = code::ModuleCode::create(m.build(), m);
    EXPECT_TRUE(code.ok());
    (*code)->add_listener(listener);
    EXPECT_TRUE((*code)->compile_all(1).ok());
    return *code;
  }
};

TEST(PerfMap, has_one_line_for_each_piece_of_code) {
  Folder folder;
  TwoFunctions two;
  auto map = make_perf_map(folder.path());
  ASSERT_TRUE(map.ok()) << map.error().message;
  const auto code = two.compile(**map);
  std::ifstream in(folder.map());
  std::uintptr_t begin = 0, last_end = 0;
  std::size_t size = 0, lines = 0;
  for (std::string name; in >> std::hex >> begin >> size && std::getline(in, name); ++lines) {
    EXPECT_NE(code::Space::find(reinterpret_cast<const void*>(begin)), nullptr);
    EXPECT_GE(begin, last_end);
    last_end = begin + size;
    if (lines == 1) EXPECT_EQ(name.substr(0, 12), " two?lines [") << "a name cannot make lines of its own";
  }
  EXPECT_TRUE(in.eof());
  EXPECT_EQ(lines, 2u);
  struct stat status{};
  ASSERT_EQ(stat(folder.map().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(PerfMap, a_link_that_stands_there_is_replaced_not_followed) {
  Folder folder;
  const std::string victim = folder.path() + "/victim";
  std::ofstream(victim) << "mine";
  ASSERT_EQ(symlink(victim.c_str(), folder.map().c_str()), 0);
  TwoFunctions two;
  auto map = make_perf_map(folder.path());
  ASSERT_TRUE(map.ok());
  two.compile(**map);
  EXPECT_EQ(contents(victim), "mine");
  EXPECT_NE(contents(folder.map()), "");
  unlink(victim.c_str());
}

TEST(PerfMap, a_folder_that_is_missing_is_named) {
  const auto map = make_perf_map("/nowhere");
  ASSERT_FALSE(map.ok());
  EXPECT_NE(map.error().message.find("/nowhere/perf-"), std::string::npos);
}

template <class T>
T take(const std::string& from, std::size_t& at) {
  T value{};
  EXPECT_LE(at + sizeof value, from.size());
  std::memcpy(&value, from.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

TEST(JitDump, reads_back_with_code_names_and_places) {
  Folder folder;
  TwoFunctions two;
  auto dump = make_jitdump(folder.path());
  ASSERT_TRUE(dump.ok()) << dump.error().message;
  const auto code = two.compile(**dump);
  const std::string bytes = contents(folder.dump());
  std::size_t at = 0;
  EXPECT_EQ(take<std::uint32_t>(bytes, at), 0x4A695444u);
  EXPECT_EQ(take<std::uint32_t>(bytes, at), 1u);
  EXPECT_EQ(take<std::uint32_t>(bytes, at), 40u);
  EXPECT_EQ(take<std::uint32_t>(bytes, at), 62u) << "x86-64";
  at = 40;
  std::vector<std::uint32_t> kinds;
  std::uint64_t last_ns = 0;
  while (at < bytes.size()) {
    const std::size_t begin = at;
    kinds.push_back(take<std::uint32_t>(bytes, at));
    const auto size = take<std::uint32_t>(bytes, at);
    const auto ns = take<std::uint64_t>(bytes, at);
    EXPECT_GE(ns, last_ns);
    last_ns = ns;
    if (kinds.back() == 2 && kinds.size() == 1) {  // of f
      const auto code_begin = take<std::uint64_t>(bytes, at);
      EXPECT_EQ(code_begin, reinterpret_cast<std::uint64_t>(code->slot(two.f)->load()));
      EXPECT_EQ(take<std::uint64_t>(bytes, at), 2u) << "rows";
      EXPECT_EQ(take<std::uint64_t>(bytes, at), code_begin);
      EXPECT_EQ(take<std::uint32_t>(bytes, at), 100u) << "where the body begins";
      at += 4 + sizeof "wasm";
      EXPECT_EQ(take<std::uint64_t>(bytes, at), code_begin + 1);
      EXPECT_EQ(take<std::uint32_t>(bytes, at), 103u) << "the trap's place";
    }
    if (kinds.back() == 0 && kinds.size() == 4) {  // of g
      EXPECT_EQ(take<std::uint32_t>(bytes, at), static_cast<std::uint32_t>(getpid()));
      EXPECT_EQ(take<std::uint32_t>(bytes, at), static_cast<std::uint32_t>(gettid()));
      at += 16;
      EXPECT_EQ(take<std::uint64_t>(bytes, at), 1u) << "bytes";
      EXPECT_EQ(take<std::uint64_t>(bytes, at), 1u) << "index";
      EXPECT_EQ(std::string(bytes.c_str() + at).substr(0, 9), "two?lines");
      EXPECT_EQ(bytes[begin + size - 1], '\xc3') << "ret";
    }
    at = begin + size;
  }
  EXPECT_EQ(at, bytes.size());
  EXPECT_EQ(kinds, (std::vector<std::uint32_t>{2, 0, 2, 0}));
}

TEST(Stats, the_table_counts_what_was_made) {
  TwoFunctions two;
  Stats stats;
  const auto code = two.compile(stats);
  const std::string table = stats.table({7, 1});
  EXPECT_NE(table.find("7 samples"), std::string::npos);
  EXPECT_NE(table.find("two?lines ["), std::string::npos);
  EXPECT_NE(table.find("4 bytes of code"), std::string::npos) << table;  // nop, ud2; ret
}

}  // namespace
}  // namespace heddle::observe
