#include "runtime/native_threads.h"

#include <algorithm>
#include <sys/mman.h>

#include "base/check.h"
#include "base/os_memory.h"
#include "runtime/store.h"
#include "runtime/traps.h"

namespace heddle::runtime {
namespace {

/// libc puts a thread's control block and its static TLS on top of the stack: some KiB, more under sanitizers.
#ifdef HEDDLE_SANITIZED
constexpr std::size_t kLibcBytes = std::size_t{1} << 20;
#else
constexpr std::size_t kLibcBytes = 16 << 10;
#endif

std::size_t below_guest_bytes() {
  return base::kOsPageBytes + signal_stack_bytes() + kHostStackBytes;
}

/// Chosen: joining looks at this many finished threads at most, so that starting one stays constant work.
constexpr std::size_t kReapAtMost = 4;

}  // namespace

struct NativeThreads::Thread {
  NativeThreads* owner = nullptr;
  std::uint8_t* mapping = nullptr;
  pthread_t handle{};
  Body body = nullptr;
  void* argument = nullptr;
};

NativeThreads::NativeThreads(std::size_t guest_stack_bytes)
    : mapping_bytes_(base::round_up_to_page(below_guest_bytes() + guest_stack_bytes + kLibcBytes)) {}

NativeThreads::~NativeThreads() {
  join_all();
}

NativeThreads::Thread* NativeThreads::take_stack() {
  {
    base::MutexLock lock(mutex_);
    reap_locked();
    ++running_;
    if (!idle_.empty()) {
      Thread* thread = idle_.back();
      idle_.pop_back();
      return thread;
    }
  }
  void* mapping = mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  auto* thread = new Thread();
  thread->owner = this;
  thread->mapping = static_cast<std::uint8_t*>(mapping);
  if (mprotect(mapping, base::kOsPageBytes, PROT_NONE) == 0) return thread;
  free_stack(thread);
  return nullptr;
}

void NativeThreads::free_stack(Thread* thread) {
  munmap(thread->mapping, mapping_bytes_);
  delete thread;
}

void NativeThreads::reap_locked() {
  std::size_t gone = 0;
  const std::size_t candidates = std::min(finished_.size(), kReapAtMost);
  while (gone < candidates && pthread_tryjoin_np(finished_[gone]->handle, nullptr) == 0) ++gone;
  idle_.insert(idle_.end(), finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(gone));
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(gone));
}

bool NativeThreads::start(Body body, void* argument) {
  Thread* thread = take_stack();
  bool ok = thread != nullptr;
  if (ok) {
    thread->body = body;
    thread->argument = argument;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    std::uint8_t* usable = thread->mapping + base::kOsPageBytes;
    ok = pthread_attr_setstack(&attributes, usable, mapping_bytes_ - base::kOsPageBytes) == 0 &&
         pthread_create(&thread->handle, &attributes, &run, thread) == 0;
    pthread_attr_destroy(&attributes);
  }
  if (ok) return true;
  if (thread != nullptr) free_stack(thread);
  base::MutexLock lock(mutex_);
  if (--running_ == 0) all_finished_.notify_all();
  return false;
}

void* NativeThreads::run(void* argument) {
  auto* thread = static_cast<Thread*>(argument);
  const stack_t before = SignalStack::use(thread->mapping + base::kOsPageBytes);
  thread->body(thread->argument, thread->mapping + below_guest_bytes());
  SignalStack::restore(before);
  NativeThreads& owner = *thread->owner;
  base::MutexLock lock(owner.mutex_);
  owner.finished_.push_back(thread);
  if (--owner.running_ == 0) owner.all_finished_.notify_all();
  return nullptr;
}

void NativeThreads::join_all() {
  std::vector<Thread*> finished;
  std::vector<Thread*> idle;
  {
    base::MutexLock lock(mutex_);
    while (running_ != 0) all_finished_.wait(mutex_);
    finished.swap(finished_);
    idle.swap(idle_);
  }
  for (Thread* thread : finished) {
    HEDDLE_CHECK(pthread_join(thread->handle, nullptr) == 0, "a finished thread can be joined once");
    free_stack(thread);
  }
  for (Thread* thread : idle) free_stack(thread);
}

}  // namespace heddle::runtime
