// What a note of a module's file must stand: it is used only as it was written and only for the file that it was
// written for, and no byte of that file is used that is not what was noted.
#include "cache/start.h"

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "binary/decoder.h"
#include "support/temporary_folder.h"
#include "text/wat_parser.h"

#include "cache/module_file.h"

namespace heddle::cache {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

/// Two functions around 100 KB of bodies, then as much data and a custom section.
std::string program_text() {
  std::string text = "(module (memory 4) (func $first (result i32) (i32.const 1))\n";
  for (int i = 0; i < 1000; ++i) {
    text += "(func (result i32) (i32.const " + std::to_string(i) + ")";
    for (int k = 0; k < 30; ++k) text += " (i32.const 1) (i32.add)";
    text += ")\n";
  }
  text += "(func $last (result i32) (i32.const 2))\n(data (i32.const 16) \"";
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i % 26);
  return text + "\") (@custom \"notes\" \"for readers\"))";
}

class StartTest : public testing::Test {
 protected:
  StartTest() {
    path_ = root_ / "m.wasm";
    bytes_ = text::parse_wat(program_text(), spec::Features::all())->bytes;
    write(bytes_);
    start_.version = *version_of(open());
    start_.chunks = chunk_digests(bytes_);
    start_.content = content_of(bytes_.size(), start_.chunks);
    const auto decoded = decode(std::make_shared<module::OwnedBytes>(bytes_));
    start_.set_bodies((*decoded)->bodies);
    start_.valid_bodies = 7;
    name_ = start_name(start_.version, "test");
  }

  /// In place: the same inode.
  void write(base::Bytes bytes) const {
    File file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  File open() const { return File(::open(path_.c_str(), O_RDONLY)); }
  std::shared_ptr<const ModuleFile> module_file() const {
    return ModuleFile::open(open(), std::make_shared<const Start>(start_));
  }
  static base::Result<std::shared_ptr<const module::Module>> decode(std::shared_ptr<const module::WireBytes> wire) {
    return binary::decode_module(std::move(wire), spec::Features::all());
  }
  /// Writes the note and reads it back as it then lies in the folder.
  base::Result<Start> kept(const std::vector<std::uint8_t>& note, bool sealed = false) const {
    const auto folder = Folder::open(root_ / "cache", sealed);
    EXPECT_TRUE(folder->write("n.start", note, sealed_bytes(start_)).ok());
    return found(sealed);
  }
  base::Result<Start> found(bool sealed) const {
    HEDDLE_TRY_ASSIGN(const auto opened, Folder::open(root_ / "cache", sealed)->find("n.start"));
    return read_start(opened, name_);
  }

  test::TemporaryFolder root_;
  std::string path_;
  std::vector<std::uint8_t> bytes_;
  Start start_;
  Key name_ = {};
};

TEST_F(StartTest, is_read_as_it_was_written) {
  const auto read = kept(write_start(name_, start_));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->version, start_.version);
  EXPECT_EQ(read->valid_bodies, 7u);
  EXPECT_EQ(read->chunks, start_.chunks);
  ASSERT_EQ(read->bodies.size(), start_.bodies.size());
  EXPECT_EQ(read->bodies.back().size_bytes(), start_.bodies.back().size_bytes());
  EXPECT_EQ(read->bodies_begin, start_.bodies_begin);
  EXPECT_EQ(read->content, content_of(bytes_.size(), start_.chunks));
}

TEST_F(StartTest, with_any_bit_flipped_or_cut_off_is_refused) {
  start_.bodies.resize(2);
  start_.valid_bodies = 2;
  const auto good = write_start(name_, start_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    EXPECT_FALSE(kept(bad).ok()) << "byte " << i;
    bad.resize(i);
    EXPECT_FALSE(kept(bad).ok()) << i << " bytes";
  }
}

// Its hash is right: only what it says is not.
TEST_F(StartTest, with_contents_that_do_not_fit_is_refused) {
  auto bad = start_;
  bad.chunks.pop_back();
  EXPECT_FALSE(kept(write_start(name_, bad)).ok());
  bad = start_;
  bad.chunks[1][7] ^= 1;
  EXPECT_FALSE(kept(write_start(name_, bad)).ok()) << "the digests are of another content";
  bad = start_;
  bad.valid_bodies = bad.bodies.size() + 1;
  EXPECT_FALSE(kept(write_start(name_, bad)).ok());
  bad = start_;
  bad.version.size_bytes = ~std::uint64_t{0};
  EXPECT_FALSE(kept(write_start(name_, bad)).ok());
}

TEST_F(StartTest, of_another_file_or_other_settings_is_refused) {
  auto other = start_.version;
  ++other.inode;
  for (const Key& name : {start_name(other, "test"), start_name(start_.version, "other")}) {
    const auto read = kept(write_start(name, start_));
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().message.find("something else"), std::string::npos);
  }
}

// As a guest of root's could: bytes are changed in place, the attribute stays, and the hash inside is made anew.
TEST_F(StartTest, that_is_sealed_is_used_only_as_it_was_sealed) {
  ASSERT_TRUE(kept(write_start(name_, start_), true).ok());
  start_.chunks[0][0] ^= 1;
  start_.content = content_of(bytes_.size(), start_.chunks);
  const auto forged = write_start(name_, start_);
  const std::string path = root_ / "cache/n.start";
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  {
    File file(::open(path.c_str(), O_WRONLY));
    ASSERT_EQ(::write(file.get(), forged.data(), forged.size()), static_cast<ssize_t>(forged.size()));
  }
  EXPECT_FALSE(found(true).ok());  // the mode
  ASSERT_EQ(chmod(path.c_str(), 0400), 0);
  const auto read = found(true);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("not what was sealed"), std::string::npos);
  EXPECT_TRUE(kept(forged, false).ok());  // so nothing else was wrong with it
  EXPECT_FALSE(found(true).ok());         // and without a seal it is not used
}

TEST_F(StartTest, a_files_version_changes_even_if_size_and_mtime_are_put_back) {
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  while (*version_of(open()) == start_.version) {  // until the clock has ticked
    write(bytes_);
    const timespec times[] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  }
  EXPECT_EQ(version_of(open())->modified_ns, start_.version.modified_ns);
  EXPECT_EQ(version_of(open())->size_bytes, start_.version.size_bytes);
  EXPECT_EQ(version_of(File(::open("/tmp", O_RDONLY))), std::nullopt);
}

TEST_F(StartTest, a_file_is_settled_when_no_write_can_go_unnoticed) {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  const auto changed = [&](std::int64_t ns_ago) {
    FileVersion version = start_.version;
    version.changed_ns = time.tv_sec * kSecondNs + time.tv_nsec - ns_ago;
    return version;
  };
  EXPECT_FALSE(is_settled(open(), changed(0)));
  EXPECT_FALSE(is_settled(open(), changed(-10 * kSecondNs)));  // the clock was put back
  EXPECT_TRUE(is_settled(open(), changed(10 * kSecondNs)));
  {
    const File writer(::open(path_.c_str(), O_WRONLY));
    EXPECT_FALSE(is_settled(open(), changed(10 * kSecondNs)));
    EXPECT_TRUE(is_settled(open(), changed(100 * kSecondNs)));
  }
  FileVersion coarse = changed(2 * kSecondNs);
  coarse.changed_ns -= coarse.changed_ns % kSecondNs;
  EXPECT_FALSE(is_settled(open(), coarse));
}

TEST_F(StartTest, a_module_is_decoded_without_reading_its_bodies_and_data) {
  const auto file = module_file();
  const auto whole = decode(std::make_shared<module::OwnedBytes>(bytes_));
  const auto lazy = decode(file);
  ASSERT_TRUE(lazy.ok()) << lazy.error().message;
  EXPECT_FALSE(file->failed());
  EXPECT_LE(file->read_bytes(), 4 * kChunkBytes);
  ASSERT_EQ((*lazy)->bodies.size(), (*whole)->bodies.size());
  for (std::size_t i = 0; i < (*whole)->bodies.size(); ++i)
    EXPECT_EQ(base::ByteRange((*lazy)->bodies[i].range), base::ByteRange((*whole)->bodies[i].range));
  ASSERT_EQ((*lazy)->datas.size(), 1u);
  EXPECT_EQ((*lazy)->datas[0].bytes, (*whole)->datas[0].bytes);
  const auto data = (*lazy)->bytes_of((*lazy)->datas[0].bytes);
  const auto wanted = (*whole)->bytes_of((*whole)->datas[0].bytes);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), wanted.begin(), wanted.end()));
  ASSERT_NE((*lazy)->find_custom("notes"), nullptr);
}

TEST_F(StartTest, places_of_bodies_that_cannot_be_are_malformed) {
  const Start good = start_;
  const auto refuse = [&](auto change) {
    start_ = good;
    change(start_);
    EXPECT_FALSE(decode(module_file()).ok());
  };
  refuse([](Start& start) { start.bodies.pop_back(); });
  refuse([](Start& start) { start.bodies.push_back({1, 1}); });
  refuse([](Start& start) { start.bodies_begin = 0; });
  refuse([](Start& start) { start.bodies_begin = 0xfffffff0; });
  refuse([](Start& start) { start.bodies[1] = {start.bodies[1].size_bytes(), 0}; });
  refuse([](Start& start) { start.bodies[1] = {(1 << 29) - 1, 1}; });
  refuse([](Start& start) { start.bodies.back() = {spec::kMaxFunctionBodyBytes, 1}; });
}

TEST_F(StartTest, bytes_that_are_not_what_was_noted_are_never_there) {
  const auto file = module_file();
  ASSERT_TRUE(file->need({0, 100}));
  auto changed = bytes_;
  const std::size_t at = 3 * kChunkBytes + 5;
  changed[at] ^= 1;
  write(changed);
  EXPECT_TRUE(file->need({0, kChunkBytes})) << "it is there already";
  EXPECT_TRUE(file->need({kChunkBytes, 2 * kChunkBytes})) << "it is as it was";
  EXPECT_FALSE(file->failed());
  EXPECT_FALSE(file->need({2 * kChunkBytes, 4 * kChunkBytes}));
  EXPECT_TRUE(file->failed());
  EXPECT_EQ(file->bytes()[at], 0);
  EXPECT_FALSE(file->need({at, at + 1})) << "for good";
}

TEST_F(StartTest, a_file_that_was_cut_off_is_noticed) {
  const auto file = module_file();
  ASSERT_EQ(truncate(path_.c_str(), 5 * kChunkBytes + 1), 0);
  EXPECT_FALSE(file->need({5 * kChunkBytes, 5 * kChunkBytes + 1}));
  EXPECT_FALSE(file->need({bytes_.size() - 1, bytes_.size()}));
}

TEST_F(StartTest, data_is_copied_only_while_the_file_is_the_same) {
  const auto file = module_file();
  std::vector<std::uint8_t> to(1000);
  ASSERT_TRUE(file->copy_data({500, 1500}, to.data()));
  EXPECT_TRUE(std::equal(to.begin(), to.end(), bytes_.begin() + 500));
  EXPECT_EQ(file->read_bytes(), 0u);
  while (*version_of(open()) == start_.version) write(bytes_);
  EXPECT_FALSE(file->copy_data({500, 1500}, to.data()));
}

TEST_F(StartTest, threads_that_need_the_same_bytes_get_them) {
  for (int round = 0; round < 50; ++round) {
    const auto file = module_file();
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        const base::ByteRange range{static_cast<std::uint64_t>(t) * 10'000, bytes_.size()};
        const bool there = file->need(range);
        right += there && std::equal(bytes_.begin() + t * 10'000, bytes_.end(), file->bytes().begin() + t * 10'000);
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 4);
    EXPECT_LE(file->read_bytes(), bytes_.size());
  }
}

}  // namespace
}  // namespace heddle::cache
