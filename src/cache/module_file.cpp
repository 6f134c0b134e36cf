#include "cache/module_file.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

namespace heddle::cache {
namespace {

/// Chosen: what two threads that read one range take in turns.
constexpr std::size_t kChunksAtOnce = 16;

}  // namespace

std::shared_ptr<const ModuleFile> ModuleFile::open(File file, std::shared_ptr<const Start> start) {
  const auto size_bytes = static_cast<std::size_t>(start->version.size_bytes);
  void* memory = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  return std::shared_ptr<const ModuleFile>(
      new ModuleFile(std::move(file), std::move(start), static_cast<std::uint8_t*>(memory)));
}

ModuleFile::ModuleFile(File file, std::shared_ptr<const Start> start, std::uint8_t* memory)
    : file_(std::move(file)),
      start_(std::move(start)),
      memory_(memory),
      states_(new std::atomic<State>[start_->chunks.size()]()) {
  bytes_ = base::Bytes(memory_, static_cast<std::size_t>(start_->version.size_bytes));
  complete_ = false;
}

ModuleFile::~ModuleFile() {
  munmap(memory_, bytes_.size());
}

bool ModuleFile::copy_data(base::ByteRange range, std::uint8_t* to) const {
  return file_.read_at(to, static_cast<std::size_t>(range.size_bytes()), range.begin) &&
         version_of(file_) == start_->version;
}

bool ModuleFile::fill(base::ByteRange range) const {
  if (range.begin >= range.end) return true;
  const std::size_t begin = range.begin / kChunkBytes, end = (range.end - 1) / kChunkBytes + 1;
  for (std::size_t chunk = begin; chunk < end;) {
    const std::size_t ours = claim(chunk, std::min(end, chunk + kChunksAtOnce));
    if (ours != 0) fill_chunks(chunk, chunk + ours);
    chunk += std::max<std::size_t>(ours, 1);
  }
  for (std::size_t chunk = begin; chunk < end; ++chunk) {
    State state;
    while ((state = states_[chunk].load(std::memory_order_acquire)) == State::filling)
      states_[chunk].wait(State::filling, std::memory_order_acquire);
    if (state != State::there) return false;
  }
  return true;
}

std::size_t ModuleFile::claim(std::size_t begin, std::size_t end) const {
  std::size_t at = begin;
  for (; at < end; ++at) {
    State expected = State::absent;
    if (!states_[at].compare_exchange_strong(expected, State::filling, std::memory_order_relaxed)) break;
  }
  return at - begin;
}

void ModuleFile::fill_chunks(std::size_t begin, std::size_t end) const {
  const std::size_t from = begin * kChunkBytes, to = std::min(end * kChunkBytes, bytes_.size());
  const bool is_read = file_.read_at(memory_ + from, to - from, from);
  read_bytes_.fetch_add(to - from, std::memory_order_relaxed);
  for (std::size_t chunk = begin; chunk < end; ++chunk) {
    const std::size_t at = chunk * kChunkBytes, size = std::min(kChunkBytes, to - at);
    const bool good = is_read && base::Sha256::of(bytes_.subspan(at, size)) == start_->chunks[chunk];
    if (!good) {
      std::memset(memory_ + at, 0, size);
      failed_.store(true, std::memory_order_relaxed);
    }
    states_[chunk].store(good ? State::there : State::lost, std::memory_order_release);
    states_[chunk].notify_all();
  }
}

}  // namespace heddle::cache
