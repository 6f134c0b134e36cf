// The stages in order: read -> decode -> check the module -> check bodies (or leave that to the compiler and a thread)
// -> ModuleCode, which compiles each function when it is first called.
#include "base/cpu_features.h"
#include "baseline/tier.h"
#include "binary/decoder.h"
#include "code/space.h"
#include "engine/background_validation.h"
#include "engine/cache_key.h"
#include "engine/engine.h"
#include "engine/known_start.h"
#include "engine/precompiled.h"
#include "engine/tier_loader.h"
#include "engine/tier_up.h"
#include "validate/checked.h"

namespace heddle::engine {
namespace {

// Measured: one thread checks 170 MB/s (68 MB of C++ in 0.4 s, -O2), so this much costs at most 0.8 ms of start-up; a
// thread of its own costs 0.05 ms and the other processor.
constexpr std::uint64_t kEagerValidationBytes = 128 << 10;

base::Result<module::CheckedModule> decode_and_check(const ModuleSource& source, spec::Features features) {
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(source.wire, features));
  return validate::check_module(std::move(decoded));
}

/// The same for a file that may not be what was noted of it: then it is read as a whole.
base::Result<module::CheckedModule> decode_and_check(ModuleSource& source, const Config& config) {
  auto checked = decode_and_check(source, config.features);
  if (source.known == nullptr || (checked.ok() && !source.known->failed())) return checked;
  if (config.cache->note) config.cache->note(source.file + " is not what its start was noted for");
  source.known = nullptr;
  source.version.reset();
  HEDDLE_TRY(read_module(std::string(source.file), config.features, source));
  return decode_and_check(source, config.features);
}

}  // namespace

std::string cache_settings(std::uint64_t module_bytes, const Config& config) {
  std::string settings = tier_identity();
  settings += ' ' + std::to_string(static_cast<int>(config.tier)) + ' ' + std::to_string(config.features.bits());
  return settings + (module_bytes <= config.eager_validation_bytes ? " eager" : " lazy");
}

cache::Key cache_key(base::Bytes wire, const Config& config) {
  return cache::key_of(wire, cache_settings(wire.size(), config));
}

Config::Config() : eager_validation_bytes(kEagerValidationBytes) {}

Engine::Engine(Config config)
    : config_(config), baseline_(std::make_unique<baseline::BaselineTier>()), tier_(baseline_.get()) {}
Engine::~Engine() = default;

base::Result<std::unique_ptr<Engine>> Engine::create(Config config) {
  if (!base::host_cpu_features().sse41)
    return base::Error{base::ErrorKind::unsupported, base::kNoOffset, "this processor lacks SSE4.1"};
  std::unique_ptr<Engine> engine(new Engine(config));
  HEDDLE_TRY(engine->make_observers());
  if (config.tier == TierChoice::llvm) {
    HEDDLE_TRY_ASSIGN(const abi::Tier* llvm, llvm_tier());
    engine->fallback_ = std::make_unique<Fallback>(*llvm, *engine->baseline_);
    engine->tier_ = engine->fallback_.get();
  }
  if (config.tier == TierChoice::auto_)
    engine->tier_up_ = TierUp::create({config.tier_threshold, config.tier_note, config.later}, *engine->tier_);
  return engine;
}

void Engine::start_tier_up() const {
  if (tier_up_ != nullptr) tier_up_->start();
}

void Engine::start_validation() const {
  std::vector<std::weak_ptr<BackgroundValidation>> waiting;
  {
    base::MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& one : waiting)
    if (const auto validation = one.lock()) validation->start();
}

base::Status Engine::make_observers() {
  if (config_.perf != PerfOutput::none) {
    HEDDLE_TRY_ASSIGN(perf_, config_.perf == PerfOutput::map ? observe::make_perf_map() : observe::make_jitdump());
    add_listener(*perf_);
  }
  if (config_.debug_info.value_or(observe::debugger_listens())) {
    debugger_ = std::make_unique<observe::DebuggerSupport>();
    add_listener(*debugger_);
  }
  if (config_.stats != StatsOutput::none) {
    stats_ = std::make_unique<observe::Stats>();
    add_listener(*stats_);
  }
  if (!config_.dump.functions.empty()) {
    dump_ = std::make_unique<observe::CodeDump>(config_.dump);
    add_listener(*dump_);
  }
  return {};
}

base::Status Engine::check_observers(const module::Module& m) const {
  const auto missing = dump_ == nullptr ? std::nullopt : dump_->missing_in(m);
  if (!missing) return {};
  return base::Error{base::ErrorKind::unsupported, base::kNoOffset,
                     "--dump-code: no function '" + *missing + "' is defined here; heddle print shows what there is"};
}

std::string Engine::stats_report() const {
  if (stats_ == nullptr) return {};
  observe::SampleCounts counts;
  if (tier_up_ != nullptr) counts = {tier_up_->stats().samples, tier_up_->stats().unsupported};
  return config_.stats == StatsOutput::json ? stats_->json(counts) : stats_->table(counts);
}

base::Result<std::shared_ptr<const LoadedModule>> Engine::load(ModuleSource source) const {
  auto loaded = std::make_shared<LoadedModule>();
  const bool precompiled = is_precompiled(source.wire->bytes());  // and checked wholly then
  if (precompiled) {
    HEDDLE_TRY_ASSIGN(loaded->cached, load_precompiled(source, config_, *tier_));
  }
  HEDDLE_TRY_ASSIGN(module::CheckedModule checked, decode_and_check(source, config_));
  HEDDLE_TRY(check_observers(checked.module()));
  const base::Bytes wire = source.wire->bytes();
  if (!precompiled && config_.cache) {
    std::vector<cache::Key> chunks;
    if (source.known == nullptr) chunks = cache::chunk_digests(wire);
    const cache::Key content =
        source.known != nullptr ? source.known->start().content : cache::content_of(wire.size(), chunks);
    const cache::Key key = cache::key_of(content, cache_settings(wire.size(), config_));
    loaded->cached = cache::CachedTier::open(*config_.cache, key, *tier_);
    loaded->start = StartNote::create(source, config_, content, std::move(chunks));
  }
  if (wire.size() > config_.eager_validation_bytes && !precompiled)
    loaded->validation = validate_in_background(checked, source);
  else if (loaded->cached == nullptr || !loaded->cached->is_known())  // else: an earlier run got past this line
    HEDDLE_TRY(validate::validate_bodies(checked, 1));
  const abi::Tier& tier = loaded->cached != nullptr ? *loaded->cached : *tier_;
  HEDDLE_TRY_ASSIGN(loaded->code, code::ModuleCode::create(std::move(checked), tier));
  for (code::Listener* listener : listeners_) loaded->code->add_listener(*listener);
  if (tier_up_ != nullptr) tier_up_->add(loaded->code);
  loaded->source = std::move(source);
  return std::shared_ptr<const LoadedModule>(std::move(loaded));
}

std::shared_ptr<BackgroundValidation> Engine::validate_in_background(const module::CheckedModule& m,
                                                                     const ModuleSource& source) const {
  const bool is_known = source.known != nullptr;
  const std::uint64_t valid = is_known ? source.known->start().valid_bodies : 0;
  auto validation = std::make_shared<BackgroundValidation>(m, static_cast<std::size_t>(valid));
  if (is_known && config_.later) {
    base::MutexLock lock(mutex_);
    waiting_.push_back(validation);
  } else {
    validation->start();
  }
  return validation;
}

base::Status validate_module(const ModuleSource& source, spec::Features features, unsigned threads) {
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(source.wire, features));
  HEDDLE_TRY(validate::validate_module(std::move(decoded), threads));
  return {};
}

}  // namespace heddle::engine
