// The handlers of preview1.def, each in the file of its topic; and the same as a list of host functions, for those who
// call them without a module (tests, benchmarks).
#pragma once

#include <cstdint>
#include <span>

#include "runtime/host_function.h"
#include "wasi/call.h"
#include "wasi/types.h"

namespace heddle::wasi {

namespace handlers {
using u32 = std::uint32_t;
using u64 = std::uint64_t;
#define FUNCTION(result, name, parameters, handler, unstable) result handler parameters;
#include "wasi/preview1.def"
#undef FUNCTION
// Those that only wasi_unstable has.
Errno unstable_fd_filestat_get(Call&, u32, u32);
Errno unstable_fd_seek(Call&, u32, u64, u32, u32);
Errno unstable_path_filestat_get(Call&, u32, u32, u32, u32, u32);
Errno unstable_poll_oneoff(Call&, u32, u32, u32, u32);
}  // namespace handlers

/// What define_preview1 defines: wasi_snapshot_preview1, then wasi_unstable, functions in the order of preview1.def.
/// They are made with the Context.
std::span<const runtime::HostModule> preview1_modules();

}  // namespace heddle::wasi
