#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "cli/output.h"
#include "cli/values.h"
#include "cli/wasi_options.h"
#include "cli/wasmtime_options.h"

namespace heddle::cli {
namespace {

/// Runs the parser; what it says goes out in our words.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    std::vector<std::string> reversed;  // as CLI11 takes them
    for (int i = argc - 1; i > 0; --i) reversed.emplace_back(argv[i]);
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(error.what());
  }
  return std::nullopt;
}

using Values = std::vector<std::string>;
using Use = std::function<base::Status(const std::string&)>;

void use_or_throw(const char* name, const Use& use, const std::string& value) {
  const base::Status status = use(value);
  if (!status.ok()) throw CLI::ValidationError(name, status.error().message);
}

/// An option that may stand several times, one value each time.
void repeated(CLI::App& app, const char* name, const char* type, const char* help, Use use) {
  const auto use_all = [name, use = std::move(use)](const Values& values) {
    for (const std::string& value : values) use_or_throw(name, use, value);
  };
  app.add_option_function<Values>(name, use_all, help)->type_name(type)->allow_extra_args(false)->take_all();
}

/// An option whose last value counts.
void single(CLI::App& app, const char* name, const char* type, const char* help, Use use) {
  const auto use_last = [name, use = std::move(use)](const std::string& value) { use_or_throw(name, use, value); };
  app.add_option_function<std::string>(name, use_last, help)->type_name(type)->take_last();
}

/// Puts a parsed value where it belongs.
template <class T, class Parser>
Use into(T& place, Parser parser) {
  return [&place, parser](const std::string& text) -> base::Status {
    HEDDLE_TRY_ASSIGN(place, parser(text));
    return {};
  };
}

void add_features(CLI::App& app, const char* name, const char* help, engine::Config& config) {
  single(app, name, "LIST", help,
         into(config.features, [&config](const std::string& list) { return parse_features(list, config.features); }));
}

base::Result<engine::TierChoice> parse_tier(std::string_view text) {
  if (text == "auto") return engine::TierChoice::auto_;
  if (text == "baseline") return engine::TierChoice::baseline;
  if (text == "llvm") return engine::TierChoice::llvm;
  return usage_error("'" + std::string(text) + "' is none of auto, baseline, llvm");
}

/// Where all of --log's lines go out.
std::function<void(const std::string&)> log_lines(std::string topic) {
  return [topic = std::move(topic)](const std::string& sentence) {
    print_error("heddle: " + topic + ": " + sentence + "\n");
  };
}

/// `run`: nullptr where no program is run.
base::Status parse_log(std::string_view list, engine::Config& config, RunArguments* run) {
  while (!list.empty()) {
    const std::string_view topic = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), topic.size() + 1));
    if (topic == "tier")
      config.tier_note = log_lines("tier");
    else if (topic == "threads" && run != nullptr)
      run->run.thread_note = log_lines("threads");
    else if (topic == "cache" && run != nullptr)
      run->log_cache = true;
    else
      return usage_error("'" + std::string(topic) + "' is not " +
                         (run != nullptr ? "among cache, tier, threads" : "tier"));
  }
  return {};
}

base::Result<std::uint32_t> parse_threshold(std::string_view text) {
  if (text == "0") return std::uint32_t{0};
  return parse_count(text);
}

void add_tier(CLI::App& app, engine::Config& config, RunArguments* run) {
  single(app, "--tier", "TIER", "Compiler: auto, baseline or llvm", into(config.tier, parse_tier));
  single(app, "--tier-threshold", "N", "auto: samples that make a small function hot; 1: all functions are",
         into(config.tier_threshold, parse_threshold));
  single(app, "--log", "LIST",
         run != nullptr ? "Write what happens to standard error: cache,tier,threads"
                        : "Write what happens to standard error: tier",
         [&config, run](const std::string& list) { return parse_log(list, config, run); });
}

base::Result<engine::PerfOutput> parse_perf(std::string_view text) {
  if (text == "map") return engine::PerfOutput::map;
  if (text == "jitdump") return engine::PerfOutput::jitdump;
  return usage_error("'" + std::string(text) + "' is neither map nor jitdump");
}

base::Result<engine::StatsOutput> parse_stats(std::string_view text) {
  if (text == "true" || text == "table") return engine::StatsOutput::table;  // "true": no value is given
  if (text == "json") return engine::StatsOutput::json;
  return usage_error("'" + std::string(text) + "' is neither table nor json");
}

void add_observers(CLI::App& app, engine::Config& config) {
  // A flag, so that its value only stands behind '=': the word behind --stats is the file.
  const auto stats = std::make_shared<std::string>();
  const auto use_stats = [stats, &config](const std::string& text) {
    use_or_throw("--stats", into(config.stats, parse_stats), text);
  };
  app.add_flag("--stats", *stats,
               "Print what was compiled when, by which tier and in what time, at the end; --stats=json: for scripts")
      ->each(use_stats)
      ->take_last();
  single(app, "--perf", "map|jitdump", "Name the program's code for Linux's perf: /tmp/perf-PID.map or jit-PID.dump",
         into(config.perf, parse_perf));
  single(app, "--debug-info", "on|off",
         "Tell debuggers of the program's code, also those that attach later; default: if one has started heddle",
         [&config](const std::string& text) -> base::Status {
           HEDDLE_TRY_ASSIGN(config.debug_info, parse_switch(text));
           return {};
         });
  repeated(app, "--dump-code", "FUNC", "Write this function's code beside its wasm whenever it is made; name or index",
           [&config](const std::string& function) -> base::Status {
             config.dump.functions.push_back(function);
             config.dump.write = print_error;
             return {};
           });
}

base::Result<bool> parse_deadlock(std::string_view text) {
  if (text == "report") return true;
  if (text == "ignore") return false;
  return usage_error("'" + std::string(text) + "' is neither report nor ignore");
}

void add_limits(CLI::App& app, engine::RunOptions& run) {
  single(app, "--trace-threads", "FILE", "Write what the threads did and when, for Perfetto and heddle timeline",
         [&run](const std::string& text) -> base::Status {
           run.trace_file = text;
           return {};
         });
  single(app, "--deadlock", "report|ignore", "ignore: let a program wait in which every thread waits for ever",
         into(run.report_deadlock, parse_deadlock));
  single(app, "--timeout", "TIME", "End the program after this time, with exit code 124",
         into(run.timeout_ns, parse_duration));
  single(app, "--max-memory", "BYTES", "Most linear memory of all threads together",
         into(run.max_memory_bytes, parse_bytes));
  single(app, "--max-table,--max-table-entries", "N", "Most table entries of all threads together",
         into(run.max_table_entries, parse_bytes));
  single(app, "--max-threads", "N", "Most threads at one time, the first one included (default 16384)",
         into(run.max_threads, parse_count));
  single(app, "--thread-stack-size", "BYTES", "Native stack of each spawned thread (default 1M)",
         into(run.thread_stack_bytes, parse_bytes));
}

void add_wasmtime_options(CLI::App& app, RunArguments& out) {
  using Text = const std::string&;
  repeated(app, "-W,--wasm", "K[=V],...", "As Wasmtime's: threads, shared-memory, timeout=10s ...",
           [&out](Text text) { return apply_wasm_options(text, out); });
  repeated(app, "-D,--debug", "K[=V],...", "As Wasmtime's: debug-info",
           [&out](Text text) { return apply_debug_options(text, out); });
  repeated(app, "-S,--wasi", "K[=V],...", "As Wasmtime's: threads, inherit-env, tcplisten=ADDRESS ...",
           [&out](Text text) { return apply_wasi_options(text, out); });
  add_features(app, "--wasm-features", "As older Wasmtimes': the same as --features", out.config);
  repeated(app, "--wasi-modules", "LIST", "As older Wasmtimes': default, experimental-wasi-threads",
           [&out](Text text) { return apply_wasi_modules(text, out); });
}

Use take_inherited_listeners(wasi::Options& wasi) {
  return [&wasi](const std::string&) -> base::Status {
    HEDDLE_TRY_ASSIGN(wasi.sockets, inherited_listeners());
    return {};
  };
}

/// What the program gets to see of its host.
void add_wasi_options(CLI::App& app, RunArguments& out) {
  using Text = const std::string&;
  wasi::Options& wasi = out.run.wasi;
  repeated(app, "--dir", "HOST[::GUEST][:ro]",
           "Give the program a directory, under the name GUEST if given; ro: it may change nothing there",
           [&wasi](Text text) {
             wasi.preopens.push_back(parse_dir(text));
             return base::Status();
           });
  repeated(app, "--mapdir", "GUEST::HOST", "As older Wasmtimes': the same as --dir HOST::GUEST",
           [&wasi](Text text) -> base::Status {
             HEDDLE_TRY_ASSIGN(wasi::Preopen preopen, parse_mapdir(text));
             wasi.preopens.push_back(std::move(preopen));
             return {};
           });
  // Before --env: options take effect in the order of their definition, and what --env names wins.
  app.add_flag_callback(
      "--inherit-env", [&wasi] { inherit_environment(wasi.environment); }, "Pass the whole environment on");
  repeated(app, "--env", "K[=V]", "Set an environment variable; without '=' the host's value is passed on",
           [&wasi](Text text) { return add_environment(text, wasi.environment); });
  app.add_option("--argv0", out.argv0, "What the program takes for its own name")->type_name("NAME")->take_last();
  static constexpr const char* kStreams[] = {"--stdin", "--stdout", "--stderr"};
  for (std::size_t n = 0; n < 3; ++n)
    single(app, kStreams[n], "FILE|null", n == 0 ? "Read it from this file" : "Write it to this file",
           [&wasi, n](Text text) {
             wasi.stdio[n] = parse_stream(text);
             return base::Status();
           });
  single(app, "--cwd", "DIR", "Start in this directory: relative paths on the command line begin there",
         [](Text text) { return change_directory(text); });
  repeated(app, "--tcplisten", "HOST:PORT", "Give the program a listening socket, as descriptor behind the directories",
           [&wasi](Text text) {
             wasi.tcp_listen.push_back(text);
             return base::Status();
           });
  app.add_flag_callback(
      "--listenfd", [&wasi] { use_or_throw("--listenfd", take_inherited_listeners(wasi), ""); },
      "Give the program the listening sockets that were passed to this process (LISTEN_FDS), behind those");
  app.add_flag("--allow-escapes", wasi.allow_escapes,
               "Pass control sequences on to a terminal, instead of making them visible");
  single(app, "--max-open-files", "N", "Most descriptors at one time, streams and directories included (default 4096)",
         into(wasi.max_open_files, parse_count));
}

constexpr const char* kFeaturesHelp =
    "Switch features of the language on, or off with '-' in front: simd,-threads,all ...";

void add_run_options(CLI::App& app, RunArguments& out) {
  engine::RunOptions& run = out.run;
  add_wasi_options(app, out);
  add_limits(app, run);
  single(app, "--threads", "on|off", "off: refuse modules that import thread-spawn",
         into(run.allow_threads, parse_switch));
  app.add_flag("--allow-unknown-imports", run.allow_unknown_imports,
               "Unknown imported functions trap when they are called, instead of being refused at once");
  add_features(app, "--features", kFeaturesHelp, out.config);
  add_tier(app, out.config, &out);
  add_observers(app, out.config);
  single(app, "--cache", "on|off", "off: neither use nor keep compiled code (also: HEDDLE_CODE_CACHE=off)",
         into(out.use_cache, parse_switch));
  app.add_flag("--allow-precompiled", out.config.allow_precompiled,
               "Run a file that heddle compile has made: its code is not checked");
  single(app, "--cache-size", "BYTES", "Most that compiled code of all programs may take on disk (default 1G)",
         into(out.cache_bytes, parse_bytes));
  add_wasmtime_options(app, out);
}

std::string last_part(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::optional<int> parse_run(int argc, char** argv, RunArguments& out) {
  std::vector<std::string>& guest = out.run.wasi.args;
  if (argc > 1 && argv[1][0] != '-') {
    // No options: the usual case, which needs no parser.
    guest.assign(argv + 1, argv + argc);
  } else {
    CLI::App app("Runs a WASI program: heddle run [OPTIONS] FILE [ARGS...]", "heddle run");
    app.prefix_command();  // the first argument that is no option ends them
    add_run_options(app, out);
    if (const auto code = parse(app, argc, argv)) return code;
    guest = app.remaining();
    if (!guest.empty() && guest[0] == "--") guest.erase(guest.begin());
    if (guest.empty()) return fail("which file? Usage: heddle run [OPTIONS] FILE [ARGS...]");
    if (guest[0].size() > 1 && guest[0][0] == '-') return fail("unknown option " + guest[0]);
  }
  out.file = guest[0];
  guest[0] = out.argv0.empty() ? last_part(out.file) : out.argv0;
  return std::nullopt;
}

base::Result<engine::Effort> parse_effort(std::string_view text) {
  if (text == "none") return engine::Effort::none;
  if (text == "hot") return engine::Effort::hot;
  if (text == "all") return engine::Effort::all;
  return usage_error("'" + std::string(text) + "' is none of none, hot, all");
}

std::optional<int> parse_compile(int argc, char** argv, CompileArguments& out) {
  CLI::App app("Makes a module's code ahead of time, for this build on this machine", "heddle compile");
  app.add_option("FILE", out.file, "A WebAssembly module, binary or text")->required();
  app.add_option("-o,--output", out.output, "Write to this file; heddle run --allow-precompiled runs it")
      ->type_name("OUT")
      ->required();
  single(app, "--effort", "all|hot|none",
         "What the LLVM tier compiles: hot (default): what earlier runs found hot, or else what seems so",
         into(out.compile.effort, parse_effort));
  single(app, "-j,--jobs", "N", "So many threads (default: one per processor)", into(out.compile.threads, parse_count));
  add_features(app, "--features", kFeaturesHelp, out.config);
  return parse(app, argc, argv);
}

std::optional<int> parse_cache(int argc, char** argv, CacheArguments& out) {
  CLI::App app("The compiled code that earlier runs left", "heddle cache");
  app.add_option("ACTION", out.action, "path: where it is; list: what there is; clear: remove all of it")
      ->required()
      ->check(CLI::IsMember({"path", "list", "clear"}));
  return parse(app, argc, argv);
}

std::optional<int> parse_timeline(int argc, char** argv, TimelineArguments& out) {
  CLI::App app("Draws what heddle run --trace-threads wrote, as one HTML page", "heddle timeline");
  app.add_option("FILE", out.file, "The trace")->required();
  app.add_option("-o,--output", out.page, "The page to write")->required();
  return parse(app, argc, argv);
}

std::optional<int> parse_validate(int argc, char** argv, FileArguments& out) {
  CLI::App app("Checks modules without running them", "heddle validate");
  app.add_option("FILE", out.files, "WebAssembly modules, binary or text")->required();
  add_features(app, "--features", kFeaturesHelp, out.config);
  return parse(app, argc, argv);
}

std::optional<int> parse_inspect(int argc, char** argv, InspectArguments& out) {
  CLI::App app("Says what a module consists of and what it needs", "heddle inspect");
  app.add_option("FILE", out.file, "A WebAssembly module, binary or text")->required();
  app.add_flag("--json", out.json, "For programs: one JSON object");
  return parse(app, argc, argv);
}

std::optional<int> parse_print(int argc, char** argv, PrintArguments& out) {
  CLI::App app("Writes a module as text", "heddle print");
  app.add_option("FILE", out.file, "A WebAssembly module, binary or text")->required();
  app.add_option("-o,--output", out.output, "Write to this file instead of standard output")->type_name("OUT");
  app.add_flag("--custom-sections", out.custom_sections, "With custom sections, as (@custom ...)");
  return parse(app, argc, argv);
}

std::optional<int> parse_wast(int argc, char** argv, WastArguments& out) {
  CLI::App app("Executes the specification's test scripts", "heddle wast");
  app.add_option("FILE", out.files, "Scripts (.wast)")->required();
  app.add_option("--skip-lines", out.skipped_lines, "Leave out the commands that begin on these lines")->delimiter(',');
  add_features(app, "--features", kFeaturesHelp, out.config);
  add_tier(app, out.config, nullptr);
  return parse(app, argc, argv);
}

}  // namespace heddle::cli
