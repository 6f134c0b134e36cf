#include "observe/perf.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "code/mapping.h"

#include "observe/describe.h"
#include "observe/output.h"

namespace heddle::observe {
namespace {

base::Error io_error(const std::string& path) {
  return {base::ErrorKind::io, base::kNoOffset, fmt::format("{}: {}", path, std::strerror(errno))};
}

/// A file of an earlier process with our id goes; one that somebody else has put there is neither followed nor used.
base::Result<int> make_file(const std::string& path) {
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_APPEND, 0600);
  if (fd < 0) return io_error(path);
  return fd;
}

class PerfMap final : public PerfFile {
 public:
  explicit PerfMap(int fd) : PerfFile(fd) {}
  void on_new_code(const code::NewCode& c) override {
    append(
        fmt::format("{:x} {:x} {}\n", reinterpret_cast<std::uintptr_t>(c.code.begin), c.code.size_bytes, describe(c)));
  }
};

class JitDump final : public PerfFile {
 public:
  explicit JitDump(int fd) : PerfFile(fd) {}

  static Output header() {
    Output out;
    out.put(std::uint32_t{0x4A695444});  // "JiTD"
    out.put(std::uint32_t{1});           // version
    out.put(std::uint32_t{40});          // of this header
    out.put(std::uint32_t{EM_X86_64});
    out.put(std::uint32_t{0});
    out.put(static_cast<std::uint32_t>(getpid()));
    out.put(base::monotonic_ns());
    out.put(std::uint64_t{0});  // flags: times are CLOCK_MONOTONIC's
    return out;
  }

  void on_new_code(const code::NewCode& c) override {
    Output records = places(c);
    records.append(load(c));
    append(records.as_text());
  }

 private:
  enum Record : std::uint32_t { kLoad = 0, kDebugInfo = 2 };

  static Output record(Record id, std::uint64_t at_ns, const Output& body) {
    Output out;
    out.put(std::uint32_t{id});
    out.put(16 + body.size());
    out.put(at_ns);
    out.append(body);
    return out;
  }

  Output load(const code::NewCode& c) {
    const auto begin = reinterpret_cast<std::uintptr_t>(c.code.begin);
    Output body;
    body.put(static_cast<std::uint32_t>(getpid()));
    body.put(static_cast<std::uint32_t>(gettid()));
    body.put(std::uint64_t{begin});  // vma
    body.put(std::uint64_t{begin});
    body.put(std::uint64_t{c.code.size_bytes});
    body.put(next_index_.fetch_add(1, std::memory_order_relaxed));
    body.text(describe(c));
    body.raw({c.code.begin, c.code.size_bytes});
    return record(kLoad, c.at_ns, body);
  }

  /// "Lines" of the file "wasm" are bytes from the module's start, as in our own stacks.
  static Output places(const code::NewCode& c) {
    const std::vector<PlaceRow> rows = place_rows(c.code);
    Output body;
    body.put(reinterpret_cast<std::uint64_t>(c.code.begin));
    body.put(std::uint64_t{rows.size()});
    for (const PlaceRow& row : rows) {
      body.put(reinterpret_cast<std::uint64_t>(c.code.begin) + row.code_offset);
      body.put(row.body_offset);
      body.put(std::uint32_t{0});  // discriminator
      body.text("wasm");
    }
    return record(kDebugInfo, c.at_ns, body);
  }

  std::atomic<std::uint64_t> next_index_{0};  // counter
};

}  // namespace

PerfFile::~PerfFile() {
  close(fd_);
}

void PerfFile::append(std::string_view record) {
  base::MutexLock lock(mutex_);
  if (full_) return;
  ssize_t written;
  do written = write(fd_, record.data(), record.size());
  while (written < 0 && errno == EINTR);
  full_ = written != static_cast<ssize_t>(record.size());
}

base::Result<std::unique_ptr<PerfFile>> make_perf_map(const std::string& folder) {
  HEDDLE_TRY_ASSIGN(const int fd, make_file(fmt::format("{}/perf-{}.map", folder, getpid())));
  code::map_code_anonymously();
  return std::unique_ptr<PerfFile>(std::make_unique<PerfMap>(fd));
}

base::Result<std::unique_ptr<PerfFile>> make_jitdump(const std::string& folder) {
  const std::string path = fmt::format("{}/jit-{}.dump", folder, getpid());
  HEDDLE_TRY_ASSIGN(const int fd, make_file(path));
  const Output header = JitDump::header();
  const bool written = write(fd, header.all().data(), header.size()) == static_cast<ssize_t>(header.size());
  // An executable mapping of the file is how `perf record` learns of it. It stays for the process's life.
  const bool mapped = written && mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_EXEC,
                                      MAP_PRIVATE, fd, 0) != MAP_FAILED;
  if (!mapped) {
    const base::Error error = io_error(path);
    close(fd);
    return error;
  }
  return std::unique_ptr<PerfFile>(std::make_unique<JitDump>(fd));
}

}  // namespace heddle::observe
