// The one function of libm that anything in the program refers to (fmt, for floating-point numbers): with one of our
// own the executable does not load that library, which took 40 us of each start.
#if defined(__x86_64__) && !defined(HEDDLE_SANITIZED)
#include <smmintrin.h>

/// SSE4.1, without which the engine does not work anyhow (Engine::create).
extern "C" __attribute__((target("sse4.1"))) double ceil(double x) noexcept {
  const __m128d value = _mm_set_sd(x);
  return _mm_cvtsd_f64(_mm_ceil_sd(value, value));
}
#endif
