// Walking the wasm frames of a thread: from a trap, from a host call, or from wherever a signal found it. Frames of the
// host between two entries into wasm are skipped. Relies on FrameInfo (abi/artifact.h): generated code has no frame
// pointers. Nothing here reads guest memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/vmctx.h"
#include "code/space.h"

namespace heddle::runtime {

/// One frame. `pc` is the return address into it, except in the innermost frame of a trap or interrupt. Functions that
/// are inlined have frames, too: with the code of the function around them.
struct StackFrame {
  const code::FunctionCode* code = nullptr;
  spec::FuncIndex func;
  const std::uint8_t* pc = nullptr;
  std::uint32_t body_offset = 0;  ///< bytes of wasm from the start of the module
};

/// Innermost frame first. Valid as long as the modules whose code it names.
struct StackTrace {
  std::vector<StackFrame> frames;
  std::size_t omitted = 0;  ///< further frames that were only counted
};

/// Where a signal handler writes a stack down for another thread.
struct StackCapture {
  static constexpr std::size_t kMaxFrames = 64;
  /// 1 once the rest is written. Release by the handler; pairs with the acquire of who asked (futex).
  std::atomic<std::uint32_t> done{0};
  std::uint32_t count = 0;
  std::uint32_t omitted = 0;
  StackFrame frames[kMaxFrames];
};

/// Steps through the frames, innermost first. Async-signal-safe on the walked thread itself, or while that thread
/// stands still.
class StackWalker {
 public:
  /// From an instruction in generated code (trap, signal) at which rsp was `sp`.
  static StackWalker at_instruction(const abi::VmStore& vm, const std::uint8_t* pc, const std::uint8_t* sp);
  /// From VmStore::exit_sp: the thread is in a host call, a builtin, or about to leave one.
  static StackWalker at_exit(const abi::VmStore& vm);

  /// The next frame; false at the end. `frame` is as the last call left it.
  bool next(StackFrame& frame);
  /// rsp of the frame that next() gave last: what FrameInfo's offsets refer to.
  const std::uint8_t* frame_sp() const { return frame_sp_; }
  /// The entry that the frame given last belongs to.
  const abi::EntryFrame* entry() const { return entry_; }

 private:
  StackWalker(const abi::EntryFrame* entry, const std::uint8_t* pc, const std::uint8_t* sp, bool exact)
      : entry_(entry), pc_(pc), sp_(sp), exact_(exact) {}
  bool leave_entry();
  void leave_inlined(StackFrame& frame);

  const abi::EntryFrame* entry_;
  const std::uint8_t* pc_;
  const std::uint8_t* sp_;  // rsp of the frame at pc_ (after its prologue, unless exact_)
  const std::uint8_t* frame_sp_ = nullptr;
  bool exact_;  // pc_ is an instruction, not a return address
  // The frame given last is that of an inlined call: 1 + its place in inlined_calls; else 0.
  std::uint32_t inlined_ = 0;
};

/// Collects what a walker gives: the first `max_frames`, the rest counted.
StackTrace collect(StackWalker walker, std::size_t max_frames);

}  // namespace heddle::runtime
