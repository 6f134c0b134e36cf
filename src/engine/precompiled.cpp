// Ahead of time: all functions in the baseline, in parallel, then those that are to be fast in the LLVM tier.
#include "engine/precompiled.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/processors.h"
#include "base/write_fully.h"
#include "baseline/tier.h"
#include "binary/decoder.h"
#include "engine/batch.h"
#include "engine/cache_key.h"
#include "engine/hot_functions.h"
#include "engine/precompiled_head.h"
#include "engine/tier_loader.h"
#include "validate/checked.h"

#include "cache/record.h"

namespace heddle::engine {
namespace {

/// Chosen: a 69 MB module takes 31 s of CPU time with it (bench/README.md); of most modules it is all there is.
constexpr std::uint64_t kHotBytes = 1 << 20;

/// Chosen: of bodies in a batch; less than a second in the LLVM tier, so that no thread is left with much at the end.
constexpr std::uint64_t kBatchBytes = 16 << 10;
constexpr std::size_t kBatchFunctions = 32;

/// Functions for any number of threads: `next` hands batches of them out, results have a place each.
class Compilation {
 public:
  Compilation(const module::CheckedModule& m, const CompileOptions& options)
      : module_(m), layout_(m.module()), options_(options), artifacts_(m.module().bodies.size()) {}

  /// Compiles `funcs` with `tier`, where it can. The error with the lowest offset.
  base::Status run(const abi::Tier& tier, std::vector<spec::FuncIndex> funcs);
  std::vector<cache::Piece> pieces() const {
    std::vector<cache::Piece> result;
    for (const auto& artifact : artifacts_)
      if (artifact)
        result.push_back({artifact->body.func(), artifact->improvable, cache::write_record(artifact->code, *artifact)});
    return result;
  }
  /// How many functions all calls of run() will compile.
  void announce(std::size_t total) { total_ = total; }

 private:
  static void* work(void* self);
  void make_batches();
  void compile_next();

  const module::CheckedModule& module_;
  const abi::VmLayout layout_;
  const CompileOptions& options_;
  const abi::Tier* tier_ = nullptr;
  std::vector<spec::FuncIndex> funcs_;
  std::vector<std::size_t> batch_ends_;  ///< in funcs_
  std::atomic<std::size_t> next_{0};     // counter
  std::vector<std::optional<abi::CodeArtifact>> artifacts_;
  std::size_t total_ = 0;

  base::Mutex mutex_;
  std::size_t done_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::optional<base::Error> error_ HEDDLE_GUARDED_BY(mutex_);
};

/// Splits `funcs_` where a batch is full.
void Compilation::make_batches() {
  batch_ends_.clear();
  for (std::size_t i = 0; i < funcs_.size();) {
    BatchBudget budget(kBatchBytes, kBatchFunctions);
    while (i < funcs_.size() && budget.take(module_.module(), funcs_[i])) ++i;
    batch_ends_.push_back(i);
  }
}

void Compilation::compile_next() {
  for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < batch_ends_.size();) {
    const std::size_t begin = i == 0 ? 0 : batch_ends_[i - 1], end = batch_ends_[i];
    std::vector<abi::CompileRequest> requests;
    for (std::size_t f = begin; f < end; ++f) requests.push_back({module_, layout_, funcs_[f]});
    std::vector<abi::CompileResult> results = tier_->compile_batch(requests);
    for (std::size_t f = begin; f < end; ++f)
      if (auto* artifact = std::get_if<abi::CodeArtifact>(&results[f - begin]))
        artifacts_[funcs_[f].value - module_.module().imported_functions] = std::move(*artifact);
    base::MutexLock lock(mutex_);
    for (const abi::CompileResult& result : results)
      if (const auto* error = std::get_if<base::Error>(&result))
        error_ = error_ ? base::earlier(*error_, *error) : *error;
    done_ += results.size();
    if (options_.progress) options_.progress(done_, total_);
  }
}

void* Compilation::work(void* self) {
  static_cast<Compilation*>(self)->compile_next();
  return nullptr;
}

base::Status Compilation::run(const abi::Tier& tier, std::vector<spec::FuncIndex> funcs) {
  tier_ = &tier;
  funcs_ = std::move(funcs);
  make_batches();
  next_.store(0, std::memory_order_relaxed);
  const unsigned threads = options_.threads != 0 ? options_.threads : base::usable_processors();
  std::vector<pthread_t> helpers;
  // A thread that the machine refuses is no error: this one does what is left.
  for (unsigned i = 1; i < threads && i < batch_ends_.size(); ++i) {
    pthread_t helper;
    if (pthread_create(&helper, nullptr, &work, this) == 0) helpers.push_back(helper);
  }
  compile_next();
  for (const pthread_t helper : helpers) pthread_join(helper, nullptr);
  base::MutexLock lock(mutex_);
  if (error_) return *error_;
  return {};
}

std::vector<spec::FuncIndex> all_functions(const module::Module& m) {
  std::vector<spec::FuncIndex> all;
  for (std::size_t f = m.imported_functions; f < m.functions.size(); ++f) all.emplace_back(f);
  return all;
}

/// What runs found hot, if the cache knows of any; else what is likely to be.
std::vector<spec::FuncIndex> hot_functions(const module::Module& m, const Config& config, const cache::Key& key,
                                           const abi::Tier& tier) {
  std::vector<spec::FuncIndex> proved;
  if (config.cache)
    if (const auto earlier = cache::CachedTier::open(*config.cache, key, tier)) proved = earlier->hot();
  std::erase_if(proved, [&m](spec::FuncIndex f) { return f.value >= m.functions.size() || m.is_imported(f); });
  return proved.empty() ? likely_hot(m, kHotBytes) : proved;
}

base::Error io_error(const std::string& path) {
  return {base::ErrorKind::io, base::kNoOffset, fmt::format("{}: {}", path, std::strerror(errno))};
}

/// Under another name first, so that nobody ever sees half of it.
base::Status write_whole(const std::string& path, std::initializer_list<base::Bytes> parts) {
  const std::string unfinished = fmt::format("{}.{}.new", path, getpid());
  const int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return io_error(path);
  bool done = std::all_of(parts.begin(), parts.end(), [fd](base::Bytes part) { return base::write_fully(fd, part); });
  done = (close(fd) == 0) && done && rename(unfinished.c_str(), path.c_str()) == 0;
  base::Status status = done ? base::Status() : base::Status(io_error(path));
  if (!done) unlink(unfinished.c_str());
  return status;
}

}  // namespace

base::Status compile_ahead(const ModuleSource& source, const Config& config, const CompileOptions& options,
                           const std::string& path) {
  const base::Bytes wire = source.wire->bytes();
  HEDDLE_TRY_ASSIGN(auto decoded, binary::decode_module(source.wire, config.features));
  HEDDLE_TRY_ASSIGN(const module::CheckedModule checked, validate::check_module(std::move(decoded)));
  const cache::Key key = cache_key(wire, config);
  const baseline::BaselineTier baseline;
  std::vector<spec::FuncIndex> all = all_functions(checked.module()), fast;
  if (options.effort == Effort::all) fast = all;
  if (options.effort == Effort::hot) fast = hot_functions(checked.module(), config, key, baseline);

  Compilation compilation(checked, options);
  compilation.announce(all.size() + fast.size());
  HEDDLE_TRY(compilation.run(baseline, std::move(all)));
  if (!fast.empty()) {
    HEDDLE_TRY_ASSIGN(const abi::Tier* llvm, llvm_tier());
    HEDDLE_TRY(compilation.run(*llvm, std::move(fast)));
  }
  const std::uint64_t module_bytes = wire.size();
  const std::vector<std::uint8_t> entry = cache::Entry::write(key, compilation.pieces(), cache::Order::none);
  return write_whole(path, {base::raw_bytes(kPrecompiledMagic), base::raw_bytes(module_bytes), wire, entry});
}

bool is_precompiled(base::Bytes file) {
  return precompiled_module_bytes(file).has_value();
}

base::Result<std::unique_ptr<cache::CachedTier>> load_precompiled(ModuleSource& source, const Config& config,
                                                                  const abi::Tier& next) {
  if (!config.allow_precompiled)
    return base::Error{base::ErrorKind::unsupported, base::kNoOffset,
                       "this is precompiled code, which nobody can check; --allow-precompiled runs it if you trust it"};
  const base::Bytes file = source.wire->bytes();
  const std::uint64_t module_bytes = precompiled_module_bytes(file).value_or(0);
  if (module_bytes > file.size() - kPrecompiledHeadBytes)
    return base::Error{base::ErrorKind::malformed, base::kNoOffset, "this precompiled file is cut off"};
  const base::Bytes wire = file.subspan(kPrecompiledHeadBytes, static_cast<std::size_t>(module_bytes));
  cache::File descriptor(open(source.file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!descriptor || fstat(descriptor.get(), &status) != 0) return io_error(source.file);
  const std::uint64_t entry_begin = kPrecompiledHeadBytes + module_bytes;
  const cache::Key key = cache_key(wire, config);
  auto entry = cache::Entry::read(
      std::move(descriptor), {entry_begin, std::max(entry_begin, static_cast<std::uint64_t>(status.st_size))}, key);
  if (!entry.ok())
    return base::Error{
        base::ErrorKind::unsupported, base::kNoOffset,
        "this precompiled file is damaged, or was made by another heddle, on another machine or for other "
        "settings; compile the module again"};
  source.wire = std::make_shared<module::PartOfBytes>(source.wire, wire);
  return cache::CachedTier::of(std::move(*entry), config.cache.value_or(cache::Options()), key, next);
}

}  // namespace heddle::engine
