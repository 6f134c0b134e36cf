// Words of the command line to values. Errors carry one sentence that quotes the word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/features.h"

namespace heddle::cli {

/// "512K", "64MiB", "2g", or plain bytes.
base::Result<std::uint64_t> parse_bytes(std::string_view text);
/// "1.5s", "200ms", "2m", or plain seconds; in nanoseconds.
base::Result<std::uint64_t> parse_duration(std::string_view text);
/// 1 or more.
base::Result<std::uint32_t> parse_count(std::string_view text);
/// y, yes, true, on, 1, or n, no, false, off, 0.
base::Result<bool> parse_switch(std::string_view text);
/// "simd,-threads,all": switches on, or off with a minus in front.
base::Result<spec::Features> parse_features(std::string_view list, spec::Features features);
/// Switches one feature by its name ("multi-memory"; "shared-memory" and "bulk-memory-opt" are parts of others). False
/// if there is none of that name.
bool set_feature(std::string_view name, bool on, spec::Features& features);
/// At commas; empty pieces are left out.
std::vector<std::string_view> split(std::string_view list);

/// A sentence about what the user typed.
base::Error usage_error(std::string message);

}  // namespace heddle::cli
