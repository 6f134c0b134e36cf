// Call: one call of a WASI function, as its handler sees it: the group's context, guest memory, system calls that end
// when the thread's group ends, and a note of what the thread is doing for reports. Lives on the host stack; own
// thread only.
#pragma once

#include <cerrno>
#include <cstdint>

#include "base/clock.h"
#include "runtime/guest_memory.h"
#include "runtime/host_function.h"
#include "runtime/interruptible.h"
#include "runtime/store.h"
#include "runtime/trace.h"
#include "wasi/context.h"
#include "wasi/fd_table.h"
#include "wasi/host_errno.h"
#include "wasi/types.h"

namespace heddle::wasi {

/// A guest pointer.
using Address = std::uint32_t;

class Call {
 public:
  /// `name`: a static string.
  Call(runtime::HostCall& host, const char* name)
      : host_(host),
        trace_(host.store().trace(), name),
        name_(name),
        context_(*static_cast<Context*>(host.user())),
        memory_(memory_of(host, context_)) {}

  runtime::HostCall& host() const { return host_; }
  Context& context() const { return context_; }
  FdTable& files() const { return context_.files(); }
  const runtime::GuestMemory& memory() const { return memory_; }
  bool interrupted() const { return host_.interrupted(); }

  /// A result that the guest gets: `fault` if its address is bad.
  template <class T>
  [[nodiscard]] Errno put(Address address, const T& value) const {
    return memory_.store(address, value) ? Errno::success : Errno::fault;
  }
  /// Checked before an action whose result must not get lost.
  [[nodiscard]] bool writable(Address address, std::uint64_t size_bytes) const {
    return memory_.range(address, size_bytes) != nullptr;
  }

  /// A system call that may block: >= 0, -errno or runtime::kCancelled (the thread must leave wasm: return at once).
  /// Repeated after signals that do not concern us. `fd` is the guest's, for reports; -1 if there is none.
  template <class... A>
  long blocking(std::int64_t fd, long number, A... args) const {
    Note note(host_.store().state(), name_, fd);
    for (;;) {
      const long result = runtime::heddle_interruptible_syscall(host_.vm_store(), number, word(args)...);
      if (result != -EINTR) return result;
      if (host_.interrupted()) return runtime::kCancelled;
    }
  }
  /// The same, but gives -EINTR back, so that the caller can compute a new timeout.
  template <class... A>
  long blocking_once(std::int64_t fd, long number, A... args) const {
    Note note(host_.store().state(), name_, fd);
    return runtime::heddle_interruptible_syscall(host_.vm_store(), number, word(args)...);
  }

 private:
  /// Says for the length of a system call that this thread is in it (relaxed: store.h, ThreadState).
  class Note {
   public:
    Note(runtime::ThreadState& state, const char* name, std::int64_t fd)
        : state_(state), before_(state.kind.load(std::memory_order_relaxed)) {
      state_.since_ns.store(base::clock_ns(CLOCK_MONOTONIC_COARSE), std::memory_order_relaxed);
      state_.host_call_name.store(name, std::memory_order_relaxed);
      state_.host_call_fd.store(fd, std::memory_order_relaxed);
      state_.kind.store(runtime::ThreadState::Kind::host_call, std::memory_order_relaxed);
    }
    ~Note() { state_.kind.store(before_, std::memory_order_relaxed); }
    Note(const Note&) = delete;
    Note& operator=(const Note&) = delete;

   private:
    runtime::ThreadState& state_;
    runtime::ThreadState::Kind before_;
  };

  static runtime::GuestMemory memory_of(const runtime::HostCall& host, const Context& context);
  static long word(const void* pointer) { return reinterpret_cast<long>(pointer); }
  template <class T>
    requires std::is_integral_v<T>
  static long word(T value) {
    return static_cast<long>(value);
  }

  runtime::HostCall& host_;
  runtime::TraceCall trace_;
  const char* name_;
  Context& context_;
  runtime::GuestMemory memory_;
};

/// The open file behind a guest descriptor that has all the `wanted` rights, or why not: badf, notcapable.
struct Opened {
  FileRef file;
  Errno error = Errno::success;
};
Opened lookup(Call& call, std::uint32_t fd, Rights wanted);

/// The directory behind a guest descriptor: badf, notdir, notcapable; rofs if `will_change` and it is read-only.
enum class Change : std::uint8_t { reads, changes };
Opened lookup_directory(Call& call, std::uint32_t fd, Rights wanted, Change change);

}  // namespace heddle::wasi
