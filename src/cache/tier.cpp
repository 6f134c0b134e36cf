#include "cache/tier.h"

#include <map>

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

std::optional<abi::KeptCode> CachedTier::kept(const abi::CompileRequest& request) const {
  const auto number = entry_ ? entry_->group_of(request.func) : std::nullopt;
  if (!number || is_bad_group(*number)) return std::nullopt;
  auto group = entry_->read_group(*number);
  if (!group.ok()) {
    ignore_group(*number, group.error());
    return std::nullopt;
  }
  abi::KeptCode code;
  code.pieces.reserve(group->records.size());
  bool has_it = false;
  for (const Entry::Group::Record& record : group->records) {
    auto piece = read_record(record.bytes, request.module.module(), record.func);
    if (!piece || piece->improvable != record.improvable) {
      ignore_record(record.func);
      continue;
    }
    piece->made_by = piece->improvable ? "baseline, cached" : "llvm, cached";
    has_it = has_it || record.func == request.func;
    code.pieces.push_back(std::move(*piece));
  }
  if (!has_it) return std::nullopt;
  code.memory = std::move(group->memory);
  return code;
}

bool CachedTier::is_bad_group(std::uint32_t number) const {
  base::MutexLock lock(mutex_);
  return bad_groups_.contains(number);
}

void CachedTier::ignore_group(std::uint32_t number, const base::Error& why) const {
  {
    base::MutexLock lock(mutex_);
    if (!bad_groups_.insert(number).second) return;
  }
  note("entry " + hex(key_) + ": group " + std::to_string(number) + " ignored: " + why.message);
}

void CachedTier::ignore_record(spec::FuncIndex func) const {
  {
    base::MutexLock lock(mutex_);
    if (!bad_records_.insert(func).second) return;
  }
  note("entry " + hex(key_) + ": function " + std::to_string(func.value) + " ignored: its record is wrong");
}

bool CachedTier::lacks(spec::FuncIndex func, bool improvable) const {
  if (!entry_ || !entry_->has(func, improvable)) return true;
  base::MutexLock lock(mutex_);
  return bad_records_.contains(func) || (!bad_groups_.empty() && bad_groups_.contains(*entry_->group_of(func)));
}

/// What the entry has, with `fresh` in its places; what is new, behind it.
std::vector<Piece> CachedTier::together(std::vector<Piece> fresh) const {
  std::vector<Piece> pieces = entry_ ? entry_->all() : std::vector<Piece>();
  std::map<spec::FuncIndex, std::size_t> places;
  for (std::size_t i = 0; i < pieces.size(); ++i) places.emplace(pieces[i].func, i);
  for (Piece& piece : fresh) {
    const auto known = places.find(piece.func);
    if (known == places.end())
      pieces.push_back(std::move(piece));
    else
      pieces[known->second] = std::move(piece);
  }
  return pieces;
}

void CachedTier::keep(const std::vector<Fresh>& code) const {
  if (!folder_) return;
  std::vector<Piece> fresh;
  for (const Fresh& f : code)
    if (lacks(f.func, f.tables->improvable))
      fresh.push_back({f.func, f.tables->improvable, write_record(f.code(), *f.tables)});
  if (fresh.empty()) return;
  const std::vector<std::uint8_t> bytes = Entry::write(key_, together(std::move(fresh)), Order::by_use);
  if (bytes.size() > options_.size_bytes) return note("not written: the code is larger than the cache may be");
  const base::Status written = folder_->write(hex(key_) + kCodeSuffix, bytes, Entry::sealed_bytes(bytes));
  if (!written.ok()) return note("not written: " + written.error().message);
  folder_->evict(options_.size_bytes);
}

}  // namespace heddle::cache
