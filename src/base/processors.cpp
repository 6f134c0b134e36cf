#include "base/processors.h"

#include <algorithm>
#include <sched.h>
#include <unistd.h>

namespace heddle::base {

unsigned usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  // The kernel knows of more processors than fit into the set (1,024).
  return static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace heddle::base
