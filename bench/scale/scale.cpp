// bench_scale [SHAPE...]: how the time to decode and validate, and to compile with the baseline tier, grows with the
// size of the input. For each shape n doubles up to its largest; the time at each n is the least of three runs, CPU
// time of one thread. The growth is the exponent p of n^p between an eighth of the largest n and the largest. n log n
// shows there as 1.1 at most; what lies above kTooSteep, twice in a row, is flagged, and the exit code is then 1.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "scale/shapes.h"
#include "scale/work.h"

namespace heddle::bench {
namespace {

constexpr int kRuns = 3;
/// Chosen: caches that become too small cost up to n^0.2 here; a square would show as 2, half a square near 1.8.
constexpr double kTooSteep = 1.35;
/// Below this, fixed costs and the clock say more than the growth does.
constexpr double kNoise = 0.0005;
constexpr std::uint32_t kSteps = 4;  // n/8, n/4, n/2, n

struct Times {
  double check = 1e9, compile = 1e9;  // seconds
};

bool measure(const Shape& shape, std::uint32_t n, Times& out) {
  const std::vector<std::uint8_t> wire = shape.make(n);
  for (int run = 0; run < kRuns; ++run) {
    std::vector<std::uint8_t> copy = wire;
    const double start = cpu_seconds();
    const auto checked = decode_and_validate(std::move(copy));
    const double middle = cpu_seconds();
    if (!checked.ok()) {
      std::printf("%s at n = %u: %s\n", shape.name, n, checked.error().message.c_str());
      return false;
    }
    const auto compiled = compile_all(*checked);
    const double end = cpu_seconds();
    if (!compiled.ok() || compiled->unsupported > 0) {
      std::printf("%s at n = %u: %s\n", shape.name, n,
                  compiled.ok() ? compiled->first_reason.c_str() : compiled.error().message.c_str());
      return false;
    }
    out.check = std::min(out.check, middle - start);
    out.compile = std::min(out.compile, end - middle);
  }
  return true;
}

double exponent(double first, double last) {
  return std::log(std::max(last, kNoise) / std::max(first, kNoise)) / std::log(double{1 << (kSteps - 1)});
}

/// False if it grows too steeply, or is refused.
bool look_at(const Shape& shape, bool last_word) {
  Times times[kSteps];
  for (std::uint32_t step = 0; step < kSteps; ++step)
    if (!measure(shape, shape.largest_n >> (kSteps - 1 - step), times[step])) return false;
  const double check = exponent(times[0].check, times[kSteps - 1].check);
  const double compile = exponent(times[0].compile, times[kSteps - 1].compile);
  const bool fine = check <= kTooSteep && compile <= kTooSteep;
  if (!fine && !last_word) return look_at(shape, true);
  std::printf("%-24s %7u", shape.name, shape.largest_n);
  for (const Times& t : times) std::printf(" %8.2f", t.check * 1e3);
  std::printf("  n^%.2f |", check);
  for (const Times& t : times) std::printf(" %8.2f", t.compile * 1e3);
  std::printf("  n^%.2f%s\n", compile, fine ? "" : "  TOO STEEP");
  std::fflush(stdout);
  return fine;
}

int run(int argc, char** argv) {
  std::printf("milliseconds at n/8, n/4, n/2, n: decode and validate | baseline compile\n");
  int bad = 0;
  for (const Shape& shape : shapes()) {
    const bool wanted =
        argc < 2 ||
        std::any_of(argv + 1, argv + argc, [&shape](const char* name) { return !std::strcmp(name, shape.name); });
    if (wanted && !look_at(shape, false)) ++bad;
  }
  std::printf(bad == 0 ? "no shape grows faster than n log n\n" : "%d shapes are flagged\n", bad);
  return bad == 0 ? 0 : 1;
}

}  // namespace
}  // namespace heddle::bench

int main(int argc, char** argv) {
  return heddle::bench::run(argc, argv);
}
