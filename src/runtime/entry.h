// The assembly between host and wasm (entry_x64.S) as C++ sees it. Nobody but Store::call, the trap handlers and the
// makers of function references needs this.
//
//   heddle_enter        host -> wasm. Saves rbx rbp r12-r15 and rsp in an EntryFrame on the stack, links it as
//                       VmStore::entry, tests the interrupt flag, calls *slot.
//   heddle_host_thunk   wasm -> host: what the slot of every host function holds; r13 is a VmHostFunc*.
//   heddle_unwind       leaves wasm: restores the innermost EntryFrame and returns a status from its heddle_enter.
//
// Where an interrupt may arrive (design: ending threads): the signal handler redirects the PC to heddle_unwind if it is
// in generated code or in one of the windows below, that is between a test of the flag and wasm. Everywhere else in
// host code it only relies on the flag, because a test follows.
#pragma once

#include <cstdint>

#include "abi/vmctx.h"

namespace heddle::abi {

/// On the stack of heddle_enter; the saved registers lie above it. Known to entry_x64.S.
struct EntryFrame {
  EntryFrame* previous = nullptr;  ///< the entry that this one is nested in
  VmStore* store = nullptr;
  VmHostArgs* args = nullptr;       ///< results go here
  std::uint8_t* exit_sp = nullptr;  ///< VmStore::exit_sp as it was: where the outer wasm frames begin
};
static_assert(sizeof(EntryFrame) == 32, "entry_x64.S");

}  // namespace heddle::abi

namespace heddle::runtime {

extern "C" {

/// Calls the function behind `slot` with r13 = vmctx and the registers from `args`; the result registers go to
/// args->ints[0] and args->floats[0]. Returns an EntryStatus. Own thread of `store`.
std::uint32_t heddle_enter(abi::VmStore* store, const abi::Slot* slot, void* vmctx, abi::VmHostArgs* args);

/// Never called from C++: its address goes into the slot of a host function (see host_thunk_slot).
void heddle_host_thunk();

/// Leaves wasm with this EntryStatus. Destroys no C++ objects on the way: only generated code may lie between.
[[noreturn]] void heddle_unwind(abi::VmStore* store, std::uint32_t status);

/// Where a wasm frame goes on with an exception. Known to entry_x64.S.
struct Landing {
  const std::uint8_t* pc = nullptr;
  const std::uint8_t* sp = nullptr;
  std::uint64_t rbx = 0, rbp = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  void* exception = nullptr;  ///< in rax
  abi::VmStore* store = nullptr;
};
static_assert(sizeof(Landing) == 80, "entry_x64.S");

/// Goes on there, or leaves wasm if the thread is interrupted.
[[noreturn]] void heddle_land(const Landing* landing);

}  // extern "C"

/// The slot that every host function's VmFuncRef and VmFuncImport points to.
const abi::Slot* host_thunk_slot();

}  // namespace heddle::runtime
