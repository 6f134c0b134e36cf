// How the process's code memory is made (space.cpp); only before the Space exists.
#pragma once

#include <cstddef>

namespace heddle::code {

/// As anonymous memory instead of a memfd: perf reads its map (/tmp/perf-PID.map) for addresses of no named file only.
/// Machines that do not overcommit count all of it. Before the first Space::get().
void map_code_anonymously();

/// So that a debugger can put breakpoints into code: the executable view becomes a private mapping, of which a page
/// that a debugger writes to is a copy from then on. What is written through the writable view does not arrive there
/// any more; so every piece of code begins on a page of its own, and a loop that has such a page is not left for better
/// code. Memory that is anonymous (above, or because of ulimit -f) stays as it is. Before the first Space::get().
void map_code_for_debuggers();

/// Code begins at multiples of this.
std::size_t code_alignment();

}  // namespace heddle::code
