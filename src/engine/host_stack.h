// How deep guest frames may go on the calling thread's native stack.
#pragma once

#include <cstdint>

namespace heddle::engine {

/// Lowest address that guest frames may use on the calling thread (runtime::Store's stack_limit): kHostStackBytes and
/// the guard stay free below it. On the process's first thread from RLIMIT_STACK without reading /proc.
const std::uint8_t* current_stack_limit();

}  // namespace heddle::engine
