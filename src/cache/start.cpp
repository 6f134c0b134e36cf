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

constexpr std::array<char, 8> kMagic = {'\0', 'h', 'e', 'd', 'd', 'l', 'e', 'T'};
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
  std::uint64_t bodies_begin = 0;
  Key content = {};
  std::uint64_t hash = 0;  ///< XXH3 of the bodies' places, seeded with that of what stands before in the header
};
static_assert(sizeof(Header) == 8 + 32 + 40 + 4 * 8 + 32 + 8);

base::Error broken(const char* what) {
  return {base::ErrorKind::malformed, base::kNoOffset, what};
}

std::int64_t ns_of(const timespec& time) {
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

std::uint64_t hash_of(const Header& header, const Start& start) {
  const base::Bytes bodies = base::raw_bytes(start.bodies);
  return XXH3_64bits_withSeed(bodies.data(), bodies.size(), XXH3_64bits(&header, offsetof(Header, hash)));
}

Key digest_of(const Header& header, const Start& start) {
  base::Sha256 hash;
  hash.add(base::raw_bytes(header));
  hash.add(base::raw_bytes(start.bodies));
  return hash.finish();
}

/// The kernel gives a read lease only for a file that nobody has open or mapped for writing, to its owner.
bool has_no_writers(const File& file) {
  // Whoever opens it for writing while we have the lease waits, and we get a signal: one that does nothing.
  if (fcntl(file.get(), F_SETSIG, SIGWINCH) != 0 || fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return false;
  fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return true;
}

std::uint64_t chunks_of(const FileVersion& version) {
  return version.size_bytes / kChunkBytes + (version.size_bytes % kChunkBytes != 0);
}

/// Whether header and lists are as large as the file says.
bool fits(const Header& header, std::uint64_t size_bytes) {
  constexpr std::uint64_t kPlaceBytes = sizeof(module::BodyPlaces::Place);
  return header.chunks == chunks_of(header.version) && header.chunks <= size_bytes / sizeof(Key) &&
         header.bodies <= size_bytes / kPlaceBytes &&
         sizeof header + header.chunks * sizeof(Key) + header.bodies * kPlaceBytes == size_bytes;
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
  return key_of(base::Sha256::of(base::raw_bytes(which)), settings + " start");
}

void Start::set_bodies(std::span<const module::Body> all) {
  bodies.clear();
  bodies.reserve(all.size());
  if (!all.empty()) bodies_begin = all[0].range.begin;
  std::uint32_t end = bodies_begin;
  for (const module::Body& body : all) {
    bodies.emplace_back(static_cast<std::uint32_t>(body.range.size_bytes()), body.range.begin - end);
    end = body.range.end;
  }
}

std::vector<std::uint8_t> write_start(const Key& name, const Start& start) {
  Header header;
  header.name = name;
  header.version = start.version;
  header.valid_bodies = start.valid_bodies;
  header.chunks = start.chunks.size();
  header.bodies = start.bodies.size();
  header.bodies_begin = start.bodies_begin;
  header.content = start.content;
  header.hash = hash_of(header, start);
  std::vector<std::uint8_t> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  for (const base::Bytes part : {base::raw_bytes(start.bodies), base::raw_bytes(start.chunks)})
    bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

std::size_t sealed_bytes(const Start& start) {
  return sizeof(Header) + base::raw_bytes(start.bodies).size();
}

base::Result<Start> read_start(const Folder::Opened& opened, const Key& name) {
  Header header;
  if (!opened.file.read_at(&header, sizeof header, 0) || header.magic != kMagic) return broken("it is not a start");
  if (header.name != name) return broken("it is for something else");
  if (!fits(header, opened.size_bytes)) return broken("its contents are wrong");
  Start start;
  start.chunks.resize(header.chunks);
  start.bodies.resize(header.bodies);
  const base::Bytes chunks = base::raw_bytes(start.chunks), bodies = base::raw_bytes(start.bodies);
  if (!opened.file.read_at(start.bodies.data(), bodies.size(), sizeof header) ||
      !opened.file.read_at(start.chunks.data(), chunks.size(), sizeof header + bodies.size()))
    return broken("it cannot be read");
  if (opened.seal && *opened.seal != digest_of(header, start)) return broken("it is not what was sealed");
  if (header.hash != hash_of(header, start) || header.content != content_of(header.version.size_bytes, start.chunks))
    return broken("it is damaged");
  if (header.valid_bodies > header.bodies || header.bodies_begin > UINT32_MAX) return broken("its contents are wrong");
  start.version = header.version;
  start.content = header.content;
  start.valid_bodies = header.valid_bodies;
  start.bodies_begin = static_cast<std::uint32_t>(header.bodies_begin);
  return start;
}

}  // namespace heddle::cache
