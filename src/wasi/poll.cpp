// poll_oneoff: waits until at least one of the guest's subscriptions has something to tell.
//
// The subscriptions are copied first and the events written last, so `in` and `out` may overlap and other threads may
// write to both. Deadlines: a relative one is a moment of its clock, counted from the call (realtime: of the monotonic
// clock, since setting the time must not stretch a sleep); an absolute one on the realtime clock follows the clock when
// it is set. A thread that waits uses no CPU time, so a deadline on its own CPU clock that has not passed never will:
// inval, as clock_nanosleep(2).
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <vector>

#include "base/clock.h"
#include "wasi/clock.h"
#include "wasi/preview1.h"

namespace heddle::wasi {

namespace {

/// Chosen: what one call may make the host allocate is bounded by this, at some 150 bytes each.
constexpr std::uint32_t kMaxSubscriptions = 16'384;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

class Poll {
 public:
  explicit Poll(Call& call) : call_(call) {}

  void add(const Subscription& s);
  /// Until an event is there. An errno only if none can be had (and `intr` if the thread shall leave).
  Errno wait();
  const std::vector<Event>& events() const { return events_; }

 private:
  struct Deadline {
    Subscription from;
    clockid_t clock;
    std::uint64_t at_ns;
  };
  struct Watch {
    Subscription from;
    FileRef file;
    std::size_t index;  // in polled_
  };

  void add_clock(const Subscription& s);
  void add_file(const Subscription& s);
  void tell(const Subscription& s, Errno error);
  void tell_ready(const Subscription& s, const OpenFile& file, short revents);
  void collect_deadlines();
  void collect_files();
  bool only_clock(clockid_t& clock, std::uint64_t& earliest) const;
  long sleep(clockid_t clock, std::uint64_t at_ns);
  Errno watch_realtime();
  long poll_until_next();
  std::uint64_t wall_time_left() const;

  Call& call_;
  std::vector<Event> events_;
  std::vector<Deadline> deadlines_;
  std::vector<Watch> watches_;
  std::vector<pollfd> polled_;
  HostFd timer_;
};

void Poll::tell(const Subscription& s, Errno error) {
  Event event;
  event.userdata = s.userdata;
  event.error = error;
  event.type = s.type;
  events_.push_back(event);
}

std::uint64_t bytes_to_read(const OpenFile& file) {
  if (file.filetype == Filetype::regular_file) {
    struct stat st;
    const off_t at = ::lseek(file.host(), 0, SEEK_CUR);
    if (::fstat(file.host(), &st) != 0 || at < 0 || at > st.st_size) return 0;
    return static_cast<std::uint64_t>(st.st_size - at);
  }
  int n = 0;
  if (file.kind == OpenFile::Kind::listener) return 1;
  return ::ioctl(file.host(), FIONREAD, &n) == 0 && n > 0 ? static_cast<std::uint64_t>(n) : 0;
}

/// POSIX tells that there is room, not how much: at least a pipe's atomic write.
constexpr std::uint64_t kBytesToWrite = 4096;

void Poll::tell_ready(const Subscription& s, const OpenFile& file, short revents) {
  Event event;
  event.userdata = s.userdata;
  event.type = s.type;
  if ((revents & POLLNVAL) != 0) event.error = Errno::badf;
  if ((revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0) event.flags = kEventHangup;
  if (file.kind == OpenFile::Kind::capture)
    event.nbytes = kBytesToWrite;
  else
    event.nbytes = s.type == EventType::fd_read ? bytes_to_read(file) : kBytesToWrite;
  events_.push_back(event);
}

void Poll::add(const Subscription& s) {
  switch (s.type) {
    case EventType::clock: return add_clock(s);
    case EventType::fd_read:
    case EventType::fd_write: return add_file(s);
  }
}

void Poll::add_clock(const Subscription& s) {
  clockid_t clock;
  if (!host_clock(s.clock_or_fd, clock) || (s.flags & ~kClockAbstime) != 0) return tell(s, Errno::inval);
  const bool absolute = (s.flags & kClockAbstime) != 0;
  if (!absolute && clock == CLOCK_REALTIME) clock = CLOCK_MONOTONIC;
  const std::uint64_t at = absolute ? s.timeout_ns : saturating_add(base::clock_ns(clock), s.timeout_ns);
  if (clock == CLOCK_THREAD_CPUTIME_ID && at > base::clock_ns(clock)) return tell(s, Errno::inval);
  deadlines_.push_back({s, clock, at});
}

void Poll::add_file(const Subscription& s) {
  const Right wanted = s.type == EventType::fd_read ? Right::fd_read : Right::fd_write;
  Opened opened = lookup(call_, s.clock_or_fd, right(Right::poll_fd_readwrite));
  if (opened.error != Errno::success) return tell(s, opened.error);
  const bool waits_for_connection = opened.file->kind == OpenFile::Kind::listener && s.type == EventType::fd_read;
  if (!waits_for_connection && !opened.file->has(right(wanted))) return tell(s, Errno::notcapable);
  const OpenFile& file = *opened.file;
  if (file.kind == OpenFile::Kind::capture || file.filetype == Filetype::regular_file)
    return tell_ready(s, file, 0);  // "always triggers for regular files"
  const short events = static_cast<short>(s.type == EventType::fd_read ? POLLIN | POLLRDHUP : POLLOUT);
  watches_.push_back({s, std::move(opened.file), polled_.size()});
  polled_.push_back({watches_.back().file->host(), events, 0});
}

/// Tells the deadlines that have passed.
void Poll::collect_deadlines() {
  for (const Deadline& d : deadlines_)
    if (base::clock_ns(d.clock) >= d.at_ns) tell(d.from, Errno::success);
}

void Poll::collect_files() {
  for (const Watch& w : watches_)
    if (polled_[w.index].revents != 0) tell_ready(w.from, *w.file, polled_[w.index].revents);
}

/// The common case: nothing but deadlines on one clock.
bool Poll::only_clock(clockid_t& clock, std::uint64_t& earliest) const {
  if (!watches_.empty() || deadlines_.empty()) return false;
  clock = deadlines_[0].clock;
  earliest = kNever;
  for (const Deadline& d : deadlines_) {
    if (d.clock != clock || clock == CLOCK_THREAD_CPUTIME_ID) return false;
    earliest = std::min(earliest, d.at_ns);
  }
  return true;
}

long Poll::sleep(clockid_t clock, std::uint64_t at_ns) {
  const timespec at = to_timespec(at_ns);
  return call_.blocking_once(-1, SYS_clock_nanosleep, clock, TIMER_ABSTIME, &at, 0);
}

/// Deadlines on the realtime clock beside other things: a timer that follows the clock when it is set.
Errno Poll::watch_realtime() {
  std::uint64_t earliest = kNever;
  for (const Deadline& d : deadlines_)
    if (d.clock == CLOCK_REALTIME) earliest = std::min(earliest, d.at_ns);
  if (earliest == kNever) return Errno::success;
  timer_ = HostFd(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_.valid()) return from_host(errno);
  itimerspec when = {};
  when.it_value = to_timespec(std::max<std::uint64_t>(earliest, 1));  // 0 would mean "never"
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) return from_host(errno);
  polled_.push_back({timer_.get(), POLLIN, 0});
  return Errno::success;
}

/// Time on the monotonic clock before which no deadline can pass that the kernel does not watch for us.
std::uint64_t Poll::wall_time_left() const {
  static const std::uint64_t cpus = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  constexpr std::uint64_t kLeastNs = 1'000'000;  // chosen: a process clock is asked no more than once a millisecond
  std::uint64_t left = kNever;
  for (const Deadline& d : deadlines_) {
    if (d.clock == CLOCK_REALTIME) continue;
    const std::uint64_t now = base::clock_ns(d.clock);
    const std::uint64_t until = d.at_ns > now ? d.at_ns - now : 0;
    // The process's clock runs at most as fast as there are processors.
    left = std::min(left, d.clock == CLOCK_MONOTONIC ? until : std::max(until / cpus, kLeastNs));
  }
  return left;
}

long Poll::poll_until_next() {
  const std::uint64_t left = events_.empty() ? wall_time_left() : 0;
  const timespec timeout = to_timespec(left);
  return call_.blocking_once(watches_.empty() ? -1 : static_cast<std::int64_t>(watches_[0].from.clock_or_fd), SYS_ppoll,
                             polled_.data(), polled_.size(), left == kNever ? nullptr : &timeout, nullptr, 0);
}

Errno Poll::wait() {
  clockid_t clock;
  std::uint64_t earliest;
  const bool sleeps = events_.empty() && only_clock(clock, earliest);
  if (!sleeps && events_.empty())
    if (const Errno e = watch_realtime(); e != Errno::success) return e;
  for (;;) {
    const long result = sleeps ? sleep(clock, earliest) : poll_until_next();
    if (call_.interrupted() || result == runtime::kCancelled) return Errno::intr;
    if (result < 0 && result != -EINTR) return from_result(result);
    if (result > 0) collect_files();
    collect_deadlines();
    if (!events_.empty()) return Errno::success;
  }
}

Subscription plain(const SubscriptionLayout& s) {
  return {s.userdata, static_cast<EventType>(s.tag), s.clock_or_fd, s.timeout_ns, s.flags};
}

Subscription plain(const UnstableSubscriptionLayout& s) {
  const bool clock = s.tag == static_cast<std::uint8_t>(EventType::clock);
  return {s.userdata, static_cast<EventType>(s.tag), clock ? s.clock : s.fd, s.timeout_ns, s.flags};
}

template <class Layout>
Errno poll_with(Call& call, std::uint32_t in, std::uint32_t out, std::uint32_t count, std::uint32_t count_at) {
  if (count == 0) return Errno::inval;
  const std::uint8_t* from = call.memory().range(in, std::uint64_t{count} * sizeof(Layout));
  std::uint8_t* to = call.memory().range(out, std::uint64_t{count} * sizeof(Event));
  if (from == nullptr || to == nullptr || !call.writable(count_at, 4)) return Errno::fault;
  if (count > kMaxSubscriptions) return Errno::inval;
  Poll poll(call);
  for (std::uint32_t i = 0; i < count; ++i) {
    Layout layout;
    runtime::copy_from_guest(&layout, from + std::size_t{i} * sizeof layout, sizeof layout);
    if (layout.tag > static_cast<std::uint8_t>(EventType::fd_write)) return Errno::inval;
    poll.add(plain(layout));
  }
  if (const Errno e = poll.wait(); e != Errno::success) return e;
  const std::vector<Event>& events = poll.events();
  runtime::copy_to_guest(to, events.data(), events.size() * sizeof(Event));
  return call.put(count_at, static_cast<std::uint32_t>(events.size()));
}

}  // namespace

namespace handlers {

Errno poll_oneoff(Call& call, u32 in, u32 out, u32 count, u32 count_at) {
  return poll_with<SubscriptionLayout>(call, in, out, count, count_at);
}

Errno unstable_poll_oneoff(Call& call, u32 in, u32 out, u32 count, u32 count_at) {
  return poll_with<UnstableSubscriptionLayout>(call, in, out, count, count_at);
}

}  // namespace handlers

}  // namespace heddle::wasi
