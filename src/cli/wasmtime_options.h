// The options by which Wasmtime users switch things on and off, so that they need to replace only the first word of
// their command line: -W/--wasm, -S/--wasi, -D/--debug, and the older --wasm-features and --wasi-modules. What we do
// not have is refused by name, never ignored. https://docs.wasmtime.dev/cli-options.html
#pragma once

#include <string_view>

#include "cli/options.h"

namespace heddle::cli {

/// "threads=y,shared-memory,timeout=10s".
base::Status apply_wasm_options(std::string_view list, RunArguments& out);
/// "threads=y,cli,inherit-env".
base::Status apply_wasi_options(std::string_view list, RunArguments& out);
/// "debug-info".
base::Status apply_debug_options(std::string_view list, RunArguments& out);
/// "default,experimental-wasi-threads,-wasi-common".
base::Status apply_wasi_modules(std::string_view list, RunArguments& out);

}  // namespace heddle::cli
