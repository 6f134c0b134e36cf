// fd_readdir: the buffer is filled as far as it goes; the last entry may be cut. A full buffer says "there is more".
#include <algorithm>
#include <utility>

#include "wasi/directory.h"
#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

namespace {

/// Copies as much as fits; returns how much that was.
u32 put_cut(std::uint8_t* to, u32 room, const void* from, std::size_t size) {
  const u32 n = std::min(room, static_cast<u32>(size));
  runtime::copy_to_guest(to, from, n);
  return n;
}

/// Fills [to, to + room). `used` == room if there is more. 0, -errno or kCancelled.
long fill(Call& call, u32 fd, DirectoryReader& reader, std::uint8_t* to, u32 room, u32& used) {
  used = 0;
  while (used < room) {
    DirectoryReader::Entry entry;
    const long result = reader.peek(call, fd, entry);
    if (result <= 0) return result;
    const std::size_t whole = sizeof entry.head + entry.head.namlen;
    const bool fits = whole <= room - used;
    used += put_cut(to + used, room - used, &entry.head, sizeof entry.head);
    used += put_cut(to + used, room - used, entry.name, entry.head.namlen);
    if (fits) reader.advance();
  }
  return 0;
}

}  // namespace

Errno fd_readdir(Call& call, u32 fd, u32 buffer, u32 size_bytes, u64 cookie, u32 used_at) {
  Opened opened = lookup_directory(call, fd, right(Right::fd_readdir), Change::reads);
  if (opened.error != Errno::success) return opened.error;
  std::uint8_t* to = call.memory().range(buffer, size_bytes);
  if (to == nullptr || !call.writable(used_at, 4)) return Errno::fault;
  int error = 0;
  std::unique_ptr<DirectoryReader> reader = DirectoryReader::borrow(*opened.file, error);
  if (reader == nullptr) return from_result(error);
  u32 used = 0;
  long result = reader->seek(cookie);
  if (result == 0) result = fill(call, fd, *reader, to, size_bytes, used);
  DirectoryReader::give_back(*opened.file, std::move(reader));
  // What was filled before an error is told first; the error comes again with the next call.
  if (result < 0 && used == 0) return from_result(result);
  return call.put(used_at, used);
}

}  // namespace heddle::wasi::handlers
