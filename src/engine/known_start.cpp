#include "engine/known_start.h"

#include <fcntl.h>

#include "engine/cache_key.h"

namespace heddle::engine {
namespace {

/// Chosen: a note is written anew at most so often until all bodies are known to be valid.
constexpr std::uint64_t kSteps = 8;

void note(const cache::Options& options, const std::string& sentence) {
  if (options.note) options.note(sentence);
}

/// The file as its note says it is; nullptr: there is no note of this version, or none that can be used.
std::shared_ptr<const cache::ModuleFile> find(const std::string& path, const Config& config) {
  // Not blocking: read_module waits for a fifo's writer, once.
  cache::File file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return nullptr;
  const auto version = cache::version_of(file);
  if (!version || version->size_bytes < kLargeModuleBytes) return nullptr;
  const auto folder = cache::Folder::open(config.cache->folder, config.cache->sealed);
  if (!folder.ok()) return nullptr;  // CachedTier::open says why
  const cache::Key name = cache::start_name(*version, cache_settings(version->size_bytes, config));
  const std::string file_name = cache::hex(name) + cache::kStartSuffix;
  const auto found = folder->find(file_name);
  if (!found.ok()) {
    note(*config.cache, "start ignored: " + found.error().message);
    return nullptr;
  }
  if (!found->file) return nullptr;
  auto start = cache::read_start(*found, name);
  if (!start.ok()) {
    note(*config.cache, "start " + file_name + " ignored: " + start.error().message);
    return nullptr;
  }
  if (start->version != *version) {
    note(*config.cache, path + " has changed since its start was noted");
    return nullptr;
  }
  note(*config.cache, path + " starts from what was noted of it");
  return cache::ModuleFile::open(std::move(file), std::make_shared<const cache::Start>(std::move(*start)));
}

}  // namespace

base::Status read_module_to_run(const std::string& path, const Config& config, ModuleSource& source) {
  if (config.cache) source.known = find(path, config);
  if (source.known == nullptr) return read_module(path, config.features, source);
  source.file = path;
  source.wire = source.known;
  source.version = source.known->start().version;
  return {};
}

std::unique_ptr<const StartNote> StartNote::create(const ModuleSource& source, const Config& config,
                                                   const cache::Key& content, std::vector<cache::Key> chunks) {
  if (!config.cache || !source.version || source.version->size_bytes > UINT32_MAX) return nullptr;
  auto result = std::make_unique<StartNote>();
  result->options_ = *config.cache;
  result->settings_ = cache_settings(source.version->size_bytes, config);
  result->known_ = source.known;
  result->start_.version = *source.version;
  if (source.known != nullptr) result->start_.valid_bodies = source.known->start().valid_bodies;
  result->start_.content = content;
  result->start_.chunks = std::move(chunks);
  return result;
}

void StartNote::keep(const module::Module& m, std::uint64_t valid_bodies) const {
  const std::uint64_t new_bodies = valid_bodies - start_.valid_bodies;
  if (known_ != nullptr &&
      (new_bodies == 0 || (valid_bodies < m.bodies.size() && new_bodies < m.bodies.size() / kSteps)))
    return;
  const auto folder = cache::Folder::open(options_.folder, options_.sealed);
  if (!folder.ok()) return;
  cache::Start start = start_;
  start.valid_bodies = valid_bodies;
  if (known_ != nullptr) start.chunks = known_->start().chunks;
  start.set_bodies(m.bodies);
  const cache::Key name = cache::start_name(start.version, settings_);
  const auto bytes = cache::write_start(name, start);
  const base::Status written = folder->write(cache::hex(name) + cache::kStartSuffix, bytes, cache::sealed_bytes(start));
  if (!written.ok()) return note(options_, "start not noted: " + written.error().message);
  folder->evict(options_.size_bytes);
}

}  // namespace heddle::engine
