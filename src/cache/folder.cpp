#include "cache/folder.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/write_fully.h"

namespace heddle::cache {
namespace {

/// Chosen: "least recently used" to within this, so that most runs do not write to the disk.
constexpr std::int64_t kTouchAfterSeconds = 600;
constexpr mode_t kEntryMode = S_IRUSR;
constexpr const char* kSeal = "user.heddle.sha256";
/// What a writer that was killed left behind is removed after this.
constexpr std::int64_t kStaleAfterSeconds = 3600;

base::Error because(const std::string& what) {
  return {base::ErrorKind::io, base::kNoOffset, what + ": " + std::strerror(errno)};
}

base::Error refused(std::string sentence) {
  return {base::ErrorKind::io, base::kNoOffset, std::move(sentence)};
}

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
}

bool make_folders(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return true;
  const std::size_t slash = path.rfind('/');
  if (errno != ENOENT || slash == 0 || slash == std::string::npos) return false;
  return make_folders(path.substr(0, slash)) && (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
}

/// Whether going up from `at` (which it closes) leads to `wanted`.
bool leads_up_to(File at, const struct stat& wanted) {
  struct stat here, before = {};
  while (at && fstat(at.get(), &here) == 0) {
    if (here.st_dev == wanted.st_dev && here.st_ino == wanted.st_ino) return true;
    if (here.st_dev == before.st_dev && here.st_ino == before.st_ino) return false;  // the root
    before = here;
    at = File(openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return true;  // what cannot be looked at: on the safe side
}

base::Status write_all(int fd, base::Bytes bytes) {
  if (!base::write_fully(fd, bytes)) return because("cannot write an entry");
  return {};
}

/// What stands in the file's attribute.
base::Result<Key> seal_of(int fd, const std::string& name) {
  Key seal = {};
  if (fgetxattr(fd, kSeal, seal.data(), seal.size()) != static_cast<ssize_t>(seal.size()))
    return refused(name + " is not sealed");
  return seal;
}

base::Status seal(int fd, base::Bytes bytes) {
  const Key digest = base::Sha256::of(bytes);
  if (fsetxattr(fd, kSeal, digest.data(), digest.size(), 0) != 0) return because("cannot seal an entry");
  return {};
}

}  // namespace

File::~File() {
  if (fd_ >= 0) close(fd_);
}

bool File::read_at(void* to, std::size_t size_bytes, std::uint64_t offset) const {
  auto* at = static_cast<std::uint8_t*>(to);
  while (size_bytes != 0) {
    const ssize_t n = pread(fd_, at, size_bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    offset += static_cast<std::uint64_t>(n);
    size_bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

std::string Folder::default_path() {
  const char* place = std::getenv("XDG_CACHE_HOME");
  if (place != nullptr && place[0] == '/') return std::string(place) + "/heddle";
  place = std::getenv("HOME");
  return place != nullptr && place[0] == '/' ? std::string(place) + "/.cache/heddle" : std::string();
}

bool Folder::needs_seal() {
  return geteuid() == 0;
}

base::Result<Folder> Folder::open(const std::string& path, bool sealed) {
  if (path.empty()) return refused("neither XDG_CACHE_HOME nor HOME names a folder for the code cache");
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  File fd(::open(path.c_str(), kFlags));
  if (!fd && errno == ENOENT && make_folders(path)) fd = File(::open(path.c_str(), kFlags));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0) return because(path);
  if (status.st_uid != geteuid()) return refused(path + " belongs to another user");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refused("others can write to " + path);
  return Folder(path, std::move(fd), sealed);
}

base::Result<Folder::Opened> Folder::find(const std::string& name) const {
  // Not blocking: a fifo of that name must not hold us up.
  File file(openat(fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return Opened{};
  struct stat status;
  if (!file || fstat(file.get(), &status) != 0) return because(name);
  if (!S_ISREG(status.st_mode)) return refused(name + " is not a file");
  if (status.st_uid != geteuid()) return refused(name + " belongs to another user");
  if ((status.st_mode & 07777) != kEntryMode) return refused(name + " has a mode that entries do not have");
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec - status.st_mtim.tv_sec > kTouchAfterSeconds) futimens(file.get(), nullptr);
  Opened opened{File(), static_cast<std::uint64_t>(status.st_size), std::nullopt};
  if (sealed_) {
    HEDDLE_TRY_ASSIGN(opened.seal, seal_of(file.get(), name));
  }
  opened.file = std::move(file);
  return opened;
}

base::Status Folder::write(const std::string& name, base::Bytes bytes, std::size_t sealed_bytes) const {
  static std::atomic<unsigned> count{0};  // counter
  const unsigned mine = count.fetch_add(1, std::memory_order_relaxed);
  const std::string temporary = name + "." + std::to_string(getpid()) + "." + std::to_string(mine) + ".new";
  unlinkat(fd_.get(), temporary.c_str(), 0);  // of an earlier process of this number
  File file(openat(fd_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kEntryMode));
  if (!file) return because("cannot make an entry");
  base::Status done =
      fchmod(file.get(), kEntryMode) == 0 ? write_all(file.get(), bytes) : because("cannot make an entry");
  if (done.ok() && sealed_) done = seal(file.get(), bytes.first(sealed_bytes));
  if (done.ok() && renameat(fd_.get(), temporary.c_str(), fd_.get(), name.c_str()) != 0)
    done = because("cannot rename an entry");
  if (!done.ok()) unlinkat(fd_.get(), temporary.c_str(), 0);
  return done;
}

std::vector<Folder::Item> Folder::list() const {
  std::vector<Item> items;
  const int again = openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // with a position of its own
  DIR* directory = again < 0 ? nullptr : fdopendir(again);
  if (directory == nullptr) {
    if (again >= 0) close(again);
    return items;
  }
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  while (const dirent* next = readdir(directory)) {
    const std::string_view name = next->d_name;
    struct stat status;
    if (fstatat(again, next->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
    if (ends_with(name, ".new") && now.tv_sec - status.st_mtim.tv_sec > kStaleAfterSeconds)
      unlinkat(again, next->d_name, 0);
    if (!ends_with(name, kCodeSuffix) && !ends_with(name, kStartSuffix)) continue;
    items.push_back({std::string(name), static_cast<std::uint64_t>(status.st_size),
                     status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec});
  }
  closedir(directory);
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.used_ns > b.used_ns; });
  return items;
}

void Folder::evict(std::uint64_t size_bytes) const {
  std::uint64_t kept = 0;
  for (const Item& item : list()) {
    kept += item.size_bytes;
    if (kept > size_bytes) unlinkat(fd_.get(), item.name.c_str(), 0);
  }
}

bool Folder::holds(const std::string& directory) const {
  File other(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!other) return false;  // then the guest does not get it either
  struct stat mine, its;
  if (fstat(fd_.get(), &mine) != 0 || fstat(other.get(), &its) != 0) return true;
  return leads_up_to(std::move(other), mine) ||
         leads_up_to(File(openat(fd_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)), its);
}

}  // namespace heddle::cache
