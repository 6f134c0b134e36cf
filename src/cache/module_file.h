// ModuleFile: the bytes of a module whose chunks' digests are known, read from its file when they are first needed.
// Each chunk is copied, checked against its digest and only then there: what was checked is what is used, whatever
// becomes of the file, which others may change while the program runs. A chunk that is not what it was is never there:
// failed() says so, and who needed it reports an error.
//
// A chunk's states, one atomic byte:
//   absent     nobody has needed it.
//   filling    one thread won absent -> filling (compare-exchange) and reads it; nobody else looks at its bytes.
//   there      filled and checked: stored with release after the bytes, read with acquire by whoever reads them.
//   lost       it was something else, or could not be read. Its bytes are zeros.
#pragma once

#include <atomic>
#include <memory>

#include "module/module.h"

#include "cache/start.h"

namespace heddle::cache {

class ModuleFile final : public module::WireBytes {
 public:
  /// nullptr: there is no address space for it. `start` is about this file.
  static std::shared_ptr<const ModuleFile> open(File file, std::shared_ptr<const Start> start);
  ~ModuleFile() override;

  const Start& start() const { return *start_; }
  std::optional<module::BodyPlaces> known_bodies() const override {
    return module::BodyPlaces{start_->bodies_begin, start_->bodies};
  }
  /// Not checked against the digests, only that the file still is the version that it was: contents of a data segment
  /// are the guest's own, nothing that is decoded, validated or compiled.
  bool copy_data(base::ByteRange range, std::uint8_t* to) const override;
  /// Something that was needed could not be had: the file was changed or cannot be read.
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  /// How much was read so far.
  std::uint64_t read_bytes() const { return read_bytes_.load(std::memory_order_relaxed); }

 private:
  enum class State : std::uint8_t { absent, filling, there, lost };

  ModuleFile(File file, std::shared_ptr<const Start> start, std::uint8_t* memory);
  bool fill(base::ByteRange range) const override;
  /// How many chunks from `begin` on, at most up to `end`, are ours to fill now.
  std::size_t claim(std::size_t begin, std::size_t end) const;
  void fill_chunks(std::size_t begin, std::size_t end) const;

  const File file_;
  const std::shared_ptr<const Start> start_;
  std::uint8_t* const memory_;
  mutable std::atomic<bool> failed_{false};             // alone: nothing else depends on it
  mutable std::atomic<std::uint64_t> read_bytes_{0};    // counter
  const std::unique_ptr<std::atomic<State>[]> states_;  // by chunk
};

}  // namespace heddle::cache
