// The second start of a large module: from a note, as long as the file is what it was.
#include "engine/known_start.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/background_validation.h"
#include "engine/engine.h"
#include "engine/program.h"
#include "support/temporary_folder.h"
#include "text/wat_parser.h"

namespace heddle::engine {
namespace {

/// Exits with `code`, which a function says in the midst of 20 of 30 KB that nobody calls.
std::string program_text(int code) {
  std::string text =
      "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
      " (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (result i32)))"
      " (memory (export \"memory\") 1)"
      " (func (export \"_start\") (drop (call $yield)) (call $exit (call $code)))\n";
  for (int i = 0; i < 20; ++i) {
    if (i == 10) text += "(func $code (result i32) (i32.const " + std::to_string(code) + "))\n";
    text += "(func (result i32) (i32.const 0)";
    for (int k = 0; k < 10'000; ++k) text += " (i32.const 1) (i32.add)";
    text += ")\n";
  }
  return text + ")";
}

constexpr const char* kSmallProgram =
    "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    " (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const 4))))";

class KnownStart : public testing::Test {
 protected:
  KnownStart() {
    path_ = root_ / "m.wasm";
    config_.later = true;
    config_.cache.emplace();
    config_.cache->folder = root_ / "cache";
    config_.cache->note = [this](const std::string& sentence) { notes_ += sentence + "\n"; };
  }

  /// In place, and at once too new to be noted.
  void write(const std::string& text) const {
    const auto bytes = text::parse_wat(text, spec::Features::all())->bytes;
    const cache::File file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void wait_until_settled() const {
    const cache::File file(::open(path_.c_str(), O_RDONLY));
    while (!cache::is_settled(file, *cache::version_of(file))) usleep(1000);
  }
  void write_settled(const std::string& text) const {
    write(text);
    wait_until_settled();
  }
  struct Run {
    bool known = false;  ///< it started from a note
    runtime::Outcome outcome;
  };
  /// `between` comes when the source has been opened, `before` when all is loaded.
  Run run(const std::function<void()>& between = {}, const std::function<void()>& before = {}, bool validate = false) {
    Run result;
    auto engine = Engine::create(config_);
    ModuleSource source;
    EXPECT_TRUE(read_module_to_run(path_, config_, source).ok());
    if (between) between();
    auto loaded = (*engine)->load(std::move(source));
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    result.known = (*loaded)->source.known != nullptr;
    if (validate) {
      (*engine)->start_validation();
      while ((*loaded)->validation->valid_bodies() < (*loaded)->code->module().bodies.size()) usleep(1000);
    }
    if (before) before();
    RunOptions options;
    wasi::Stream null;
    null.kind = wasi::Stream::Kind::null;
    options.wasi.stdio = {null, null, null};
    auto program = Program::create(*loaded, std::move(options));
    EXPECT_TRUE(program.ok());
    result.outcome = *(*program)->run();
    return result;
  }
  std::string note_file() const {
    for (const auto& file : std::filesystem::directory_iterator(root_ / "cache"))
      if (file.path().extension() == ".start") return file.path();
    return {};
  }

  test::TemporaryFolder root_;
  std::string path_, notes_;
  Config config_;
};

TEST_F(KnownStart, the_second_start_does_not_read_the_file) {
  write_settled(program_text(3));
  const Run first = run();
  EXPECT_FALSE(first.known);
  EXPECT_EQ(first.outcome.exit_code, 3);
  const Run second = run();
  EXPECT_TRUE(second.known);
  EXPECT_EQ(second.outcome.exit_code, 3);
  EXPECT_EQ(notes_, path_ + " starts from what was noted of it\n");
}

TEST_F(KnownStart, a_file_that_has_just_changed_is_not_noted) {
  write(program_text(3));
  const cache::File writer(::open(path_.c_str(), O_WRONLY));
  run();
  EXPECT_EQ(note_file(), "");
}

TEST_F(KnownStart, a_changed_file_of_the_same_size_and_time_runs_as_it_is_now) {
  write_settled(program_text(3));
  run();
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  write(program_text(4));
  const timespec times[] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  const Run changed = run();
  EXPECT_FALSE(changed.known);
  EXPECT_EQ(changed.outcome.exit_code, 4);
  EXPECT_NE(notes_.find("has changed since"), std::string::npos) << notes_;
  wait_until_settled();
  run();
  EXPECT_TRUE(run().known) << "it is noted anew";
}

TEST_F(KnownStart, a_damaged_note_is_ignored_and_told) {
  write_settled(program_text(3));
  run();
  EXPECT_EQ(notes_, "");
  const std::string path = note_file();
  ASSERT_NE(path, "");
  std::vector<char> bytes(std::filesystem::file_size(path));
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  {
    const cache::File file(::open(path.c_str(), O_RDWR));
    ASSERT_EQ(pread(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    bytes.back() ^= 1;
    ASSERT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  ASSERT_EQ(chmod(path.c_str(), 0400), 0);
  const Run damaged = run();
  EXPECT_FALSE(damaged.known);
  EXPECT_EQ(damaged.outcome.exit_code, 3);
  EXPECT_NE(notes_.find("ignored"), std::string::npos) << notes_;
  EXPECT_TRUE(run().known) << "it is replaced";
}

TEST_F(KnownStart, a_file_that_changes_while_it_is_loaded_is_read_as_a_whole) {
  write_settled(program_text(3));
  run();
  const Run changed = run([&] { write(kSmallProgram); });
  EXPECT_FALSE(changed.known);
  EXPECT_EQ(changed.outcome.exit_code, 4);
}

// No code is made of the new bytes, nor of a mixture.
TEST_F(KnownStart, a_file_that_changes_while_it_runs_is_a_trap_where_its_bytes_are_missed) {
  write_settled(program_text(3));
  run();
  for (const auto& file : std::filesystem::directory_iterator(root_ / "cache"))
    if (file.path().extension() == ".code") std::filesystem::remove(file.path());
  const Run changed = run({}, [&] { write(program_text(4)); });
  EXPECT_TRUE(changed.known);
  EXPECT_EQ(changed.outcome.kind, runtime::Outcome::Kind::trapped);
  EXPECT_NE(changed.outcome.message.find("was changed"), std::string::npos) << changed.outcome.message;
}

TEST_F(KnownStart, what_was_validated_is_not_validated_again) {
  write_settled(program_text(3));
  run({}, {}, true);
  const auto valid_bodies = [&] {
    ModuleSource source;
    EXPECT_TRUE(read_module_to_run(path_, config_, source).ok());
    return source.known == nullptr ? 0 : source.known->start().valid_bodies;
  };
  EXPECT_EQ(valid_bodies(), 22u);
  EXPECT_TRUE(run().known);
}

TEST_F(KnownStart, without_a_cache_nothing_is_noted) {
  config_.cache.reset();
  write_settled(program_text(3));
  EXPECT_EQ(run().outcome.exit_code, 3);
  EXPECT_FALSE(run().known);
}

}  // namespace
}  // namespace heddle::engine
