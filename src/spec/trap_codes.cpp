#include "spec/trap_codes.h"

#include "base/check.h"

namespace heddle::spec {

const char* trap_message(TrapCode code) {
  switch (code) {
    case TrapCode::none: return "no trap";
    case TrapCode::unreachable: return "unreachable";
    case TrapCode::memory_out_of_bounds: return "out of bounds memory access";
    case TrapCode::table_out_of_bounds: return "out of bounds table access";
    case TrapCode::undefined_element: return "undefined element";
    case TrapCode::uninitialized_element: return "uninitialized element";
    case TrapCode::indirect_call_type_mismatch: return "indirect call type mismatch";
    case TrapCode::integer_divide_by_zero: return "integer divide by zero";
    case TrapCode::integer_overflow: return "integer overflow";
    case TrapCode::invalid_conversion_to_integer: return "invalid conversion to integer";
    case TrapCode::unaligned_atomic: return "unaligned atomic";
    case TrapCode::expected_shared_memory: return "expected shared memory";
    case TrapCode::call_stack_exhausted: return "call stack exhausted";
    case TrapCode::null_function_reference: return "null function reference";
    case TrapCode::null_reference: return "null reference";
    case TrapCode::null_exception_reference: return "null exception reference";
    case TrapCode::null_structure_reference: return "null structure reference";
    case TrapCode::null_array_reference: return "null array reference";
    case TrapCode::null_i31_reference: return "null i31 reference";
    case TrapCode::array_out_of_bounds: return "out of bounds array access";
    case TrapCode::cast_failure: return "cast failure";
    case TrapCode::uncaught_exception: return "uncaught exception";
    case TrapCode::host_trap: return "trap in a host function";
    case TrapCode::invalid_function_body: return "invalid function body";
    case TrapCode::interrupted: return "interrupted";
    case TrapCode::out_of_memory: return "out of memory";
    case TrapCode::kCount: break;
  }
  HEDDLE_UNREACHABLE("every trap code has a message");
}

}  // namespace heddle::spec
