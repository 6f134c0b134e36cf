// CodeArtifact: what a tier makes of one function. Bytes and tables, no pointers, so that it can be cached and
// relocated. Offsets: `code_offset` counts bytes of machine code from the artifact's start; `body_offset` counts bytes
// of wasm from the start of the module.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "abi/sites.h"
#include "module/validated.h"
#include "spec/types.h"

namespace heddle::abi {

/// From code_offset on (until the next row) code belongs to body_offset.
struct OffsetRow {
  std::uint32_t code_offset = 0;
  std::uint32_t body_offset = 0;
  std::uint32_t inlined = 0;  ///< 1 + the place in inlined_calls of the call that this code is inlined for; 0: of none
};

/// A call whose callee's code stands in its caller's. In a stack trace it is a frame like any other.
struct InlinedCall {
  spec::FuncIndex func;           ///< who is called
  std::uint32_t body_offset = 0;  ///< of the call instruction
  std::uint32_t around = 0;       ///< 1 + the place of the inlined call that it is part of; 0: of the function itself
};

/// The four bytes at code_offset become the distance from code_offset + 4 to the jump-table slot of `func`.
struct SlotRelocation {
  std::uint32_t code_offset = 0;
  spec::FuncIndex func;
};

/// A catch clause as the unwinder sees it. Handlers stand innermost first: the first whose range holds the call's
/// return_offset (begin < return_offset <= end) and whose tag fits gets the exception.
struct ExceptionHandler {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  /// Control goes here with rsp and the callee-saved registers as the frame has them, r13 the frame's vmctx (but see
  /// FrameInfo::r13_is_any), and the VmException* in rax.
  std::uint32_t landing_offset = 0;
  bool catches_all = false;
  spec::TagIndex tag;  ///< unless catches_all
};

/// A loop whose threads can be moved to other code while they are in it (on-stack replacement). At its header stand
/// five bytes of no-operation, inside eight aligned ones; a jump to a stub may replace them (code/module_code.h).
struct OsrPoint {
  std::uint32_t code_offset = 0;  ///< of the five bytes; a multiple of 8
  std::uint32_t end_offset = 0;   ///< the loop's code lies before
  std::uint32_t body_offset = 0;  ///< of the `loop` instruction
};
inline constexpr std::uint32_t kOsrJumpBytes = 5;
/// What stands there before.
inline constexpr std::array<std::uint8_t, kOsrJumpBytes> kOsrNop = {0x0f, 0x1f, 0x44, 0x00, 0x00};

/// From code_offset on (until the next row) the return address stands at [rsp + size_bytes].
struct FrameRow {
  std::uint32_t code_offset = 0;
  std::uint32_t size_bytes = 0;
};

/// The frame between prologue and epilogue: return address at [rsp + size_bytes].
struct FrameInfo {
  std::uint32_t size_bytes = 0;
  std::uint32_t prologue_end = 0;  ///< below this code_offset rsp still is as at entry
  /// Callee-saved registers that the prologue stored, by their place [rsp + offset]; -1 if not saved.
  /// Order: rbx, rbp, r12, r13, r14, r15. Functions with exception handlers have r13, or
  /// r13_is_any.
  std::array<std::int32_t, 6> saved = {-1, -1, -1, -1, -1, -1};
  /// Between prologue and epilogue r13 is like any callee-saved register: landing pads get it back as it was at the
  /// call. Where it is not saved, it is the vmctx.
  bool r13_is_any = false;
  /// [begin, end) pairs of code_offset where rsp is back as at entry (after an epilogue's add), in order.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> popped;
  /// If not empty, instead of prologue_end and popped: the whole story, ascending (code whose prologue has several
  /// steps).
  std::vector<FrameRow> rows;
};

/// What is known of a piece of code besides its bytes: a tier fills it, published code keeps it, the cache stores it.
/// A new field is also a line in cache/record.cpp.
struct CodeTables {
  Sites sites;
  std::vector<SlotRelocation> relocations;
  std::vector<ExceptionHandler> handlers;
  FrameInfo frame;
  /// If set, there are no `sites`: any instruction may be a memory access that faults (memory_out_of_bounds), every ud2
  /// has its code in eax, and `offset_rows` gives places.
  bool sites_by_range = false;
  std::vector<OffsetRow> offset_rows;  ///< ascending; only with sites_by_range
  std::vector<InlinedCall> inlined_calls;
  /// Quickly made: a better tier may replace it (samples in it count).
  bool improvable = false;
  std::vector<OsrPoint> osr_points;  ///< ascending; of an enclosing loop first
};

struct CodeArtifact : CodeTables {
  module::ValidatedBody body;  ///< nobody can publish code of an unchecked body
  std::vector<std::uint8_t>
      code;  ///< position independent but for `relocations`; starts at the entry; 16-byte aligned when loaded
  std::string listing;            ///< for --dump-code, if asked for
  const char* made_by = nullptr;  ///< static: who made it, if not the tier that was asked

  explicit CodeArtifact(module::ValidatedBody of) : body(of) {}
};

/// A tier cannot compile this function; the caller keeps the other tier.
struct Unsupported {
  std::uint64_t body_offset = 0;
  std::string reason;
};

}  // namespace heddle::abi
