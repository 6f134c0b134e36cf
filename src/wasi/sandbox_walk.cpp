// The walk: path resolution beneath a directory without openat2.
//
// State: a stack of O_PATH descriptors, one for each directory between the root and where we are; what is left of the
// path, as text; how many links were expanded. Each step opens exactly one component, with O_NOFOLLOW, relative to the
// top of the stack. ".." pops; popping beyond the root is an escape. So the walk never asks the kernel for a parent,
// and a directory that is moved while we stand in it leads nowhere but to directories that we opened ourselves.
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "wasi/sandbox_path.h"

namespace heddle::wasi::walk {

namespace {

/// As Linux has it (path_resolution(7)).
constexpr int kMaxLinks = 40;
/// Chosen: each level holds a descriptor of the host.
constexpr std::size_t kMaxDepth = 256;
/// Chosen: how often a last component may change under us before the guest is told EAGAIN.
constexpr int kTries = 16;

class Walk {
 public:
  Walk(Call& call, int root, const char* path) : call_(call), root_(root), rest_(path) {}

  long open(int flags, mode_t mode, Follow follow);
  long place(Follow follow, Place& place);

 private:
  int top() const { return stack_.empty() ? root_ : stack_.back().get(); }
  bool take_component();
  long enter();
  long to_last();
  long expand(const char* target, long size);
  long expand_name();
  long open_last(int flags, mode_t mode, bool follow, bool& again);

  Call& call_;
  int root_;
  std::vector<HostFd> stack_;
  std::string rest_;
  std::size_t at_ = 0;
  int links_ = 0;
  std::string name_;      // the component taken last
  bool last_ = false;     // nothing but slashes follows it
  bool slashes_ = false;  // and there is at least one
};

/// False if no component is left.
bool Walk::take_component() {
  while (at_ < rest_.size() && rest_[at_] == '/') ++at_;
  if (at_ == rest_.size()) return false;
  const std::size_t end = std::min(rest_.find('/', at_), rest_.size());
  name_ = rest_.substr(at_, end - at_);
  at_ = end;
  const std::size_t next = std::min(rest_.find_first_not_of('/', at_), rest_.size());
  last_ = next == rest_.size();
  slashes_ = last_ && at_ < rest_.size();
  return true;
}

/// Replaces the component taken last by a link's target. What follows it, slashes included, stays.
long Walk::expand(const char* target, long size) {
  if (++links_ > kMaxLinks) return -ELOOP;
  if (size <= 0) return -ENOENT;
  if (target[0] == '/') return -EXDEV;
  rest_ = std::string(target, static_cast<std::size_t>(size)) + rest_.substr(at_);
  at_ = 0;
  return 0;
}

/// 0 if name_ was a link and has been expanded; -EINVAL if it is none.
long Walk::expand_name() {
  char target[PATH_MAX];
  const ssize_t size = ::readlinkat(top(), name_.c_str(), target, sizeof target);
  if (size < 0) return -errno;
  return expand(target, size);
}

/// Goes into name_, which is not the last component.
long Walk::enter() {
  if (name_ == ".") return 0;
  if (name_ == "..") {
    if (stack_.empty()) return -EXDEV;
    stack_.pop_back();
    return 0;
  }
  const long fd = call_.blocking(-1, SYS_openat, top(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  HostFd next(static_cast<int>(fd));
  struct stat st;
  if (::fstat(next.get(), &st) != 0) return -errno;
  if (S_ISLNK(st.st_mode)) {
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(next.get(), "", target, sizeof target);
    return size < 0 ? -errno : expand(target, size);
  }
  if (!S_ISDIR(st.st_mode)) return -ENOTDIR;
  if (stack_.size() >= kMaxDepth) return -ENAMETOOLONG;
  stack_.push_back(std::move(next));
  return 0;
}

/// Walks up to the last component, which is then in name_; ".." and "." as last components have been walked, and
/// name_ is ".".
long Walk::to_last() {
  if (rest_.empty()) return -ENOENT;
  if (rest_[0] == '/') return -EXDEV;
  while (take_component()) {
    if (last_ && name_ != "..") return 0;
    const bool up = last_;
    if (const long result = enter(); result < 0) return result;
    if (up) {
      name_ = ".";
      return 0;
    }
  }
  name_ = ".";
  last_ = true;
  return 0;
}

/// Opens name_ in the directory reached. Sets `again` if it was a link and the walk goes on.
long Walk::open_last(int flags, mode_t mode, bool follow, bool& again) {
  if (slashes_) {
    if ((flags & O_CREAT) != 0) return -EISDIR;  // as open(2) answers for "name/"
    flags |= O_DIRECTORY;
    follow = true;
  }
  const long fd = call_.blocking(-1, SYS_openat, top(), name_.c_str(), flags | O_NOFOLLOW, mode);
  if (!follow) return fd;
  bool maybe_link = fd == -ELOOP || (fd == -ENOTDIR && (flags & O_DIRECTORY) != 0);
  if (fd >= 0 && (flags & O_PATH) != 0) {
    HostFd opened(static_cast<int>(fd));
    struct stat st;
    if (::fstat(opened.get(), &st) != 0) return -errno;
    if (!S_ISLNK(st.st_mode)) return opened.release();
    maybe_link = true;
  }
  if (!maybe_link) return fd;
  const long expanded = expand_name();
  // No link now: either it never was one, or somebody replaced it a moment ago.
  if (expanded == -EINVAL) return fd == -ENOTDIR ? fd : -EAGAIN;
  if (expanded < 0) return expanded;
  again = true;
  return 0;
}

long Walk::open(int flags, mode_t mode, Follow follow) {
  for (;;) {
    if (const long result = to_last(); result < 0) return result;
    bool again = false;
    long result = -EAGAIN;
    for (int i = 0; i < kTries && result == -EAGAIN; ++i) result = open_last(flags, mode, follow == Follow::yes, again);
    if (!again) return result;
    if (rest_[0] == '/') return -EXDEV;
  }
}

long Walk::place(Follow follow, Place& place) {
  for (;;) {
    if (const long result = to_last(); result < 0) return result;
    if (name_ == ".") {
      place.kind = Place::Kind::dot;
      return 0;
    }
    if (name_.size() > NAME_MAX) return -ENAMETOOLONG;
    if (follow == Follow::yes) {
      const long result = expand_name();
      if (result == 0) continue;
      if (result != -EINVAL) return result;
    }
    place.kind = Place::Kind::name;
    const std::string whole = slashes_ ? name_ + "/" : name_;
    std::memcpy(place.name, whole.c_str(), whole.size() + 1);
    if (stack_.empty()) {
      place.dir = root_;
    } else {
      place.owned = std::move(stack_.back());
      place.dir = place.owned.get();
    }
    return 0;
  }
}

}  // namespace

long open(Call& call, int root, const char* path, int flags, mode_t mode, Follow follow) {
  return Walk(call, root, path).open(flags, mode, follow);
}

long place(Call& call, int root, const char* path, Follow follow, Place& place) {
  return Walk(call, root, path).place(follow, place);
}

}  // namespace heddle::wasi::walk
