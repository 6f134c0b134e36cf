#include "engine/module_source.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_memory.h"
#include "engine/precompiled_head.h"
#include "text/wat_parser.h"

namespace heddle::engine {
namespace {

/// Private anonymous pages. Not OwnedBytes: its vector would be zeroed before it is read into.
class PrivateBytes final : public module::WireBytes {
 public:
  static std::shared_ptr<PrivateBytes> allocate(std::size_t size_bytes) {
    const std::size_t mapped = base::round_up_to_page(std::max<std::size_t>(size_bytes, 1));
    void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    // Huge pages halve the time to read a file (first touch of 4 KiB pages costs as much as the copy).
    if (mapped >= 2 * base::kHugePageBytes) madvise(memory, mapped, MADV_HUGEPAGE);
    auto result = std::shared_ptr<PrivateBytes>(new PrivateBytes());
    result->memory_ = static_cast<std::uint8_t*>(memory);
    result->mapped_bytes_ = mapped;
    return result;
  }
  ~PrivateBytes() override { munmap(memory_, mapped_bytes_); }
  std::uint8_t* memory() { return memory_; }
  /// What was read; read-only from here on.
  void seal(std::size_t size_bytes) {
    mprotect(memory_, mapped_bytes_, PROT_READ);
    bytes_ = base::Bytes(memory_, size_bytes);
  }

 private:
  PrivateBytes() = default;
  std::uint8_t* memory_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

base::Error io_error(const char* what) {
  return {base::ErrorKind::io, base::kNoOffset, what};
}

/// Up to `size_bytes`, fewer if the file ends; -1 and errno.
ssize_t read_fully(int fd, std::uint8_t* to, std::size_t size_bytes) {
  std::size_t done = 0;
  while (done < size_bytes) {
    const ssize_t n = read(fd, to + done, size_bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

base::Result<std::shared_ptr<PrivateBytes>> read_regular(int fd, std::size_t size_bytes) {
  auto wire = PrivateBytes::allocate(size_bytes);
  if (wire == nullptr) return io_error("not enough memory to read it");
  const ssize_t got = read_fully(fd, wire->memory(), size_bytes);
  if (got < 0) return io_error(std::strerror(errno));
  wire->seal(static_cast<std::size_t>(got));
  return wire;
}

/// What is read of a regular file: all, but of a precompiled one not the code, of which a run needs only parts.
std::size_t bytes_to_read(int fd, std::size_t file_bytes) {
  std::uint8_t head[kPrecompiledHeadBytes];
  if (pread(fd, head, sizeof head, 0) != sizeof head) return file_bytes;
  const auto module_bytes = precompiled_module_bytes(head);
  if (!module_bytes || *module_bytes > file_bytes - sizeof head) return file_bytes;
  return sizeof head + static_cast<std::size_t>(*module_bytes);
}

/// A pipe or device: until it ends.
base::Result<std::vector<std::uint8_t>> read_stream(int fd) {
  std::vector<std::uint8_t> bytes;
  constexpr std::size_t kStep = 1 << 16;
  for (;;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kStep);
    const ssize_t got = read_fully(fd, bytes.data() + before, kStep);
    if (got < 0) return io_error(std::strerror(errno));
    bytes.resize(before + static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < kStep) return bytes;
  }
}

/// True if this can only be the text format: the first character that is no blank opens a form or a comment.
bool looks_like_text(base::Bytes bytes) {
  for (const std::uint8_t c : bytes) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    return c == '(' || c == ';';
  }
  return false;
}

/// Before it is read.
std::optional<cache::FileVersion> version_to_note(const cache::File& file, const struct stat& status) {
  if (static_cast<std::uint64_t>(status.st_size) < kLargeModuleBytes) return std::nullopt;
  const auto version = cache::version_of(file);
  return version && cache::is_settled(file, *version) ? version : std::nullopt;
}

base::Status parse(ModuleSource& source, base::Bytes bytes, spec::Features features) {
  source.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  HEDDLE_TRY_ASSIGN(text::Parsed parsed, text::parse_wat(source.text, features));
  source.map = std::move(parsed.map);
  source.wire = std::make_shared<module::OwnedBytes>(std::move(parsed.bytes));
  return {};
}

}  // namespace

base::Status read_file(const std::string& path, std::string& contents) {
  const cache::File fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return io_error(std::strerror(errno));
  HEDDLE_TRY_ASSIGN(const auto bytes, read_stream(fd.get()));
  contents.assign(bytes.begin(), bytes.end());
  return {};
}

base::Status read_module(const std::string& path, spec::Features features, ModuleSource& source) {
  source.file = path;
  const cache::File fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0) return io_error(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return io_error(std::strerror(EISDIR));
  std::shared_ptr<const module::WireBytes> wire;
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto version = version_to_note(fd, status);
    HEDDLE_TRY_ASSIGN(wire, read_regular(fd.get(), bytes_to_read(fd.get(), static_cast<std::size_t>(status.st_size))));
    if (version && version == cache::version_of(fd) && wire->bytes().size() == version->size_bytes)
      source.version = version;
  } else {
    HEDDLE_TRY_ASSIGN(auto bytes, read_stream(fd.get()));
    wire = std::make_shared<module::OwnedBytes>(std::move(bytes));
  }
  if (wire->bytes().empty()) return base::Error{base::ErrorKind::malformed, base::kNoOffset, "the file is empty"};
  if (looks_like_text(wire->bytes())) return parse(source, wire->bytes(), features);
  source.wire = std::move(wire);
  return {};
}

base::Status read_module(base::Bytes bytes, std::string name, spec::Features features, ModuleSource& source) {
  source.file = std::move(name);
  if (looks_like_text(bytes)) return parse(source, bytes, features);
  source.wire = std::make_shared<module::OwnedBytes>(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  return {};
}

std::string ModuleSource::render(const base::Error& error) const {
  if (text.empty() || error.offset == base::kNoOffset) {
    std::string line = file + ": " + error.message;
    // Imports are named, all of them: the place of the first would say less.
    if (error.offset != base::kNoOffset && error.kind != base::ErrorKind::unlinkable)
      line += " (at byte " + std::to_string(error.offset) + ")";
    return line + "\n";
  }
  // Before there are bytes, offsets are the text's own.
  const std::uint64_t offset = wire == nullptr ? error.offset : map.source_offset(error.offset);
  return text::render_error(text, file, text::place_of(text, offset), error.message);
}

}  // namespace heddle::engine
