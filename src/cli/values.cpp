#include "cli/values.h"

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace heddle::cli {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Powers of 1024 that a unit stands for, or -1.
int unit_power(std::string_view unit) {
  if (unit.empty() || unit == "b") return 0;
  constexpr std::string_view kUnits = "kmgt";
  const std::size_t at = kUnits.find(unit[0]);
  const std::string_view rest = unit.substr(1);
  if (at == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) return -1;
  return static_cast<int>(at) + 1;
}

double unit_ns(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1e9;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "m" || unit == "min") return 60e9;
  if (unit == "h") return 3600e9;
  return 0;
}

}  // namespace

base::Error usage_error(std::string message) {
  return {base::ErrorKind::unsupported, base::kNoOffset, std::move(message)};
}

base::Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto used = static_cast<std::size_t>(end - text.data());
  const int power = unit_power(lower(text.substr(used)));
  if (used == 0 || error != std::errc() || power < 0)
    return usage_error(quoted(text) + " is not a size (examples: 64M, 2GiB, 1048576)");
  if (number > std::numeric_limits<std::uint64_t>::max() >> (10 * power))
    return usage_error(quoted(text) + " is too large");
  return number << (10 * power);
}

base::Result<std::uint64_t> parse_duration(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  const double ns = number * unit_ns(end);
  if (end == copy.c_str() || !(ns >= 1 && ns < 9e18))
    return usage_error(quoted(text) + " is not a duration (examples: 10s, 500ms, 2m)");
  return static_cast<std::uint64_t>(ns);
}

base::Result<std::uint32_t> parse_count(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    return usage_error(quoted(text) + " is not a number from 1 to 4294967295");
  return number;
}

base::Result<bool> parse_switch(std::string_view text) {
  for (const char* yes : {"y", "yes", "true", "on", "1"})
    if (text == yes) return true;
  for (const char* no : {"n", "no", "false", "off", "0"})
    if (text == no) return false;
  return usage_error(quoted(text) + " is neither y nor n");
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (comma != 0) parts.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return parts;
}

bool set_feature(std::string_view name, bool on, spec::Features& features) {
  if (name == "shared-memory") name = "threads";
  if (name == "all" || name == "all-proposals") {
    features = on ? spec::Features::all() : spec::Features();
    return true;
  }
  for (unsigned i = 0; i < static_cast<unsigned>(spec::Feature::kCount); ++i) {
    const auto feature = static_cast<spec::Feature>(i);
    if (name != spec::feature_name(feature)) continue;
    features = on ? features.with(feature) : features.without(feature);
    return true;
  }
  return false;
}

base::Result<spec::Features> parse_features(std::string_view list, spec::Features features) {
  for (std::string_view item : split(list)) {
    const bool on = item[0] != '-';
    if (!on) item.remove_prefix(1);
    if (!set_feature(item, on, features)) return usage_error("unknown feature " + quoted(item));
  }
  return features;
}

}  // namespace heddle::cli
