// Precompiled files (`heddle compile`): a module with the code of its functions, made ahead of time, in one file.
//
//   eight bytes that say so | bytes of the module | the module | an entry as the cache has them (cache/entry.h)
//
// Its code cannot be checked, only that it is whole and made for this module, build and machine; so such a file is run
// only for those who say that they trust it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/span.h"
#include "engine/config.h"
#include "engine/module_source.h"

#include "cache/tier.h"

namespace heddle::engine {

/// How much of a module goes through the LLVM tier: nothing; what earlier runs found hot, or else what is likely to be
/// (hot_functions.h); everything.
enum class Effort : std::uint8_t { none, hot, all };

struct CompileOptions {
  Effort effort = Effort::hot;
  unsigned threads = 0;  ///< 0: one per processor
  /// Told how many of how many compilations are done, by one thread at a time. Empty: nobody is.
  std::function<void(std::size_t done, std::size_t of)> progress;
};

/// Validates the module wholly and writes it with its code to `path`, whole or not at all. Errors: as loading; io;
/// unsupported (there is no LLVM tier).
base::Status compile_ahead(const ModuleSource& source, const Config& config, const CompileOptions& options,
                           const std::string& path);

bool is_precompiled(base::Bytes file);

/// `source` has read such a file: puts the module in its place and gives the tier of its code. Errors: unsupported
/// (Config::allow_precompiled is not set, or it was made for something else), malformed, io.
base::Result<std::unique_ptr<cache::CachedTier>> load_precompiled(ModuleSource& source, const Config& config,
                                                                  const abi::Tier& next);

}  // namespace heddle::engine
