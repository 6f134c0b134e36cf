#include "base/check.h"

namespace heddle::base {

void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "heddle: internal error: %s (%s) at %s:%d; please report this\n", message, condition, file,
               line);
  std::abort();
}

}  // namespace heddle::base
