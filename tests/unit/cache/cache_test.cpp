// What the cache must stand: whatever lies in its folder is either used because it is what we wrote, or ignored
// with a note. The baseline tier makes the code; the next tier counts how often it is asked. What Entry's format must
// stand is in entry_test.cpp.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "baseline/tier.h"
#include "binary/decoder.h"
#include "support/kept_code.h"
#include "support/temporary_folder.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

#include "cache/record.h"
#include "cache/tier.h"

namespace heddle::cache {
namespace {

constexpr std::string_view kProgram = R"((module (memory 1) (tag $t)
  (func (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.div_u (i32.load (local.get 1)) (i32.load (local.get 0))))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 4)))))
    (block $h (try_table (catch $t $h) (throw $t)))
    (local.get 1))
  (func (result i32) (call 0 (i32.const 8)))))";

class CountingTier final : public abi::Tier {
 public:
  std::string_view name() const override { return "counting"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    ++asked;
    return baseline_.compile(request);
  }
  mutable int asked = 0;

 private:
  baseline::BaselineTier baseline_;
};

class Cache : public testing::Test {
 protected:
  Cache() {
    options_.folder = root_ / "cache";
    options_.sealed = false;  // whatever stands behind the seal must hold without it
    options_.note = [this](const std::string& sentence) { notes_ += sentence + "\n"; };
    auto parsed = text::parse_wat(kProgram, spec::Features::all());
    bytes_ = parsed->bytes;
    auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(bytes_), spec::Features::all());
    module_ = *decoded;
    checked_ = std::make_unique<module::CheckedModule>(*validate::check_module(module_));
    layout_ = std::make_unique<abi::VmLayout>(*module_);
    key_ = key_of(bytes_, "test");
  }

  std::unique_ptr<CachedTier> open() { return CachedTier::open(options_, key_, next_); }
  abi::CodeArtifact compile(const abi::Tier& tier, std::uint32_t func) {
    auto result = test::kept_or_compiled(tier, {*checked_, *layout_, spec::FuncIndex(func)});
    return std::move(std::get<abi::CodeArtifact>(result));
  }
  static Piece piece_of(const abi::CodeArtifact& a) { return {a.body.func(), a.improvable, write_record(a.code, a)}; }
  void keep(const CachedTier& tier, std::initializer_list<std::uint32_t> funcs) {
    std::vector<abi::CodeArtifact> artifacts;
    for (const std::uint32_t func : funcs) artifacts.push_back(compile(tier, func));
    std::vector<Fresh> fresh;
    for (const abi::CodeArtifact& a : artifacts) fresh.push_back({a.body.func(), &a, [&a] { return a.code; }});
    tier.keep(fresh);
  }
  /// As after a run: both functions are there.
  void fill() { keep(*open(), {0, 1}); }
  std::string entry() const { return options_.folder + "/" + hex(key_) + ".code"; }
  std::vector<std::uint8_t> read_entry() const {
    std::vector<std::uint8_t> bytes(1 << 20);
    File file(::open(entry().c_str(), O_RDONLY));
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(file.get(), bytes.data(), bytes.size()))));
    return bytes;
  }
  void put_entry(const std::vector<std::uint8_t>& bytes) {
    ASSERT_TRUE(Folder::open(options_.folder, false)->write(hex(key_) + kCodeSuffix, bytes, bytes.size()).ok());
  }
  /// Compiles both functions with what is in the folder now and compares with what the compiler makes. Returns how
  /// many of them the compiler was asked for.
  int use() {
    next_.asked = 0;
    std::vector<abi::CodeArtifact> seen;
    {
      const auto tier = open();
      for (const std::uint32_t func : {0u, 1u})
        seen.push_back(compile(tier ? *tier : static_cast<abi::Tier&>(next_), func));
    }
    const int asked = next_.asked;
    for (const abi::CodeArtifact& a : seen) {
      const auto made = compile(next_, a.body.func().value);
      EXPECT_EQ(a.code, made.code);
      EXPECT_EQ(write_record(a.code, a), write_record(made.code, made));
    }
    return asked;
  }

  test::TemporaryFolder root_;
  std::string notes_;
  Options options_;
  std::vector<std::uint8_t> bytes_;
  std::shared_ptr<const module::Module> module_;
  std::unique_ptr<module::CheckedModule> checked_;
  std::unique_ptr<abi::VmLayout> layout_;
  Key key_ = {};
  CountingTier next_;
};

TEST_F(Cache, the_second_run_compiles_nothing) {
  EXPECT_EQ(use(), 2);
  fill();
  EXPECT_EQ(use(), 0);
  EXPECT_EQ(notes_, "");
}

TEST_F(Cache, what_is_new_is_added_to_what_is_there) {
  keep(*open(), {0});
  EXPECT_EQ(use(), 1);
  keep(*open(), {1});
  EXPECT_EQ(use(), 0);
}

TEST_F(Cache, better_code_replaces_and_is_not_replaced_by_worse) {
  fill();
  auto better = compile(next_, 0);
  better.improvable = false;
  const auto write = [&](const abi::CodeArtifact& a) { open()->keep({{a.body.func(), &a, [&a] { return a.code; }}}); };
  write(better);
  EXPECT_FALSE(compile(*open(), 0).improvable);
  write(compile(next_, 0));
  EXPECT_FALSE(compile(*open(), 0).improvable);
}

TEST_F(Cache, a_loops_other_code_comes_from_the_compiler) {
  fill();
  const auto tier = open();
  const auto points = compile(*tier, 0).osr_points;
  ASSERT_EQ(points.size(), 1u);
  next_.asked = 0;
  static_cast<void>(tier->compile({*checked_, *layout_, spec::FuncIndex(0u), false, points[0].body_offset}));
  EXPECT_EQ(next_.asked, 1);
}

TEST_F(Cache, what_earlier_runs_used_together_comes_together) {
  fill();
  const auto tier = open();
  for (const std::uint32_t func : {0u, 1u}) {
    const auto kept = tier->kept({*checked_, *layout_, spec::FuncIndex(func)});
    ASSERT_TRUE(kept);
    ASSERT_EQ(kept->pieces.size(), 2u);
    EXPECT_EQ(kept->pieces[0].body.func().value, 0u);
    EXPECT_EQ(kept->pieces[1].body.func().value, 1u);
    EXPECT_STREQ(kept->pieces[1].made_by, "baseline, cached");
  }
  EXPECT_FALSE(open()->lacks(spec::FuncIndex(1u), true));
  EXPECT_TRUE(open()->lacks(spec::FuncIndex(1u), false)) << "better code is lacking";
}

TEST_F(Cache, code_is_kept_in_the_order_of_first_use) {
  const auto order = [&] {
    std::vector<std::uint32_t> funcs;
    const auto opened = Folder::open(options_.folder, false)->find(hex(key_) + kCodeSuffix);
    const File& file = opened->file;
    const auto entry = Entry::read(File(dup(file.get())), {0, opened->size_bytes}, key_);
    for (const Piece& piece : entry->all()) funcs.push_back(piece.func.value);
    return funcs;
  };
  keep(*open(), {1});
  keep(*open(), {0});
  EXPECT_EQ(order(), (std::vector<std::uint32_t>{1, 0})) << "what is new stands behind";
  auto better = compile(next_, 1);
  better.improvable = false;
  open()->keep({{better.body.func(), &better, [&] { return better.code; }}});
  EXPECT_EQ(order(), (std::vector<std::uint32_t>{1, 0})) << "better code takes the place of older code";
  EXPECT_FALSE(compile(*open(), 1).improvable);
}

TEST_F(Cache, threads_that_ask_for_one_group_at_once_all_get_it) {
  fill();
  const auto tier = open();
  const auto made = compile(next_, 1);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 50; ++i) {
        const auto kept = tier->kept({*checked_, *layout_, spec::FuncIndex((t + i) % 2)});
        right += kept && kept->pieces.size() == 2 &&
                 std::equal(made.code.begin(), made.code.end(), kept->pieces[1].code.begin());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 50);
}

TEST_F(Cache, an_entry_with_any_bit_flipped_is_ignored_or_harmless) {
  fill();
  const auto good = read_entry();
  ASSERT_GT(good.size(), 100u);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    put_entry(bad);
    notes_.clear();
    EXPECT_GE(use(), 1) << "byte " << i;
    EXPECT_NE(notes_, "") << "byte " << i;
  }
}

TEST_F(Cache, a_truncated_entry_is_ignored) {
  fill();
  const auto good = read_entry();
  for (std::size_t size = 0; size < good.size(); size += 7) {
    put_entry({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(use(), 2);
  }
  EXPECT_NE(notes_.find("ignored"), std::string::npos);
}

TEST_F(Cache, a_damaged_group_is_told_once_and_written_anew) {
  fill();
  auto bad = read_entry();
  bad.back() ^= 1;
  put_entry(bad);
  EXPECT_EQ(use(), 2);
  EXPECT_EQ(notes_, "entry " + hex(key_) + ": group 0 ignored: its records are damaged\n");
  keep(*open(), {0, 1});
  EXPECT_EQ(use(), 0);
}

TEST_F(Cache, a_damaged_group_takes_no_other_with_it) {
  auto bad = Entry::write(key_, {piece_of(compile(next_, 0)), piece_of(compile(next_, 1))}, Order::none);
  bad.back() ^= 1;
  put_entry(bad);
  EXPECT_EQ(use(), 1);
}

TEST_F(Cache, of_a_group_with_one_wrong_record_the_others_are_used) {
  auto wrong = piece_of(compile(next_, 0));
  wrong.record.pop_back();
  put_entry(Entry::write(key_, {wrong, piece_of(compile(next_, 1))}, Order::by_use));
  EXPECT_EQ(use(), 1);
  EXPECT_EQ(notes_, "entry " + hex(key_) + ": function 0 ignored: its record is wrong\n");
  keep(*open(), {0});
  EXPECT_EQ(use(), 0);
}

// The hashes of such an entry are right: only its values are wrong.
TEST_F(Cache, a_forged_record_with_places_outside_is_ignored) {
  const auto reject = [&](auto change) {
    auto a = compile(next_, 0);
    change(a);
    put_entry(Entry::write(key_, {piece_of(a)}, Order::by_use));
    notes_.clear();
    EXPECT_EQ(use(), 2);
    EXPECT_NE(notes_.find("its record is wrong"), std::string::npos);
  };
  reject([](auto& a) { a.code.clear(); });
  reject([](auto& a) { a.sites.add_trap(1 << 20, 0, spec::TrapCode::unreachable); });
  reject([](auto& a) { a.sites.add_call(static_cast<std::uint32_t>(a.code.size()), 1 << 20); });
  reject([](auto& a) {
    a.sites.add_trap(static_cast<std::uint32_t>(a.code.size()), 0, static_cast<spec::TrapCode>(200));
  });
  reject([](auto& a) { a.sites = abi::Sites(a.sites.bytes().first(a.sites.bytes().size() - 1)); });
  reject([](auto& a) { a.sites.add_call(0xffffffff, 0); });
  reject(
      [](auto& a) { a.relocations.push_back({static_cast<std::uint32_t>(a.code.size()) - 3, spec::FuncIndex(0u)}); });
  reject([](auto& a) { a.relocations.push_back({0, spec::FuncIndex(2u)}); });
  reject([](auto& a) { a.relocations.push_back({0xffffffff, spec::FuncIndex(0u)}); });
  reject([](auto& a) { a.handlers.at(0).landing_offset = 1 << 20; });
  reject([](auto& a) { a.handlers.at(0).tag = spec::TagIndex(1u); });
  reject([](auto& a) { a.osr_points.at(0).code_offset += 4; });
  reject([](auto& a) { a.osr_points.at(0).code_offset = 0xfffffff8; });
  reject([](auto& a) { a.frame.size_bytes = 0xfffffff0; });
  reject([](auto& a) { a.frame.rows = {{8, 8}, {4, 0}}; });
  reject([](auto& a) { a.frame.saved[0] = -2; });
}

TEST_F(Cache, a_record_of_a_function_that_the_module_has_not_is_never_asked_for) {
  const auto a = compile(next_, 0);
  put_entry(Entry::write(key_, {{spec::FuncIndex(7u), a.improvable, write_record(a.code, a)}}, Order::by_use));
  EXPECT_EQ(use(), 2);
  EXPECT_FALSE(read_record(write_record(a.code, a), *module_, spec::FuncIndex(7u)));
}

TEST_F(Cache, an_entry_for_something_else_under_our_name_is_ignored) {
  fill();
  const auto other = key_of(bytes_, "other settings, or another build or processor");
  EXPECT_NE(other, key_);
  auto tier = CachedTier::open(options_, other, next_);
  EXPECT_FALSE(tier->is_known());
  ASSERT_EQ(rename(entry().c_str(), (options_.folder + "/" + hex(other) + ".code").c_str()), 0);
  tier = CachedTier::open(options_, other, next_);
  EXPECT_FALSE(tier->is_known());
  EXPECT_NE(notes_.find("for something else"), std::string::npos);
}

TEST_F(Cache, another_module_has_another_key) {
  auto bytes = bytes_;
  bytes.back() ^= 1;
  EXPECT_NE(key_of(bytes, "test"), key_);
}

TEST_F(Cache, a_folder_that_others_can_write_to_is_not_used) {
  fill();
  for (const mode_t mode : {0770u, 0702u}) {
    ASSERT_EQ(chmod(options_.folder.c_str(), mode), 0);
    EXPECT_EQ(use(), 2);
    EXPECT_NE(notes_.find("others can write to"), std::string::npos);
  }
}

TEST_F(Cache, an_entry_of_another_mode_than_ours_is_ignored) {
  fill();
  for (const mode_t mode : {0600u, 0644u, 0440u, 0420u, 04400u}) {
    ASSERT_EQ(chmod(entry().c_str(), mode), 0);
    EXPECT_EQ(use(), 2);
    EXPECT_NE(notes_.find("mode"), std::string::npos);
  }
}

TEST_F(Cache, what_belongs_to_another_user_is_ignored) {
  if (geteuid() != 0) {  // who cannot give things away has others' at hand
    options_.folder = "/usr";
    EXPECT_EQ(use(), 2);
    EXPECT_NE(notes_.find("belongs to another user"), std::string::npos);
    return;
  }
  fill();
  ASSERT_EQ(chown(entry().c_str(), 65534, 65534), 0);
  EXPECT_EQ(use(), 2);
  EXPECT_NE(notes_.find("belongs to another user"), std::string::npos);
  ASSERT_EQ(chown(entry().c_str(), 0, 0), 0);
  EXPECT_EQ(use(), 0);
  ASSERT_EQ(chown(options_.folder.c_str(), 65534, 65534), 0);
  EXPECT_EQ(use(), 2);
}

// As a guest of root's could: bytes are changed in place, and the attribute stays.
TEST_F(Cache, a_sealed_entry_is_used_only_as_it_was_written) {
  options_.sealed = true;
  keep(*open(), {0, 1});
  EXPECT_EQ(use(), 0);
  EXPECT_EQ(notes_, "");
  const auto good = read_entry();
  const auto rewrite = [&](const std::vector<std::uint8_t>& bytes) {
    ASSERT_EQ(chmod(entry().c_str(), 0600), 0);
    const int fd = ::open(entry().c_str(), O_RDWR);
    ASSERT_EQ(pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    close(fd);
    ASSERT_EQ(chmod(entry().c_str(), 0400), 0);
  };
  auto bad = good;
  bad.back() ^= 1;  // in a record
  rewrite(bad);
  EXPECT_EQ(use(), 2);
  EXPECT_NE(notes_.find("its records are damaged"), std::string::npos) << notes_;
  // Other code with digests of its own, all in order but for the seal.
  auto other = compile(next_, 0);
  other.code.back() ^= 1;
  const auto forged = Entry::write(key_, {piece_of(other)}, Order::by_use);
  ASSERT_LE(forged.size(), good.size());
  ASSERT_EQ(truncate(entry().c_str(), static_cast<off_t>(forged.size())), 0);
  rewrite(forged);
  EXPECT_EQ(use(), 2);
  EXPECT_NE(notes_.find("is not what was sealed"), std::string::npos) << notes_;
}

TEST_F(Cache, an_entry_without_a_seal_is_not_used_where_one_is_needed) {
  keep(*open(), {0, 1});
  options_.sealed = true;
  EXPECT_FALSE(open()->is_known());
  EXPECT_NE(notes_.find("is not sealed"), std::string::npos) << notes_;
}

TEST_F(Cache, links_and_fifos_are_ignored) {
  fill();
  const std::string elsewhere = root_ / "elsewhere";
  ASSERT_EQ(rename(entry().c_str(), elsewhere.c_str()), 0);
  ASSERT_EQ(symlink(elsewhere.c_str(), entry().c_str()), 0);
  EXPECT_EQ(use(), 2);
  unlink(entry().c_str());
  ASSERT_EQ(mkfifo(entry().c_str(), 0400), 0);
  EXPECT_EQ(use(), 2);
  unlink(entry().c_str());
  ASSERT_EQ(rename(options_.folder.c_str(), (root_ / "real").c_str()), 0);
  ASSERT_EQ(symlink((root_ / "real").c_str(), options_.folder.c_str()), 0);
  EXPECT_EQ(use(), 2);
}

TEST_F(Cache, the_folder_is_made_private_and_entries_read_only) {
  fill();
  struct stat status;
  ASSERT_EQ(stat(options_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(stat(entry().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0400u);
  EXPECT_EQ(Folder::open(options_.folder, false)->list().size(), 1u);
}

TEST_F(Cache, an_entry_that_is_replaced_or_removed_stays_whole_for_who_has_it_open) {
  fill();
  const auto tier = open();
  auto bad = read_entry();
  std::fill(bad.begin(), bad.end(), std::uint8_t{0});
  put_entry(bad);
  next_.asked = 0;
  static_cast<void>(compile(*tier, 0));
  unlink(entry().c_str());
  static_cast<void>(compile(*tier, 1));
  EXPECT_EQ(next_.asked, 0);
}

TEST_F(Cache, writers_at_one_time_leave_a_whole_entry) {
  for (int round = 0; round < 20; ++round) {
    const pid_t other = fork();
    if (other == 0) {
      fill();
      _exit(0);
    }
    fill();
    int status = 0;
    ASSERT_EQ(waitpid(other, &status, 0), other);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(use(), 0);
    EXPECT_EQ(Folder::open(options_.folder, false)->list().size(), 1u);
    unlink(entry().c_str());
  }
  EXPECT_EQ(notes_, "");
}

TEST_F(Cache, what_was_not_used_for_longest_goes_first) {
  const auto folder = Folder::open(options_.folder, false);
  ASSERT_TRUE(folder.ok());
  const std::vector<std::uint8_t> kilobyte(1000);
  std::int64_t age = 5000;
  for (const char* name : {"a.code", "b.code", "c.start"}) {
    ASSERT_TRUE(folder->write(name, kilobyte, kilobyte.size()).ok());
    timespec times[2] = {{time(nullptr) - age, 0}, {time(nullptr) - age, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (options_.folder + "/" + name).c_str(), times, 0), 0);
    age -= 1000;
  }
  static_cast<void>(folder->find("a.code"));  // used now
  folder->evict(2500);
  const auto left = folder->list();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].name, "a.code");
  EXPECT_EQ(left[1].name, "c.start");
}

TEST_F(Cache, code_larger_than_the_cache_may_be_is_not_written) {
  options_.size_bytes = 100;
  fill();
  EXPECT_NE(notes_.find("larger"), std::string::npos);
  EXPECT_TRUE(Folder::open(options_.folder, false)->list().empty());
}

TEST_F(Cache, a_full_disk_is_a_note_and_leaves_nothing_behind) {
  static_cast<void>(open());  // makes the folder
  // A limit on what this process may write stands for the disk's: the same path, another errno.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {64, 64};
    setrlimit(RLIMIT_FSIZE, &limit);
    fill();
    _exit(notes_.find("cannot write an entry") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(rmdir(options_.folder.c_str()), 0);  // it is empty
}

TEST_F(Cache, a_place_where_nothing_can_be_made_is_a_note) {
  options_.folder = "/proc/heddle";
  EXPECT_EQ(open(), nullptr);
  EXPECT_NE(notes_.find("not used"), std::string::npos);
}

TEST_F(Cache, a_directory_around_or_inside_the_folder_holds_it) {
  const auto folder = Folder::open(options_.folder, false);
  ASSERT_TRUE(folder.ok());
  mkdir((root_ / "beside").c_str(), 0700);
  mkdir((options_.folder + "/inside").c_str(), 0700);
  ASSERT_EQ(symlink(options_.folder.c_str(), (root_ / "link").c_str()), 0);
  EXPECT_TRUE(folder->holds("/"));
  EXPECT_TRUE(folder->holds(root_.path()));
  EXPECT_TRUE(folder->holds(options_.folder));
  EXPECT_TRUE(folder->holds(root_ / "link"));
  EXPECT_TRUE(folder->holds(options_.folder + "/inside"));
  EXPECT_FALSE(folder->holds(root_ / "beside"));
  EXPECT_FALSE(folder->holds(root_ / "missing"));
}

}  // namespace
}  // namespace heddle::cache
