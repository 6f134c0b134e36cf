// How many threads can run at once.
#pragma once

namespace heddle::base {

/// Processors that this process may use (its affinity, taskset, a container's cpuset); at least 1. Asked anew at each
/// call. Any thread.
unsigned usable_processors();

}  // namespace heddle::base
