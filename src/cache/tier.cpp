#include "cache/tier.h"

#include <algorithm>

#include "cache/record.h"

namespace heddle::cache {

std::unique_ptr<CachedTier> CachedTier::open(const Options& options, const Key& key, const abi::Tier& next) {
  auto folder = Folder::open(options.folder, options.sealed);
  if (!folder.ok()) {
    if (options.note) options.note("not used: " + folder.error().message);
    return nullptr;
  }
  std::unique_ptr<CachedTier> tier(new CachedTier(options, key, next, std::move(*folder)));
  auto found = tier->folder_->find(hex(key) + kCodeSuffix);
  if (!found.ok()) {
    tier->note("entry ignored: " + found.error().message);
  } else if (found->file) {
    auto entry = Entry::read(std::move(found->file), {0, found->size_bytes}, key, found->seal);
    if (entry.ok())
      tier->entry_ = std::move(*entry);
    else
      tier->note("entry " + hex(key) + " ignored: " + entry.error().message);
  }
  return tier;
}

std::unique_ptr<CachedTier> CachedTier::of(Entry entry, const Options& options, const Key& key, const abi::Tier& next) {
  std::unique_ptr<CachedTier> tier(new CachedTier(options, key, next, std::nullopt));
  tier->entry_ = std::move(entry);
  return tier;
}

abi::CompileResult CachedTier::compile(const abi::CompileRequest& request) const {
  if (!entry_ || request.osr_loop || request.want_listing) return next_.compile(request);
  const auto found = entry_->find(request.func.value);
  if (!found) return next_.compile(request);
  if (found->ok()) {
    auto artifact = read_record(found->value().record, request.module.module(), request.func);
    if (artifact && artifact->improvable == found->value().improvable) {
      artifact->made_by = artifact->improvable ? "baseline, cached" : "llvm, cached";
      return std::move(*artifact);
    }
  }
  note("entry " + hex(key_) + ": function " + std::to_string(request.func.value) +
       " ignored: " + (found->ok() ? "its record is wrong" : found->error().message));
  {
    base::MutexLock lock(mutex_);
    unusable_.insert(request.func.value);
  }
  return next_.compile(request);
}

bool CachedTier::is_kept(const Fresh& fresh) const {
  base::MutexLock lock(mutex_);
  return entry_ && entry_->has(fresh.func.value, fresh.tables->improvable) && unusable_.count(fresh.func.value) == 0;
}

void CachedTier::keep(const std::vector<Fresh>& code) const {
  if (!folder_) return;
  Pieces pieces;
  for (const Fresh& fresh : code)
    if (!is_kept(fresh))
      pieces[fresh.func.value] = {write_record(fresh.code(), *fresh.tables), fresh.tables->improvable};
  if (pieces.empty()) return;
  if (entry_) pieces.merge(entry_->all());  // what is new stays
  const std::vector<std::uint8_t> bytes = Entry::write(key_, pieces);
  if (bytes.size() > options_.size_bytes) return note("not written: the code is larger than the cache may be");
  const base::Status written = folder_->write(hex(key_) + kCodeSuffix, bytes, Entry::sealed_bytes(pieces));
  if (!written.ok()) return note("not written: " + written.error().message);
  folder_->evict(options_.size_bytes);
}

}  // namespace heddle::cache
