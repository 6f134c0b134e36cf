// The command line's options as plain data. options.cpp is the only file that knows the parsing library (and that is
// compiled with exceptions).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/precompiled.h"

namespace heddle::cli {

struct RunArguments {
  engine::Config config;
  engine::RunOptions run;  ///< run.wasi.args[0] is `argv0`, or else the last part of `file`
  std::string file;
  std::string argv0;
  bool use_cache = true;
  bool log_cache = false;
  std::uint64_t cache_bytes = std::uint64_t{1} << 30;
};

/// argv[0] is the verb. Options end at the first argument that is none: FILE; the rest is the guest's. Returns the exit
/// code if there is nothing more to do (help, or an error that has been printed).
std::optional<int> parse_run(int argc, char** argv, RunArguments& out);

struct CompileArguments {
  engine::Config config;
  engine::CompileOptions compile;
  std::string file;
  std::string output;
};

std::optional<int> parse_compile(int argc, char** argv, CompileArguments& out);

struct CacheArguments {
  std::string action;  ///< path, list or clear
};

std::optional<int> parse_cache(int argc, char** argv, CacheArguments& out);

struct FileArguments {
  engine::Config config;
  std::vector<std::string> files;
};

struct TimelineArguments {
  std::string file;
  std::string page;
};

std::optional<int> parse_timeline(int argc, char** argv, TimelineArguments& out);
std::optional<int> parse_validate(int argc, char** argv, FileArguments& out);

struct WastArguments : FileArguments {
  std::vector<std::uint32_t> skipped_lines;
};

std::optional<int> parse_wast(int argc, char** argv, WastArguments& out);

struct InspectArguments {
  std::string file;
  bool json = false;
};

std::optional<int> parse_inspect(int argc, char** argv, InspectArguments& out);

struct PrintArguments {
  std::string file;
  std::string output;  ///< empty: standard output
  bool custom_sections = false;
};

std::optional<int> parse_print(int argc, char** argv, PrintArguments& out);

}  // namespace heddle::cli
