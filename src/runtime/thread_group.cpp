#include "runtime/thread_group.h"

#include <fmt/format.h>
#include <utility>

#include "base/check.h"
#include "runtime/report.h"
#include "runtime/trace.h"

namespace heddle::runtime {

ThreadGroup::~ThreadGroup() {
  base::MutexLock lock(mutex_);
  HEDDLE_CHECK(members_.empty(), "a group outlives its members");
}

bool ThreadGroup::add_member(Store& store, bool admitted) {
  base::MutexLock lock(mutex_);
  if (outcome_) return false;
  if (!admitted) activity_.fetch_add(kOneLiving, std::memory_order_acq_rel);
  store.member_admitted_ = admitted;
  store.member_index_ = members_.size();
  members_.push_back(&store);
  if (options_.trace != nullptr) store.trace_ = options_.trace->add_row(store.tid());
  return true;
}

void ThreadGroup::remove_member(Store& store) {
  if (store.trace_ != nullptr) store.trace_->add_end();
  store.trace_ = nullptr;
  base::MutexLock lock(mutex_);
  HEDDLE_CHECK(store.member_index_ < members_.size() && members_[store.member_index_] == &store,
               "a store that leaves has joined");
  members_.back()->member_index_ = store.member_index_;
  members_[store.member_index_] = members_.back();
  members_.pop_back();
  if (store.member_admitted_)
    ++leaving_;
  else
    activity_.fetch_sub(kOneLiving, std::memory_order_acq_rel);
  if (members_.empty()) left_.notify_all();
}

ThreadGroup::Admission ThreadGroup::admit_thread() {
  base::MutexLock lock(mutex_);
  if (outcome_) return Admission::ending;
  // One is the main thread. Leaving ones do not count, but there are never more of them than may run.
  if (admitted_ - leaving_ + 1 >= options_.max_threads || leaving_ >= options_.max_threads) return Admission::full;
  ++admitted_;
  activity_.fetch_add(kOneLiving, std::memory_order_acq_rel);
  return Admission::admitted;
}

void ThreadGroup::release_thread(bool was_member) {
  bool deadlock;
  {
    base::MutexLock lock(mutex_);
    HEDDLE_CHECK(admitted_ != 0, "a thread is released once");
    if (was_member) --leaving_;
    if (--admitted_ == 0) left_.notify_all();
    deadlock = all_wait(activity_.fetch_sub(kOneLiving, std::memory_order_acq_rel) - kOneLiving) && !outcome_;
  }
  // The last one who could have notified is gone. (The group still is: it joins this thread before it goes.)
  if (deadlock && options_.report_deadlock) end_by_deadlock();
}

void ThreadGroup::end_by_deadlock() {
  Outcome outcome;
  outcome.kind = Outcome::Kind::deadlocked;
  outcome.exit_code = kTrapExitCode;
  std::vector<ThreadReport> reports;
  {
    // With the lock, nobody claims the end meanwhile: the waiters sleep on and their stacks stay as they are.
    base::MutexLock lock(mutex_);
    if (outcome_) return;
    for (Store* member : members_) reports.push_back(report_at_exit(*member));
  }
  outcome.message = fmt::format("deadlock: all {} threads wait{}", reports.size(), format_reports(std::move(reports)));
  request_exit(std::move(outcome));
}

bool ThreadGroup::request_exit(Outcome outcome) {
  {
    base::MutexLock lock(mutex_);
    if (outcome_) return false;
    outcome_ = outcome;
    claimed_.store(true, std::memory_order_release);
  }
  // From here on nobody joins, and the outcome does not change.
  if (options_.on_claim) options_.on_claim(outcome);
  const Store* own = Store::current();
  base::MutexLock lock(mutex_);
  // A signal to the own thread would find it here, in host code: the flag alone does.
  for (Store* member : members_) {
    if (member == own)
      member->vm()->interrupt.store(1, std::memory_order_release);
    else
      member->interrupt();
  }
  return true;
}

Outcome ThreadGroup::wait_ended() {
  Outcome result;
  {
    base::MutexLock lock(mutex_);
    while (!members_.empty() || admitted_ != 0) left_.wait(mutex_);
    if (outcome_) result = *outcome_;
  }
  native_.join_all();
  return result;
}

std::optional<Outcome> ThreadGroup::outcome() {
  base::MutexLock lock(mutex_);
  return outcome_;
}

std::uint32_t ThreadGroup::member_count() {
  base::MutexLock lock(mutex_);
  return static_cast<std::uint32_t>(members_.size());
}

void ThreadGroup::for_all_members(const std::function<void(const std::vector<Store*>&)>& use) {
  base::MutexLock lock(mutex_);
  use(members_);
}

}  // namespace heddle::runtime
