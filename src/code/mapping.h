// How the process's code memory is made (space.cpp); only before the Space exists.
#pragma once

namespace heddle::code {

/// As anonymous memory instead of a memfd: perf reads its map (/tmp/perf-PID.map) for addresses of no named file only.
/// Machines that do not overcommit count all of it. Before the first Space::get().
void map_code_anonymously();

}  // namespace heddle::code
