// args_get, args_sizes_get, environ_get, environ_sizes_get.
#include <string>
#include <vector>

#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

namespace {

Errno put_sizes(Call& call, const std::vector<std::string>& strings, u32 count_at, u32 bytes_at) {
  std::uint64_t bytes = 0;
  for (const std::string& s : strings) bytes += s.size() + 1;
  if (bytes > UINT32_MAX) return Errno::overflow;
  if (!call.writable(count_at, 4) || !call.writable(bytes_at, 4)) return Errno::fault;
  if (const Errno e = call.put(count_at, static_cast<u32>(strings.size())); e != Errno::success) return e;
  return call.put(bytes_at, static_cast<u32>(bytes));
}

/// Pointers at `table`, the strings with their NULs one behind the other at `buffer`.
Errno put_strings(Call& call, const std::vector<std::string>& strings, u32 table, u32 buffer) {
  std::string all;
  std::vector<u32> pointers;
  pointers.reserve(strings.size());
  for (const std::string& s : strings) {
    pointers.push_back(buffer + static_cast<u32>(all.size()));
    all.append(s.c_str(), s.size() + 1);
  }
  std::uint8_t* table_to = call.memory().range(table, pointers.size() * 4);
  std::uint8_t* bytes_to = call.memory().range(buffer, all.size());
  if (table_to == nullptr || bytes_to == nullptr) return Errno::fault;
  runtime::copy_to_guest(bytes_to, all.data(), all.size());
  runtime::copy_to_guest(table_to, pointers.data(), pointers.size() * 4);
  return Errno::success;
}

}  // namespace

Errno args_get(Call& call, u32 table, u32 buffer) {
  return put_strings(call, call.context().options().args, table, buffer);
}
Errno args_sizes_get(Call& call, u32 count_at, u32 bytes_at) {
  return put_sizes(call, call.context().options().args, count_at, bytes_at);
}
Errno environ_get(Call& call, u32 table, u32 buffer) {
  return put_strings(call, call.context().options().environment, table, buffer);
}
Errno environ_sizes_get(Call& call, u32 count_at, u32 bytes_at) {
  return put_sizes(call, call.context().options().environment, count_at, bytes_at);
}

}  // namespace heddle::wasi::handlers
