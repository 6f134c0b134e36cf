// Why guest code can trap. The text is what the specification's test suite expects and what users read.
#pragma once

#include <cstdint>

namespace heddle::spec {

/// Values are part of the ABI between generated code and runtime (trap sites, status results); 0 is "no trap".
enum class TrapCode : std::uint8_t {
  none = 0,
  unreachable,
  memory_out_of_bounds,
  table_out_of_bounds,
  undefined_element,      ///< call_indirect beyond the table
  uninitialized_element,  ///< call_indirect on a null entry
  indirect_call_type_mismatch,
  integer_divide_by_zero,
  integer_overflow,
  invalid_conversion_to_integer,
  unaligned_atomic,
  expected_shared_memory,
  call_stack_exhausted,
  null_function_reference,   ///< call_ref
  null_reference,            ///< ref.as_non_null
  null_exception_reference,  ///< throw_ref
  null_structure_reference,
  null_array_reference,
  null_i31_reference,
  array_out_of_bounds,
  cast_failure,
  uncaught_exception,     ///< reached the host; not a trap of the language, an outcome of ours
  host_trap,              ///< raised by a host function, with its own message
  invalid_function_body,  ///< lazily compiled body turned out invalid
  interrupted,            ///< the group ends: never shown to a user
  out_of_memory,          ///< a limit of ours, where the language has no other answer
  kCount,
};

/// "out of bounds memory access", ...: as the test suite spells it.
const char* trap_message(TrapCode code);

}  // namespace heddle::spec
