#include "spec/features.h"

#include "base/check.h"

namespace heddle::spec {

const char* feature_name(Feature f) {
  switch (f) {
    case Feature::mvp: return "mvp";
    case Feature::sign_extension: return "sign-extension";
    case Feature::saturating_float: return "saturating-float-to-int";
    case Feature::bulk_memory: return "bulk-memory";
    case Feature::reference_types: return "reference-types";
    case Feature::multi_value: return "multi-value";
    case Feature::simd: return "simd";
    case Feature::relaxed_simd: return "relaxed-simd";
    case Feature::threads: return "threads";
    case Feature::tail_call: return "tail-call";
    case Feature::exceptions: return "exceptions";
    case Feature::legacy_exceptions: return "legacy-exceptions";
    case Feature::function_references: return "function-references";
    case Feature::gc: return "gc";
    case Feature::extended_const: return "extended-const";
    case Feature::multi_memory: return "multi-memory";
    case Feature::memory64: return "memory64";
    case Feature::wide_arithmetic: return "wide-arithmetic";
    case Feature::custom_page_sizes: return "custom-page-sizes";
    case Feature::kCount: break;
  }
  HEDDLE_UNREACHABLE("every feature has a name");
}

}  // namespace heddle::spec
