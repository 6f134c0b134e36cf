// bench_compile FILE [RUNS]: speed of decoding, validation and the baseline compiler on one core, in MB (10^6 bytes) of
// function bodies per second of CPU time; the best of RUNS (default 3), since other load only ever takes away. The
// baseline tier validates while it compiles: its figure contains that.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "baseline/tier.h"
#include "binary/decoder.h"
#include "validate/checked.h"

#include "scale/work.h"

namespace heddle::bench {
namespace {

bool read_file(const char* path, std::vector<std::uint8_t>& out) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  std::uint8_t buffer[1 << 16];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) out.insert(out.end(), buffer, buffer + n);
  return std::fclose(file) == 0;
}

struct Best {
  double decode = 1e9, validate = 1e9, compile = 1e9;
  std::uint64_t body_bytes = 0;
  Compiled compiled;
};

base::Status run_once(const std::shared_ptr<const module::WireBytes>& wire, Best& best) {
  const double start = cpu_seconds();
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(wire, spec::Features::standard()));
  HEDDLE_TRY_ASSIGN(const auto checked, validate::check_module(std::move(decoded)));
  const double decode_end = cpu_seconds();
  HEDDLE_TRY(validate::validate_bodies(checked, 1));
  const double validate_end = cpu_seconds();
  HEDDLE_TRY_ASSIGN(best.compiled, compile_all(checked));
  const double compile_end = cpu_seconds();
  best.body_bytes = 0;
  for (const module::Body& body : checked.module().bodies) best.body_bytes += body.range.size_bytes();
  best.decode = std::min(best.decode, decode_end - start);
  best.validate = std::min(best.validate, validate_end - decode_end);
  best.compile = std::min(best.compile, compile_end - validate_end);
  return {};
}

int run(int argc, char** argv) {
  std::vector<std::uint8_t> bytes;
  if (argc < 2 || !read_file(argv[1], bytes)) {
    std::fprintf(stderr, "usage: bench_compile FILE [RUNS]\n");
    return 1;
  }
  const auto wire = std::make_shared<module::OwnedBytes>(std::move(bytes));
  const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  Best best;
  for (int i = 0; i < runs; ++i) {
    const base::Status status = run_once(wire, best);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", argv[1], status.error().message.c_str());
      return 1;
    }
  }
  const double megabytes = static_cast<double>(best.body_bytes) / 1e6;
  std::printf("module: %.1f MB, of which function bodies: %.1f MB\n", static_cast<double>(wire->bytes().size()) / 1e6,
              megabytes);
  std::printf("decode and check the module: %.3f s\n", best.decode);
  std::printf("validate bodies:  %7.3f s, %6.1f MB/s\n", best.validate, megabytes / best.validate);
  std::printf("baseline compile: %7.3f s, %6.1f MB/s (validation included), %.2f bytes of code per byte\n",
              best.compile, megabytes / best.compile, static_cast<double>(best.compiled.code_bytes) / megabytes / 1e6);
  if (best.compiled.unsupported > 0)
    std::printf("left out: %u functions, the first because of %s\n", best.compiled.unsupported,
                best.compiled.first_reason.c_str());
  return 0;
}

}  // namespace
}  // namespace heddle::bench

int main(int argc, char** argv) {
  return heddle::bench::run(argc, argv);
}
