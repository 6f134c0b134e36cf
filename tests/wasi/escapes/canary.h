// Canary: a folder with two halves. `inside` is what a guest gets; `outside` stands for the rest of the host. The
// second is watched (inotify: every access, change and look into it) and, where the test runs as root, locked: guest
// threads run as another user (set_unprivileged), so that even a look-up in it would be answered with EACCES.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "guest.h"

namespace heddle::wasi::test {

class Canary {
 public:
  Canary();
  ~Canary();

  std::string inside() const { return folder_ / "inside"; }
  std::string outside() const { return folder_ / "outside"; }
  /// Empties `inside`.
  void clear_inside() const;
  /// Makes `path` in `inside` as the guest's user.
  void make_file(const std::string& name, std::string_view text) const;
  void make_directory(const std::string& name) const;
  void make_link(const std::string& name, const std::string& contents) const;

  /// What happened to `outside` so far, in words; empty if nothing.
  std::string touched();
  /// Does this file live outside?
  bool holds(std::uint64_t inode) const { return inodes_.contains(inode); }

 private:
  Folder folder_;
  int watch_;
  std::set<std::uint64_t> inodes_;
};

inline constexpr int kTries = 100'000;
/// At least kTries, and on until both answers that a race can give were seen (a loaded machine may not swap at once).
inline bool go_on(int i, bool both_seen) {
  return i < kTries || (!both_seen && i < 50 * kTries);
}

/// The calling thread alone becomes "nobody", if it is root. (The kernel keeps credentials for each thread.)
void set_unprivileged();

/// Something that a guest may try to do to a path. A success with something from outside is noted in `stolen`.
struct Attack {
  const char* name;
  Errno (*run)(GuestThread& t, const Canary& canary, std::string_view path, std::string& stolen);
};
extern const std::vector<Attack> kAttacks;
const Attack& attack(std::string_view name);

}  // namespace heddle::wasi::test
