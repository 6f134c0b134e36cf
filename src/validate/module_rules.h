// The rules outside function bodies, in two parts: what lies before the code section in the binary, and what behind.
// check_module (checked.h) runs both; validate_module checks the bodies in between, so that the lowest offset wins.
#pragma once

#include "base/result.h"
#include "module/module.h"

namespace heddle::validate {

base::Status check_before_code(const module::Module& m);
/// Data segments. Relies on check_before_code.
base::Status check_after_code(const module::Module& m);

}  // namespace heddle::validate
