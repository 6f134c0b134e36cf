#include "runtime/thread_group.h"

#include <utility>

#include "base/check.h"

namespace heddle::runtime {

ThreadGroup::~ThreadGroup() {
  base::MutexLock lock(mutex_);
  HEDDLE_CHECK(members_.empty(), "a group outlives its members");
}

bool ThreadGroup::add_member(Store& store) {
  base::MutexLock lock(mutex_);
  if (outcome_) return false;
  store.member_index_ = members_.size();
  members_.push_back(&store);
  return true;
}

void ThreadGroup::remove_member(Store& store) {
  base::MutexLock lock(mutex_);
  HEDDLE_CHECK(store.member_index_ < members_.size() && members_[store.member_index_] == &store,
               "a store that leaves has joined");
  members_.back()->member_index_ = store.member_index_;
  members_[store.member_index_] = members_.back();
  members_.pop_back();
  if (members_.empty()) left_.notify_all();
}

ThreadGroup::Admission ThreadGroup::admit_thread() {
  base::MutexLock lock(mutex_);
  if (outcome_) return Admission::ending;
  if (admitted_ + 1 >= options_.max_threads) return Admission::full;  // one is the main thread
  ++admitted_;
  return Admission::admitted;
}

void ThreadGroup::release_thread() {
  base::MutexLock lock(mutex_);
  HEDDLE_CHECK(admitted_ != 0, "a thread is released once");
  if (--admitted_ == 0) left_.notify_all();
}

bool ThreadGroup::request_exit(Outcome outcome) {
  const Store* own = Store::current();
  base::MutexLock lock(mutex_);
  if (outcome_) return false;
  outcome_ = std::move(outcome);
  claimed_.store(true, std::memory_order_release);
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

void ThreadGroup::for_each_member(const std::function<void(Store&)>& use) {
  base::MutexLock lock(mutex_);
  for (Store* member : members_) use(*member);
}

}  // namespace heddle::runtime
