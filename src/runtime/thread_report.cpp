// What all threads of a group do (report.h): for deadlocks, timeouts and on request.
#include <algorithm>
#include <fmt/format.h>
#include <linux/futex.h>
#include <map>
#include <memory>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "code/module_code.h"
#include "runtime/report.h"
#include "runtime/thread_group.h"

namespace heddle::runtime {
namespace {

constexpr std::size_t kMaxFrames = StackCapture::kMaxFrames;
constexpr std::uint64_t kMillisecond = 1'000'000;
/// Chosen: a thread in generated code or a system call answers within microseconds; one that does not is starved.
constexpr std::uint64_t kAnswerWithin = 100 * kMillisecond;

ThreadReport report_state(Store& store) {
  ThreadReport r;
  const ThreadState& state = store.state();
  r.tid = store.tid();
  r.kind = state.kind.load(std::memory_order_relaxed);
  r.wait_address = state.wait_address.load(std::memory_order_relaxed);
  r.host_call = state.host_call_name.load(std::memory_order_relaxed);
  r.host_call_fd = state.host_call_fd.load(std::memory_order_relaxed);
  const std::uint64_t now = base::monotonic_ns();
  r.for_ns = now - std::min(now, state.since_ns.load(std::memory_order_relaxed));
  return r;
}

struct Asked {
  Store* store;
  ThreadReport report;
  std::unique_ptr<StackCapture> capture;
};

/// Waits for one answer until `deadline`, asking again each millisecond (the thread may have stood between host and
/// wasm). False if there is none; then nobody writes to the capture any more.
bool await_answer(Asked& asked, std::uint64_t deadline) {
  std::atomic<std::uint32_t>& done = asked.capture->done;
  while (done.load(std::memory_order_acquire) == 0) {
    if (base::monotonic_ns() >= deadline && asked.store->take_capture() != nullptr) return false;
    const timespec moment{0, static_cast<long>(kMillisecond)};
    syscall(SYS_futex, &done, FUTEX_WAIT_PRIVATE, 0, &moment, nullptr, 0);
    if (done.load(std::memory_order_acquire) == 0 && asked.store->wants_capture())
      asked.store->request_capture(asked.capture.get());
  }
  return true;
}

// Chosen: what somebody reads. Each stack with DWARF costs a pass over its lines, too.
constexpr std::size_t kMaxGroups = 40;
constexpr std::size_t kFramesShown = 30;

/// Equal for stacks that read alike, whatever tier their code is of.
std::string place_of(const StackTrace& stack) {
  std::string place;
  for (const StackFrame& frame : stack.frames)
    place += fmt::format("\n{} {}", static_cast<const void*>(frame.code->owner), frame.body_offset);
  return place + fmt::format("\n{}", stack.omitted);
}

std::string describe_state(const ThreadReport& r) {
  const auto on_fd = [&r] { return r.host_call_fd >= 0 ? fmt::format(" of fd {}", r.host_call_fd) : std::string(); };
  switch (r.kind) {
    case ThreadState::Kind::host: return "starting or ending";
    case ThreadState::Kind::running: return "running";
    case ThreadState::Kind::waiting: return fmt::format("waiting at address {:#x}", r.wait_address);
    case ThreadState::Kind::waiting_until:
      return fmt::format("waiting with a timeout at address {:#x}", r.wait_address);
    case ThreadState::Kind::host_call:
      return fmt::format("in {}{}", r.host_call != nullptr ? r.host_call : "a host call", on_fd());
  }
  return {};
}

bool tells_time(const ThreadReport& r) {
  return r.kind != ThreadState::Kind::host && r.kind != ThreadState::Kind::running;
}

std::string duration(std::uint64_t ns) {
  return fmt::format("{:.{}f} s", static_cast<double>(ns) / 1e9, ns < 10'000 * kMillisecond ? 3 : 0);
}

/// "main thread", "thread 4", "threads 1-3, 7 (4)".
std::string name_threads(const std::vector<std::uint32_t>& tids) {
  if (tids.size() == 1) return thread_name(tids[0]);
  constexpr std::size_t kMaxRanges = 20;
  std::string text = "threads ";
  std::size_t ranges = 0;
  for (std::size_t i = 0; i < tids.size();) {
    std::size_t last = i;
    while (last + 1 < tids.size() && tids[last + 1] == tids[last] + 1) ++last;
    if (ranges++ == kMaxRanges) {
      text += ", ...";
      break;
    }
    if (i != 0) text += ", ";
    text += tids[i] == 0 ? "main" : fmt::format("{}", tids[i]);
    if (last != i && tids[i] != 0) text += fmt::format("-{}", tids[last]);
    if (tids[i] == 0) last = i;
    i = last + 1;
  }
  return text + fmt::format(" ({})", tids.size());
}

}  // namespace

ThreadReport report_at_exit(Store& store) {
  ThreadReport r = report_state(store);
  r.stack = collect(StackWalker::at_exit(*store.vm()), kMaxFrames);
  return r;
}

std::vector<ThreadReport> report_threads(ThreadGroup& group) {
  std::vector<ThreadReport> reports;
  const Store* own = Store::current();
  // Members cannot leave while they are asked, since that takes the group's lock.
  group.for_all_members([&](const std::vector<Store*>& members) {
    std::vector<Asked> asked;
    for (Store* member : members) {
      if (member == own) {
        reports.push_back(report_at_exit(*member));
        continue;
      }
      asked.push_back({member, report_state(*member), std::make_unique<StackCapture>()});
      if (asked.back().report.kind != ThreadState::Kind::host) member->request_capture(asked.back().capture.get());
    }
    const std::uint64_t deadline = base::monotonic_ns() + kAnswerWithin;
    for (Asked& a : asked) {
      const StackCapture& c = *a.capture;
      if (a.report.kind != ThreadState::Kind::host) a.report.answered = await_answer(a, deadline);
      if (a.capture->done.load(std::memory_order_acquire) != 0) {
        a.report.stack.frames.assign(c.frames, c.frames + c.count);
        a.report.stack.omitted = c.omitted;
      }
      reports.push_back(std::move(a.report));
    }
  });
  return reports;
}

std::string format_reports(std::vector<ThreadReport> reports) {
  std::sort(reports.begin(), reports.end(), [](const auto& a, const auto& b) { return a.tid < b.tid; });
  struct Group {
    std::vector<std::uint32_t> tids;
    std::uint64_t longest_ns = 0;
    const ThreadReport* first = nullptr;
  };
  // What a thread does and where. In the order of the first thread of each.
  std::map<std::string, std::size_t> places;
  std::vector<Group> groups;
  for (const ThreadReport& r : reports) {
    const auto [at, is_new] =
        places.emplace(describe_state(r) + (r.answered ? "" : "!") + place_of(r.stack), groups.size());
    if (is_new) groups.push_back({{}, 0, &r});
    Group& g = groups[at->second];
    g.tids.push_back(r.tid);
    g.longest_ns = std::max(g.longest_ns, r.for_ns);
  }
  std::string text;
  std::size_t shown = 0;
  std::size_t threads_shown = 0;
  for (const Group& g : groups) {
    if (shown++ == kMaxGroups) break;
    threads_shown += g.tids.size();
    text += fmt::format("\n\n{}: {}", name_threads(g.tids), describe_state(*g.first));
    if (tells_time(*g.first)) text += fmt::format(" for {}", duration(g.longest_ns));
    if (!g.first->answered) text += ", does not answer: no stack";
    text += format_stack(g.first->stack, kFramesShown);
  }
  if (threads_shown < reports.size())
    text += fmt::format("\n\n... {} more threads in {} other places", reports.size() - threads_shown,
                        groups.size() - kMaxGroups);
  return text;
}

}  // namespace heddle::runtime
