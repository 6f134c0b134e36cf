#include "cache/start.h"

#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace heddle::cache {
namespace {

constexpr std::array<char, 8> kMagic = {'\0', 'h', 'e', 'd', 'd', 'l', 'e', 'S'};
constexpr std::int64_t kSecondNs = 1'000'000'000;
/// Chosen: ten ticks of the slowest usual clock; what file systems with fine time stamps need.
constexpr std::int64_t kFineNs = kSecondNs / 10;
/// Chosen: file systems with coarse time stamps count seconds or pairs of them.
constexpr std::int64_t kCoarseNs = 3 * kSecondNs;
/// Chosen: twice the 30 s after which the kernel usually writes a page back and from then on notes writes to it again.
constexpr std::int64_t kUnknownWritersNs = 60 * kSecondNs;

struct Header {
  std::array<char, 8> magic = kMagic;
  Key name = {};
  FileVersion version;
  std::uint64_t valid_bodies = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bodies = 0;
  std::uint64_t hash = 0;  ///< XXH3 of what follows, seeded with that of what stands before in the header
};
static_assert(sizeof(Header) == 8 + 32 + 40 + 4 * 8 && sizeof(module::BodyPlace) == 8);

base::Error broken(const char* what) {
  return {base::ErrorKind::malformed, base::kNoOffset, what};
}

std::int64_t ns_of(const timespec& time) {
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

std::uint64_t hash_of(const Header& header, base::Bytes rest) {
  return XXH3_64bits_withSeed(rest.data(), rest.size(), XXH3_64bits(&header, offsetof(Header, hash)));
}

/// The kernel gives a read lease only for a file that nobody has open or mapped for writing, to its owner.
bool has_no_writers(const File& file) {
  // Whoever opens it for writing while we have the lease waits, and we get a signal: one that does nothing.
  if (fcntl(file.get(), F_SETSIG, SIGWINCH) != 0 || fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return false;
  fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return true;
}

template <class T>
bool take(base::Bytes& rest, std::vector<T>& to, std::uint64_t count) {
  if (count > rest.size() / sizeof(T)) return false;
  to.resize(static_cast<std::size_t>(count));
  if (count != 0) std::memcpy(to.data(), rest.data(), to.size() * sizeof(T));
  rest = rest.subspan(to.size() * sizeof(T));
  return true;
}

}  // namespace

std::optional<FileVersion> version_of(const File& file) {
  struct stat status;
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileVersion{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns_of(status.st_mtim),
                     ns_of(status.st_ctim)};
}

bool is_settled(const File& file, const FileVersion& now) {
  timespec time;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);  // the one that files are stamped by
  const std::int64_t age = ns_of(time) - now.changed_ns;
  const std::int64_t tick = now.changed_ns % kSecondNs == 0 ? kCoarseNs : kFineNs;
  return age > kUnknownWritersNs || (age > tick && has_no_writers(file));
}

Key start_name(const FileVersion& version, const std::string& settings) {
  const std::uint64_t which[] = {version.device, version.inode};
  return key_of(base::Sha256::of({reinterpret_cast<const std::uint8_t*>(which), sizeof which}), settings + " start");
}

std::vector<std::uint8_t> write_start(const Key& name, const Start& start) {
  Header header;
  header.name = name;
  header.version = start.version;
  header.valid_bodies = start.valid_bodies;
  header.chunks = start.chunks.size();
  header.bodies = start.bodies.size();
  std::vector<std::uint8_t> bytes(sizeof header);
  const auto append = [&bytes](const auto& list) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(list.data());
    bytes.insert(bytes.end(), at, at + list.size() * sizeof list[0]);
  };
  append(start.chunks);
  append(start.bodies);
  header.hash = hash_of(header, base::Bytes(bytes).subspan(sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

base::Result<Start> read_start(const Folder::Opened& opened, const Key& name) {
  Header header;
  // The largest module has fewer bytes than its digests and places, so a larger file is none of ours.
  if (opened.size_bytes < sizeof header || opened.size_bytes > UINT32_MAX) return broken("it is not a start");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(opened.size_bytes));
  if (!opened.file.read_at(bytes.data(), bytes.size(), 0)) return broken("it cannot be read");
  if (opened.seal && *opened.seal != base::Sha256::of(bytes)) return broken("it is not what was sealed");
  std::memcpy(&header, bytes.data(), sizeof header);
  base::Bytes rest = base::Bytes(bytes).subspan(sizeof header);
  if (header.magic != kMagic) return broken("it is not a start");
  if (header.name != name) return broken("it is for something else");
  if (header.hash != hash_of(header, rest)) return broken("it is damaged");
  Start start;
  start.version = header.version;
  start.valid_bodies = header.valid_bodies;
  const std::uint64_t chunks = header.version.size_bytes / kChunkBytes + (header.version.size_bytes % kChunkBytes != 0);
  if (header.valid_bodies > header.bodies || header.chunks != chunks || !take(rest, start.chunks, header.chunks) ||
      !take(rest, start.bodies, header.bodies) || !rest.empty())
    return broken("its contents are wrong");
  return start;
}

}  // namespace heddle::cache
