#include "threads/thread_spawn.h"

#include <algorithm>
#include <fmt/format.h>

#include "runtime/report.h"
#include "runtime/store.h"
#include "runtime/trace.h"

namespace heddle::threads {
namespace {

using runtime::EntryStatus;

constexpr const char* kModule = "wasi";
constexpr const char* kSpawn = "thread-spawn";
constexpr const char* kStart = "wasi_thread_start";

const spec::FuncType& start_type() {
  static const spec::FuncType type{{spec::kI32, spec::kI32}, {}};
  return type;
}

std::int32_t handle_spawn(runtime::HostCall& call, std::uint32_t start_arg) {
  auto& self = *static_cast<ThreadSpawn*>(call.user());
  const std::int32_t tid = self.spawn(start_arg);
  runtime::TraceRow* trace = call.store().trace();
  if (trace != nullptr && tid > 0) trace->add_spawn(static_cast<std::uint32_t>(tid));
  // While the group ends nobody hears an answer: the claim may not have reached this thread's flag yet, so set it here.
  if (call.store().group() != nullptr && call.store().group()->ending())
    call.vm_store()->interrupt.store(1, std::memory_order_release);
  return tid;
}

}  // namespace

bool ThreadSpawn::is_imported_by(const module::Module& m) {
  return std::any_of(m.imports.begin(), m.imports.end(), [](const module::Import& i) {
    return i.kind == spec::ExternKind::func && i.module == kModule && i.name == kSpawn;
  });
}

void ThreadSpawn::define(runtime::Linker& linker) {
  linker.define(kModule, kSpawn, runtime::host_function<&handle_spawn>(this));
}

base::Status ThreadSpawn::bind(std::shared_ptr<const runtime::InstancePlan> plan) {
  const module::Module& m = plan->code()->module();
  if (is_imported_by(m)) {
    const module::Export* start = m.find_export(kStart);
    const bool fits = start != nullptr && start->kind == spec::ExternKind::func &&
                      m.type_of(spec::FuncIndex(start->index)) == start_type();
    if (!fits) {
      return base::Error{
          base::ErrorKind::unlinkable, start != nullptr ? start->offset : base::kNoOffset,
          fmt::format("the module imports {}.{} and so must export {} (func (param i32 i32)), but {}", kModule, kSpawn,
                      kStart, start == nullptr ? "does not" : "its export is something else")};
    }
  }
  plan_ = std::move(plan);
  return {};
}

/// Handed to the new thread, which deletes it.
struct ThreadSpawn::Start {
  ThreadSpawn& self;
  std::uint32_t tid;
  std::uint32_t start_arg;
};

std::int32_t ThreadSpawn::spawn(std::uint32_t start_arg) {
  HEDDLE_CHECK(plan_ != nullptr, "bind() comes before the first spawn");
  using Admission = runtime::ThreadGroup::Admission;
  const Admission admission = group_.admit_thread();
  if (admission == Admission::full)
    return refused(fmt::format("{} live, the most that are allowed (--max-threads)", group_.options().max_threads));
  if (admission != Admission::admitted) return kRefused;
  const std::uint32_t tid = tids_.take();
  if (tid != 0) {
    auto* start = new Start{*this, tid, start_arg};
    if (group_.native().start(&thread_body, start)) return static_cast<std::int32_t>(tid);
    delete start;
    tids_.give_back(tid);
  }
  group_.release_thread();
  return refused(tid == 0 ? "no thread id is free" : "the machine starts no more (threads, memory or mappings)");
}

std::int32_t ThreadSpawn::refused(const std::string& why) const {
  if (note_) note_("no new thread: " + why);
  return kRefused;
}

void ThreadSpawn::thread_body(void* argument, const std::uint8_t* stack_limit) {
  const Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  ThreadSpawn& self = start.self;
  bool joined = false;
  {
    runtime::Store store(&self.group_, stack_limit, self.limits_);
    store.set_tid(start.tid);
    joined = self.group_.add_member(store, /*admitted=*/true);
    if (joined) {
      self.run(store, start.start_arg);
      self.group_.remove_member(store);
    }
  }
  self.tids_.give_back(start.tid);
  self.group_.release_thread(joined);
}

void ThreadSpawn::run(runtime::Store& store, std::uint32_t start_arg) {
  auto started = plan_->instantiate(store);
  const abi::VmFuncRef* function = started.ok() ? started->instance->find_function(kStart, start_type()) : nullptr;
  if (function == nullptr) {
    // The guest was told that the thread runs; silence would leave it waiting for ever.
    refuse(store.tid(), started.ok() ? fmt::format("there is no {}", kStart) : started.error().message);
    return;
  }
  EntryStatus status = started->status;
  if (status == EntryStatus::returned) {
    abi::VmValue params[2] = {};
    params[0].i32 = store.tid();
    params[1].i32 = start_arg;
    status = store.call(*function, params, {});
  }
  if (status == EntryStatus::trapped || status == EntryStatus::exception)
    group_.request_exit(runtime::trap_outcome(store, status));
}

void ThreadSpawn::refuse(std::uint32_t tid, const std::string& why) {
  runtime::Outcome outcome;
  outcome.kind = runtime::Outcome::Kind::trapped;
  outcome.exit_code = runtime::kTrapExitCode;
  outcome.tid = tid;
  outcome.trap = spec::TrapCode::host_trap;
  outcome.message = fmt::format("{} could not be started: {}", runtime::thread_name(tid), why);
  group_.request_exit(std::move(outcome));
}

}  // namespace heddle::threads
