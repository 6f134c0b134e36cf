// Starts of large modules that earlier runs have noted (cache/start.h): the file is then neither read nor hashed nor
// decoded as a whole, and its bodies are not checked again.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/config.h"
#include "engine/module_source.h"

namespace heddle::engine {

/// read_module for whoever is going to load it: with Config::cache, a file that is known is read as it is needed.
base::Status read_module_to_run(const std::string& path, const Config& config, ModuleSource& source);

/// What to note of a module once its program has ended. Made before `source` goes; any thread may call keep().
class StartNote {
 public:
  /// nullptr: there is nothing to note of it. `content` stands for its bytes; `chunks`: their digests, unless it is
  /// known.
  static std::unique_ptr<const StartNote> create(const ModuleSource& source, const Config& config,
                                                 const cache::Key& content, std::vector<cache::Key> chunks);
  /// `valid_bodies`: so many, from the first, have been checked by now. Writes only if there is no note yet, or one
  /// that knows much less.
  void keep(const module::Module& m, std::uint64_t valid_bodies) const;

 private:
  cache::Options options_;
  std::shared_ptr<const cache::ModuleFile> known_;
  cache::Start start_;  ///< without bodies; without chunks, if it is known
  std::string settings_;
};

}  // namespace heddle::engine
