// heddle cache path|list|clear, and what `run` needs to use it.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <string_view>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include "cache/folder.h"

namespace heddle::cli {
namespace {

std::string local_time(std::int64_t ns) {
  const std::time_t seconds = ns / 1'000'000'000;
  std::tm parts;
  char text[32];
  if (localtime_r(&seconds, &parts) == nullptr) return "?";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts)};
}

void print_list(const cache::Folder& folder) {
  std::uint64_t total = 0;
  const auto items = folder.list();
  for (const auto& item : items) {
    total += item.size_bytes;
    print(fmt::format("{:>12}  {}  {}\n", item.size_bytes, local_time(item.used_ns), item.name));
  }
  print(fmt::format("{:>12}  bytes in {} {}\n", total, items.size(), items.size() == 1 ? "entry" : "entries"));
}

/// A directory that the program may write to and that leads to the cache, or nullptr.
const wasi::Preopen* way_to(const cache::Folder& folder, const std::vector<wasi::Preopen>& preopens) {
  for (const wasi::Preopen& preopen : preopens)
    if (!preopen.read_only && folder.holds(preopen.host_path)) return &preopen;
  return nullptr;
}

}  // namespace

void set_up_cache(RunArguments& arguments) {
  const char* environment = std::getenv("HEDDLE_CODE_CACHE");
  if (!arguments.use_cache || (environment != nullptr && std::string_view(environment) == "off")) return;
  cache::Options options;
  options.folder = cache::Folder::default_path();
  options.size_bytes = arguments.cache_bytes;
  if (arguments.log_cache)
    options.note = [](const std::string& sentence) { print_error("heddle: cache: " + sentence + "\n"); };
  const auto& preopens = arguments.run.wasi.preopens;
  if (std::any_of(preopens.begin(), preopens.end(), [](const auto& preopen) { return !preopen.read_only; })) {
    const auto folder = cache::Folder::open(options.folder, options.sealed);
    const wasi::Preopen* way = folder.ok() ? way_to(*folder, preopens) : nullptr;
    if (way != nullptr) {
      if (options.note) options.note("not used: the program could write to it through --dir " + way->host_path);
      return;
    }
  }
  arguments.config.cache = std::move(options);
}

void use_default_cache(CompileArguments& arguments) {
  arguments.config.cache.emplace();
  arguments.config.cache->folder = cache::Folder::default_path();
}

int cache_main(int argc, char** argv) {
  CacheArguments arguments;
  if (const auto code = parse_cache(argc, argv, arguments)) return *code;
  const std::string path = cache::Folder::default_path();
  if (arguments.action == "path" && !path.empty()) {
    print(path + "\n");
    return 0;
  }
  const auto folder = cache::Folder::open(path, cache::Folder::needs_seal());
  if (!folder.ok()) return fail(folder.error().message);
  if (arguments.action == "clear")
    folder->evict(0);
  else
    print_list(*folder);
  return 0;
}

}  // namespace heddle::cli
