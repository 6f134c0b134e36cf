#include "scale/work.h"

#include <memory>
#include <variant>

#include "base/clock.h"
#include "baseline/tier.h"
#include "binary/decoder.h"
#include "validate/checked.h"

namespace heddle::bench {

base::Result<module::CheckedModule> decode_and_validate(std::vector<std::uint8_t> wire) {
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(std::make_shared<module::OwnedBytes>(std::move(wire)),
                                                        spec::Features::all()));
  return validate::validate_module(std::move(decoded), 1);
}

base::Result<Compiled> compile_all(const module::CheckedModule& m) {
  const baseline::BaselineTier tier;
  const abi::VmLayout layout(m.module());
  Compiled total;
  for (std::size_t f = m.module().imported_functions; f < m.module().functions.size(); ++f) {
    const abi::CompileResult result = tier.compile({m, layout, spec::FuncIndex(static_cast<std::uint32_t>(f))});
    if (const auto* error = std::get_if<base::Error>(&result)) return *error;
    if (const auto* artifact = std::get_if<abi::CodeArtifact>(&result)) total.code_bytes += artifact->code.size();
    if (const auto* unsupported = std::get_if<abi::Unsupported>(&result); unsupported != nullptr)
      if (total.unsupported++ == 0) total.first_reason = unsupported->reason;
  }
  return total;
}

double cpu_seconds() {
  return static_cast<double>(base::clock_ns(CLOCK_THREAD_CPUTIME_ID)) * 1e-9;
}

}  // namespace heddle::bench
