#include "wasi/context.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <set>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wasi/fd_table.h"
#include "wasi/open_file.h"
#include "wasi/sandbox_path.h"
#include "wasi/terminal_filter.h"

namespace heddle::wasi {

namespace {

base::Error io_error(std::string_view what, std::string_view name, int host_errno) {
  return {base::ErrorKind::io, base::kNoOffset, fmt::format("{} \"{}\": {}", what, name, std::strerror(host_errno))};
}

/// Rights that the descriptor's access mode takes away.
Rights denied_by_mode(int fd) {
  const int mode = ::fcntl(fd, F_GETFL);
  if (mode < 0) return 0;
  const Rights writing = rights(Right::fd_write, Right::fd_allocate, Right::fd_filestat_set_size);
  if ((mode & O_ACCMODE) == O_RDONLY) return writing;
  if ((mode & O_ACCMODE) == O_WRONLY) return right(Right::fd_read);
  return 0;
}

/// Puts an opened descriptor into the table, where `number` says.
base::Status adopt(FdTable& files, std::unique_ptr<OpenFile> file, std::string_view name) {
  if (const int error = classify(*file); error < 0) return io_error("cannot use", name, -error);
  file->base = rights_for(file->kind) & ~denied_by_mode(file->host());
  file->inheriting = file->kind == OpenFile::Kind::directory  ? kAllRights
                     : file->kind == OpenFile::Kind::listener ? kConnectionRights
                                                              : 0;
  std::uint32_t fd = 0;
  if (files.insert(std::move(file), fd) != Errno::success)
    return base::Error{base::ErrorKind::limit, base::kNoOffset,
                       fmt::format("no descriptor is left for \"{}\" (max_open_files)", name)};
  return {};
}

base::Result<HostFd> duplicate(int fd, std::string_view name) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return io_error("cannot use", name, errno);
  return HostFd(copy);
}

base::Result<HostFd> open_host(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd < 0) return io_error("cannot open", path, errno);
  return HostFd(fd);
}

base::Result<HostFd> memory_file(const std::string& bytes) {
  HostFd fd(::memfd_create("stdin", MFD_CLOEXEC));
  if (!fd.valid()) return io_error("cannot hold", "stdin", errno);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (n < 0) return io_error("cannot hold", "stdin", errno);
    at += static_cast<std::size_t>(n);
  }
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return io_error("cannot hold", "stdin", errno);
  return fd;
}

/// "HOST:PORT" or "[V6]:PORT".
base::Result<HostFd> listen_on(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos)
    return base::Error{base::ErrorKind::io, base::kNoOffset,
                       fmt::format("cannot listen on \"{}\": expected HOST:PORT", address)};
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string port = address.substr(colon + 1);
  // getaddrinfo would take 65536 for 0.
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::strtoul(port.c_str(), nullptr, 10) > 65535)
    return base::Error{base::ErrorKind::io, base::kNoOffset,
                       fmt::format("cannot listen on \"{}\": the port is no number up to 65535", address)};
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found); error != 0)
    return base::Error{base::ErrorKind::io, base::kNoOffset,
                       fmt::format("cannot listen on \"{}\": {}", address, ::gai_strerror(error))};
  HostFd fd(::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol));
  const int yes = 1;
  int failed = 0;
  if (!fd.valid() || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd.get(), SOMAXCONN) != 0)
    failed = errno;
  ::freeaddrinfo(found);
  if (failed != 0) return io_error("cannot listen on", address, failed);
  return fd;
}

base::Result<HostFd> open_stream(const Stream& stream, int number, bool& shared) {
  static constexpr const char* kNames[] = {"stdin", "stdout", "stderr"};
  const int flags = number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
  shared = stream.kind == Stream::Kind::inherit || stream.kind == Stream::Kind::descriptor;
  switch (stream.kind) {
    case Stream::Kind::inherit:
      if (::fcntl(number, F_GETFD) < 0) break;  // the process was started without it
      return duplicate(number, kNames[number]);
    case Stream::Kind::descriptor: return duplicate(stream.descriptor, kNames[number]);
    case Stream::Kind::file: return open_host(stream.path, flags);
    case Stream::Kind::bytes: return memory_file(stream.bytes);
    case Stream::Kind::null:
    case Stream::Kind::capture: break;
  }
  shared = false;
  return open_host("/dev/null", number == 0 ? O_RDONLY : O_WRONLY);
}

/// The last "K=V" of each name, in order.
std::vector<std::string> last_of_each_name(std::vector<std::string> environment) {
  std::set<std::string> seen;
  std::vector<std::string> kept;
  for (auto at = environment.rbegin(); at != environment.rend(); ++at)
    if (seen.insert(at->substr(0, at->find('='))).second) kept.push_back(std::move(*at));
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace

std::size_t Capture::append(std::string_view bytes) {
  base::MutexLock lock(mutex_);
  const std::size_t taken = std::min(bytes.size(), limit_bytes_ - std::min(limit_bytes_, bytes_.size()));
  bytes_.append(bytes.substr(0, taken));
  return taken;
}

std::string Capture::take() {
  base::MutexLock lock(mutex_);
  std::string taken;
  taken.swap(bytes_);
  return taken;
}

Context::Context(Options options)
    : options_(std::move(options)),
      uses_openat2_(!options_.without_openat2 && kernel_has_openat2()),
      files_(std::make_unique<FdTable>(options_.max_open_files)) {
  options_.environment = last_of_each_name(std::move(options_.environment));
}

Context::~Context() = default;

base::Result<std::unique_ptr<Context>> Context::create(Options options) {
  std::unique_ptr<Context> context(new Context(std::move(options)));
  HEDDLE_TRY(context->open_streams());
  HEDDLE_TRY(context->open_preopens());
  HEDDLE_TRY(context->open_sockets());
  return context;
}

base::Status Context::open_streams() {
  for (int n = 0; n < 3; ++n) {
    const Stream& stream = options_.stdio[static_cast<std::size_t>(n)];
    auto file = std::make_unique<OpenFile>();
    if (stream.kind == Stream::Kind::capture && stream.capture != nullptr && n != 0) {
      file->capture = stream.capture;
      file->kind = OpenFile::Kind::capture;
      file->base = rights_for(file->kind);
      std::uint32_t fd = 0;
      if (files_->insert(std::move(file), fd) != Errno::success) HEDDLE_UNREACHABLE("a new table has room for three");
      continue;
    }
    HEDDLE_TRY_ASSIGN(file->fd, open_stream(stream, n, file->shared_with_host));
    if (!options_.allow_escapes && ::isatty(file->host()) == 1) file->filter = std::make_unique<TerminalFilter>();
    HEDDLE_TRY(adopt(*files_, std::move(file), n == 0 ? "stdin" : n == 1 ? "stdout" : "stderr"));
  }
  return {};
}

base::Status Context::open_preopens() {
  for (const Preopen& preopen : options_.preopens) {
    auto file = std::make_unique<OpenFile>();
    HEDDLE_TRY_ASSIGN(file->fd, open_host(preopen.host_path, O_RDONLY | O_DIRECTORY));
    file->preopen = true;
    file->preopen_name = preopen.guest_path;
    file->read_only = preopen.read_only;
    HEDDLE_TRY(adopt(*files_, std::move(file), preopen.host_path));
  }
  return {};
}

base::Status Context::open_sockets() {
  for (const std::string& address : options_.tcp_listen) {
    auto file = std::make_unique<OpenFile>();
    HEDDLE_TRY_ASSIGN(file->fd, listen_on(address));
    HEDDLE_TRY(adopt(*files_, std::move(file), address));
  }
  for (const int socket : options_.sockets) {
    auto file = std::make_unique<OpenFile>();
    HEDDLE_TRY_ASSIGN(file->fd, duplicate(socket, "socket"));
    file->shared_with_host = true;
    HEDDLE_TRY(adopt(*files_, std::move(file), "socket"));
  }
  return {};
}

}  // namespace heddle::wasi
