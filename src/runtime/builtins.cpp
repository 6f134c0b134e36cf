#include "runtime/builtins.h"

#include "module/canonical_type.h"

namespace heddle::runtime {

const void* const kBuiltins[static_cast<std::size_t>(abi::Builtin::kCount)] = {
#define BUILTIN(name, result, parameters) reinterpret_cast<const void*>(&heddle_builtin_##name),
#include "abi/builtins.def"
};

extern "C" std::uint32_t heddle_builtin_is_subtype(const module::CanonicalType* actual,
                                                   const module::CanonicalType* expected) {
  return module::is_subtype(actual, expected) ? 1 : 0;
}

}  // namespace heddle::runtime
