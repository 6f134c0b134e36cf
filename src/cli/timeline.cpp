// heddle timeline TRACE -o PAGE: one self-contained HTML page from what --trace-threads wrote.
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/timeline_page.h"
#include "cli/verbs.h"
#include "engine/module_source.h"

namespace heddle::cli {
namespace {

/// Inside <script>, "</" could end the element; JSON may spell it otherwise.
std::string for_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

bool is_trace(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() && parsed.contains("traceEvents") && parsed["traceEvents"].is_array();
}

}  // namespace

int timeline_main(int argc, char** argv) {
  TimelineArguments arguments;
  if (const auto code = parse_timeline(argc, argv, arguments)) return *code;
  std::string trace;
  const base::Status read = engine::read_file(arguments.file, trace);
  if (!read.ok()) return fail(arguments.file + ": " + read.error().message);
  if (!is_trace(trace)) return fail(arguments.file + ": not a trace as --trace-threads writes it");
  std::string page = kTimelinePage;
  const std::string place = "/*TRACE*/null";
  page.replace(page.find(place), place.size(), for_script(trace));
  std::FILE* out = std::fopen(arguments.page.c_str(), "we");
  bool ok = out != nullptr && std::fwrite(page.data(), 1, page.size(), out) == page.size();
  if (out != nullptr) ok = std::fclose(out) == 0 && ok;
  return ok ? 0 : fail(arguments.page + ": " + std::strerror(errno));
}

}  // namespace heddle::cli
