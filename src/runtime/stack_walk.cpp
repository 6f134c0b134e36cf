#include "runtime/stack_walk.h"

#include <cstring>

#include "runtime/entry.h"

namespace heddle::runtime {
namespace {

const std::uint8_t* load_pointer(const std::uint8_t* at) {
  const std::uint8_t* value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

StackWalker StackWalker::at_instruction(const abi::VmStore& vm, const std::uint8_t* pc, const std::uint8_t* sp) {
  return StackWalker(vm.entry, pc, sp, true);
}

StackWalker StackWalker::at_exit(const abi::VmStore& vm) {
  if (vm.exit_sp == nullptr) return StackWalker(vm.entry, nullptr, nullptr, false);  // outer entries only
  return StackWalker(vm.entry, load_pointer(vm.exit_sp - 8), vm.exit_sp, false);
}

bool StackWalker::leave_entry() {
  // The outer entry's wasm called the host, which entered wasm again: it stands at the exit_sp of that call.
  const std::uint8_t* outer_exit = entry_->exit_sp;
  entry_ = entry_->previous;
  if (entry_ == nullptr || outer_exit == nullptr) return false;
  sp_ = outer_exit;
  pc_ = load_pointer(sp_ - 8);
  exact_ = false;
  return true;
}

/// From the frame of an inlined call to that of its caller.
void StackWalker::leave_inlined(StackFrame& frame) {
  const std::vector<abi::InlinedCall>& calls = frame.code->inlined_calls;
  const abi::InlinedCall& call = calls[inlined_ - 1];
  inlined_ = call.around;
  frame.body_offset = call.body_offset;
  frame.func = inlined_ == 0 ? frame.code->func : calls[inlined_ - 1].func;
}

bool StackWalker::next(StackFrame& frame) {
  if (inlined_ != 0) {
    leave_inlined(frame);
    return true;
  }
  while (entry_ != nullptr) {
    const bool inside = code::Space::contains(pc_) && sp_ < reinterpret_cast<const std::uint8_t*>(entry_);
    if (!inside) {
      if (!leave_entry()) entry_ = nullptr;
      continue;
    }
    const code::FunctionCode* code = code::Space::find(pc_);
    // No record: a lazy stub, which has no frame of its own and is nobody's.
    std::uint32_t pushed = 0;
    if (code != nullptr) {
      pushed = exact_ ? code->pushed_bytes_at(pc_) : code->pushed_bytes_at_return(pc_);
      inlined_ = exact_ ? code->inlined_at(pc_) : code->inlined_at_return(pc_);
      frame = {code, inlined_ == 0 ? code->func : code->inlined_calls[inlined_ - 1].func, pc_,
               exact_ ? code->body_offset_of(pc_) : code->body_offset_of_return(pc_)};
      frame_sp_ = sp_;
    }
    sp_ += pushed;
    pc_ = load_pointer(sp_);
    sp_ += 8;
    exact_ = false;
    if (code != nullptr) return true;
  }
  return false;
}

StackTrace collect(StackWalker walker, std::size_t max_frames) {
  StackTrace trace;
  StackFrame frame;
  while (walker.next(frame)) {
    if (trace.frames.size() < max_frames)
      trace.frames.push_back(frame);
    else
      ++trace.omitted;
  }
  return trace;
}

}  // namespace heddle::runtime
