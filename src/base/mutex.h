// Locks that clang's thread-safety analysis understands, and Guarded<T>: a value that can be reached only with its
// lock.
//
// Lock order (a thread that holds a lock takes only locks further down; asserted nowhere yet, so keep it short):
//   engine::Engine modules > runtime::ThreadGroup > code::ModuleCode listeners > code::ModuleCode compile state >
//   code::Space > module::TypeRegistry > wasi::FdTable > runtime::Memory grow > runtime::ParkingLot buckets (spin
//   locks, leaf) > log (leaf)
// No lock is held while a host call blocks, nor while guest code runs.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define HEDDLE_TSA(x) __attribute__((x))
#else
#define HEDDLE_TSA(x)
#endif
#define HEDDLE_CAPABILITY(x) HEDDLE_TSA(capability(x))
#define HEDDLE_SCOPED_CAPABILITY HEDDLE_TSA(scoped_lockable)
#define HEDDLE_GUARDED_BY(x) HEDDLE_TSA(guarded_by(x))
#define HEDDLE_PT_GUARDED_BY(x) HEDDLE_TSA(pt_guarded_by(x))
#define HEDDLE_REQUIRES(...) HEDDLE_TSA(requires_capability(__VA_ARGS__))
#define HEDDLE_EXCLUDES(...) HEDDLE_TSA(locks_excluded(__VA_ARGS__))
#define HEDDLE_ACQUIRE(...) HEDDLE_TSA(acquire_capability(__VA_ARGS__))
#define HEDDLE_RELEASE(...) HEDDLE_TSA(release_capability(__VA_ARGS__))
#define HEDDLE_TRY_ACQUIRE(...) HEDDLE_TSA(try_acquire_capability(__VA_ARGS__))
#define HEDDLE_NO_THREAD_SAFETY_ANALYSIS HEDDLE_TSA(no_thread_safety_analysis)

namespace heddle::base {

class HEDDLE_CAPABILITY("mutex") Mutex {
 public:
  void lock() HEDDLE_ACQUIRE() { mutex_.lock(); }
  void unlock() HEDDLE_RELEASE() { mutex_.unlock(); }
  bool try_lock() HEDDLE_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class HEDDLE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HEDDLE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() HEDDLE_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Waits with the mutex held; the caller loops on its own condition.
class CondVar {
 public:
  void wait(Mutex& mutex) HEDDLE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> adopted(mutex.mutex_, std::adopt_lock);
    cv_.wait(adopted);
    adopted.release();
  }
  void notify_one() { cv_.notify_one(); }
  void notify_all() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

/// The value lives inside its lock: `guarded.with([](T& value) {...})` is the only way to it.
template <class T>
class Guarded {
 public:
  Guarded() = default;
  template <class... Args>
  explicit Guarded(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}

  template <class F>
  decltype(auto) with(F&& use) {
    MutexLock lock(mutex_);
    return std::forward<F>(use)(value_);
  }

 private:
  Mutex mutex_;
  T value_ HEDDLE_GUARDED_BY(mutex_){};
};

}  // namespace heddle::base
