// CachedTier: keeps the code of a module's functions from run to run; the next tier makes what is not there. Once the
// program has ended, keep() writes what is new.
//
// What cannot be used (a group that is damaged, a record that is not for this module) is told once and counts as
// missing: keep() replaces it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "abi/tier.h"
#include "base/mutex.h"

#include "cache/entry.h"

namespace heddle::cache {

/// Told in a sentence what was not used or not written, and why. Any thread. Empty: nobody is.
using Note = std::function<void(const std::string&)>;

struct Options {
  std::string folder;  ///< Folder::default_path(), or a test's
  std::uint64_t size_bytes = std::uint64_t{1} << 30;
  bool sealed = Folder::needs_seal();
  Note note;
};

/// Code as it goes into the cache; borrowed.
struct Fresh {
  spec::FuncIndex func;
  const abi::CodeTables* tables;
  std::function<std::vector<std::uint8_t>()> code;
};

class CachedTier final : public abi::Tier {
 public:
  /// `next` is borrowed. nullptr, after a note, if there is no folder that can be trusted.
  static std::unique_ptr<CachedTier> open(const Options& options, const Key& key, const abi::Tier& next);

  /// With an entry from elsewhere, to which nothing is added.
  static std::unique_ptr<CachedTier> of(Entry entry, const Options& options, const Key& key, const abi::Tier& next);

  std::string_view name() const override { return next_.name(); }
  abi::CompileResult compile(const abi::CompileRequest& request) const override { return next_.compile(request); }
  std::vector<abi::CompileResult> compile_batch(std::span<const abi::CompileRequest> requests) const override {
    return next_.compile_batch(requests);
  }
  std::optional<abi::KeptCode> kept(const abi::CompileRequest& request) const override;

  /// There is an entry: this module ran before, to a normal end.
  bool is_known() const { return entry_.has_value(); }
  /// What earlier runs found hot. Ascending.
  std::vector<spec::FuncIndex> hot() const { return entry_ ? entry_->hot() : std::vector<spec::FuncIndex>(); }
  /// Whether keep() would add this function's code, made better or not.
  bool lacks(spec::FuncIndex func, bool improvable) const HEDDLE_EXCLUDES(mutex_);
  /// Adds what the entry lacks, if anything. `code` stands in the order of first use, as far as that is known. Any
  /// thread, once.
  void keep(const std::vector<Fresh>& code) const;

 private:
  CachedTier(const Options& options, const Key& key, const abi::Tier& next, std::optional<Folder> folder)
      : options_(options), key_(key), next_(next), folder_(std::move(folder)) {}
  void note(const std::string& sentence) const {
    if (options_.note) options_.note(sentence);
  }
  bool is_bad_group(std::uint32_t number) const HEDDLE_EXCLUDES(mutex_);
  void ignore_group(std::uint32_t number, const base::Error& why) const HEDDLE_EXCLUDES(mutex_);
  void ignore_record(spec::FuncIndex func) const HEDDLE_EXCLUDES(mutex_);
  std::vector<Piece> together(std::vector<Piece> fresh) const;

  const Options options_;
  const Key key_;
  const abi::Tier& next_;
  std::optional<Folder> folder_;
  std::optional<Entry> entry_;
  mutable base::Mutex mutex_;
  mutable std::set<std::uint32_t> bad_groups_ HEDDLE_GUARDED_BY(mutex_);
  mutable std::set<spec::FuncIndex> bad_records_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::cache
