#include "runtime/trace.h"

#include "base/clock.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"

namespace heddle::runtime {
namespace {

/// Chosen: 48 MB a thread; later events are counted only.
constexpr std::size_t kMaxEvents = 1'000'000;

}  // namespace

TraceRow::~TraceRow() {
  for (Chunk* chunk = first_; chunk != nullptr;) {
    Chunk* next = chunk->next.load(std::memory_order_relaxed);
    delete chunk;
    chunk = next;
  }
}

void TraceRow::add(TraceEvent event) {
  // A thread's end is always told, so that its row has one.
  if (added_ >= kMaxEvents && event.kind != TraceEvent::Kind::end) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ++added_;
  std::size_t count = last_->count.load(std::memory_order_relaxed);
  if (count == Chunk::kEvents) {
    auto* next = new Chunk();
    last_->next.store(next, std::memory_order_release);  // pairs with the acquire in events()
    last_ = next;
    count = 0;
  }
  event.at_ns = base::monotonic_ns();
  last_->events[count] = event;
  last_->count.store(count + 1, std::memory_order_release);  // pairs with the acquire in events()
}

void TraceRow::add_wait(Store& store, std::uint64_t address) {
  TraceEvent event;
  event.kind = TraceEvent::Kind::wait;
  event.address = address;
  for (auto& frame : event.frames) frame = nullptr;
  StackWalker walker = StackWalker::at_exit(*store.vm());
  StackFrame frame;
  for (std::size_t i = 0; i < TraceEvent::kFrames && walker.next(frame); ++i) event.frames[i] = frame.code;
  add(event);
}

void TraceRow::add_wait_end(Store& store, std::uint32_t result) {
  TraceEvent event;
  event.kind = TraceEvent::Kind::wait_end;
  event.result = result;
  event.number = store.state().woken_by.load(std::memory_order_relaxed);
  add(event);
}

void TraceRow::add_wake(std::uint64_t address, std::uint32_t woken) {
  TraceEvent event;
  event.kind = TraceEvent::Kind::wake;
  event.address = address;
  event.number = woken;
  add(event);
}

void TraceRow::add_spawn(std::uint32_t tid) {
  TraceEvent event;
  event.kind = TraceEvent::Kind::spawn;
  event.number = tid;
  add(event);
}

void TraceRow::add_end() {
  TraceEvent event;
  event.kind = TraceEvent::Kind::end;
  add(event);
}

std::vector<TraceEvent> TraceRow::events() const {
  std::vector<TraceEvent> all;
  for (const Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next.load(std::memory_order_acquire)) {
    const std::size_t count = chunk->count.load(std::memory_order_acquire);
    all.insert(all.end(), chunk->events, chunk->events + count);
  }
  return all;
}

void TraceCall::begin(const char* name) {
  TraceEvent event;
  event.kind = TraceEvent::Kind::call;
  event.name = name;
  row_->add(event);
}

void TraceCall::end() {
  TraceEvent event;
  event.kind = TraceEvent::Kind::call_end;
  row_->add(event);
}

Trace::Trace() : begin_ns_(base::monotonic_ns()) {}

void Trace::on_new_code(const code::NewCode& c) {
  using Kind = code::NewCode::Kind;
  if (c.kind != Kind::better && c.kind != Kind::loop_entry) return;
  base::MutexLock lock(mutex_);
  tier_ups_.push_back({c.at_ns, c.compile_ns, &c.code, c.kind == Kind::loop_entry});
}

TraceRow* Trace::add_row(std::uint32_t tid) {
  auto row = std::make_unique<TraceRow>(tid);
  TraceRow* result = row.get();
  TraceEvent event;
  event.kind = TraceEvent::Kind::begin;
  result->add(event);
  base::MutexLock lock(mutex_);
  rows_.push_back(std::move(row));
  return result;
}

}  // namespace heddle::runtime
