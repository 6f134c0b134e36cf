#include "guest.h"

#include <atomic>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace heddle::wasi::test {

namespace {

/// Scratch areas of 32 KiB for up to 16 threads, in the upper half of the memory.
std::atomic<std::uint32_t> next_scratch{0};

}  // namespace

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_file(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

std::size_t host_fd_count() {
  std::size_t n = 0;
  DIR* dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++n;
  ::closedir(dir);
  return n;
}

Options Guest::with_folder(const std::string& host, bool read_only) {
  Options options;
  for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
  options.preopens.push_back({host, "/", read_only});
  return options;
}

Guest::Guest(Options options) {
  spec::MemType type;
  type.limits.min = kMemoryBytes / 65536;
  type.limits.max = kMemoryBytes / 65536;
  type.shared = true;
  auto memory = runtime::Memory::create(type, nullptr);
  HEDDLE_CHECK(memory.ok(), "the test's memory");
  memory_ = std::move(memory).value();
  auto context = Context::create(std::move(options));
  HEDDLE_CHECK(context.ok(), context.ok() ? "" : context.error().message.c_str());
  context_ = std::move(context).value();
  context_->set_direct_memory(&memory_->vm());
  for (const runtime::HostModule& module : preview1_modules())
    for (const runtime::HostModule::Function& function : module.functions)
      functions_.push_back({module.name, function.name, function.make(context_.get())});
}

GuestThread::GuestThread(Guest& guest, const char* module)
    : guest_(guest),
      store_(&guest.group(), nullptr, nullptr),
      objects_(store_),
      scratch_(kMemoryBytes / 2 + (next_scratch.fetch_add(1) % 16) * 32768) {
  for (const Guest::Function& f : guest.functions()) {
    if (f.module != module) continue;
    functions_[std::string(f.name)] = std::get<const abi::VmFuncRef*>(objects_.function(f.function).item);
  }
  HEDDLE_CHECK(guest.group().add_member(store_), "the group is running");
}

GuestThread::~GuestThread() {
  guest_.group().remove_member(store_);
}

Answer GuestThread::call_raw(const char* name, const std::vector<std::uint64_t>& args) {
  const auto found = functions_.find(std::string_view(name));
  HEDDLE_CHECK(found != functions_.end(), name);
  std::vector<abi::VmValue> params(args.size());
  for (std::size_t i = 0; i < args.size(); ++i) params[i].i64 = args[i];
  abi::VmValue result[1] = {};
  const std::size_t results = found->second->type->func.results.size();
  Answer answer;
  answer.status = store_.call(*found->second, params, std::span(result, results));
  answer.error = static_cast<Errno>(result[0].i32);
  return answer;
}

std::uint32_t GuestThread::text(std::string_view s, std::uint32_t slot) {
  const std::uint32_t at = scratch_ + 8192 + slot * 5120;
  std::memcpy(guest_.bytes(at), s.data(), s.size());
  return at;
}

Errno GuestThread::open(std::uint32_t dir, std::string_view path, std::uint32_t oflags, Rights base, std::uint32_t& fd,
                        std::uint32_t fdflags, std::uint32_t lookup) {
  const Errno e = call("path_open", dir, lookup, text(path), path.size(), oflags, base, kAllRights, fdflags, scratch_);
  if (e == Errno::success) fd = load<std::uint32_t>(scratch_);
  return e;
}

Errno GuestThread::write(std::uint32_t fd, std::string_view bytes, std::uint32_t* written) {
  store(scratch_, Iovec{text(bytes), static_cast<std::uint32_t>(bytes.size())});
  const Errno e = call("fd_write", fd, scratch_, 1, scratch_ + 8);
  if (written != nullptr) *written = load<std::uint32_t>(scratch_ + 8);
  return e;
}

Errno GuestThread::read(std::uint32_t fd, std::size_t size, std::string& bytes) {
  const std::uint32_t at = text("");
  store(scratch_, Iovec{at, static_cast<std::uint32_t>(size)});
  const Errno e = call("fd_read", fd, scratch_, 1, scratch_ + 8);
  bytes.clear();
  if (e == Errno::success)
    bytes.assign(reinterpret_cast<const char*>(guest_.bytes(at)), load<std::uint32_t>(scratch_ + 8));
  return e;
}

Errno GuestThread::path_call(const char* name, std::uint32_t dir, std::string_view path) {
  return call(name, dir, text(path), path.size());
}

Errno GuestThread::stat(std::uint32_t dir, std::string_view path, Filestat& out, std::uint32_t lookup) {
  const Errno e = call("path_filestat_get", dir, lookup, text(path), path.size(), scratch_);
  if (e == Errno::success) out = load<Filestat>(scratch_);
  return e;
}

Errno GuestThread::two_paths(const char* name, std::uint32_t old_dir, std::string_view old_path, std::uint32_t new_dir,
                             std::string_view new_path) {
  return call(name, old_dir, text(old_path), old_path.size(), new_dir, text(new_path, 1), new_path.size());
}

Errno GuestThread::symlink(std::string_view contents, std::uint32_t dir, std::string_view path) {
  return call("path_symlink", text(contents), contents.size(), dir, text(path, 1), path.size());
}

Errno GuestThread::link(std::uint32_t old_dir, std::uint32_t lookup, std::string_view old_path, std::uint32_t new_dir,
                        std::string_view new_path) {
  return call("path_link", old_dir, lookup, text(old_path), old_path.size(), new_dir, text(new_path, 1),
              new_path.size());
}

Errno GuestThread::set_times(std::uint32_t dir, std::string_view path, std::uint32_t lookup) {
  return call("path_filestat_set_times", dir, lookup, text(path), path.size(), 1'000'000'000, 2'000'000'000,
              kSetAtim | kSetMtim);
}

Errno GuestThread::readlink(std::uint32_t dir, std::string_view path, std::string& out) {
  const std::uint32_t buffer = text("", 1);
  const Errno e = call("path_readlink", dir, text(path), path.size(), buffer, 4096, scratch_);
  if (e == Errno::success)
    out.assign(reinterpret_cast<const char*>(guest_.bytes(buffer)), load<std::uint32_t>(scratch_));
  return e;
}

Errno GuestThread::list(std::uint32_t fd, std::set<std::string>& names, std::uint32_t buffer_bytes) {
  const std::uint32_t buffer = text("");
  std::uint64_t cookie = 0;
  for (;;) {
    const Errno e = call("fd_readdir", fd, buffer, buffer_bytes, cookie, scratch_);
    if (e != Errno::success) return e;
    const auto used = load<std::uint32_t>(scratch_);
    std::uint32_t at = 0;
    while (at + sizeof(Dirent) <= used) {
      const auto head = load<Dirent>(buffer + at);
      if (at + sizeof(Dirent) + head.namlen > used) break;
      names.emplace(reinterpret_cast<const char*>(guest_.bytes(buffer + at + sizeof(Dirent))), head.namlen);
      at += static_cast<std::uint32_t>(sizeof(Dirent)) + head.namlen;
      cookie = head.next;
    }
    if (used < buffer_bytes) return Errno::success;
  }
}

}  // namespace heddle::wasi::test
