// NativeThreads: the host threads of one group, each on a stack of ours, and the stacks' reuse.
//
//   a stack, from below:  guard page | signal stack | kHostStackBytes | guest's part | libc's (TCB, TLS) on top
//
// A thread's states: running -> finished (it announced that it does nothing more) -> gone (pthread_join has returned;
// only now its stack is free). Whoever starts a thread first tries to join finished ones, without waiting; join_all()
// waits for all. So no thread outlives its group, and no more stacks exist than threads ever lived at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <vector>

#include "base/mutex.h"

namespace heddle::runtime {

class NativeThreads {
 public:
  /// What a thread runs. `stack_limit` is what its Store wants to know.
  using Body = void (*)(void* argument, const std::uint8_t* stack_limit);

  explicit NativeThreads(std::size_t guest_stack_bytes);
  /// Joins what is left.
  ~NativeThreads();
  NativeThreads(const NativeThreads&) = delete;
  NativeThreads& operator=(const NativeThreads&) = delete;

  /// False if the machine refuses (memory, mappings, number of threads). Any thread. What the caller did before happens
  /// before the body.
  [[nodiscard]] bool start(Body body, void* argument) HEDDLE_EXCLUDES(mutex_);
  /// Returns when all threads are gone, and gives their stacks back. Nobody starts threads meanwhile; not from one of
  /// them.
  void join_all() HEDDLE_EXCLUDES(mutex_);

 private:
  struct Thread;
  static void* run(void* thread);
  Thread* take_stack() HEDDLE_EXCLUDES(mutex_);
  void free_stack(Thread* thread);
  void reap_locked() HEDDLE_REQUIRES(mutex_);

  const std::size_t mapping_bytes_;
  base::Mutex mutex_;
  base::CondVar all_finished_;
  std::size_t running_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<Thread*> finished_ HEDDLE_GUARDED_BY(mutex_);  // to be joined, oldest first
  std::vector<Thread*> idle_ HEDDLE_GUARDED_BY(mutex_);      // stacks without a thread
};

}  // namespace heddle::runtime
