#include "wasi/call.h"

namespace heddle::wasi {

namespace {

/// Why a descriptor of this type cannot do what needs `wanted`: what POSIX answers for it.
Errno wrong_kind(OpenFile::Kind kind, Rights wanted) {
  const Rights sockets = rights(Right::sock_shutdown, Right::sock_accept);
  const Rights directories = kDirectoryRights & ~(kFileRights | kStreamRights);
  const bool directory = kind == OpenFile::Kind::directory;
  if ((wanted & sockets) != 0) {
    const bool socket = kind == OpenFile::Kind::connection || kind == OpenFile::Kind::listener;
    return socket ? Errno::inval : Errno::notsock;
  }
  if ((wanted & directories) != 0) return Errno::notdir;
  if ((wanted & right(Right::fd_read)) != 0 && directory) return Errno::isdir;
  if ((wanted & right(Right::fd_filestat_set_size)) != 0) return Errno::inval;
  if ((wanted & rights(Right::fd_seek, Right::fd_tell, Right::fd_advise, Right::fd_allocate)) != 0)
    return directory ? Errno::badf : Errno::spipe;
  if ((wanted & rights(Right::fd_sync, Right::fd_datasync)) != 0) return Errno::inval;
  return Errno::badf;
}

}  // namespace

runtime::GuestMemory Call::memory_of(const runtime::HostCall& host, const Context& context) {
  // A module without memory has no valid address: every pointer is a fault.
  static abi::VmMemory none;
  abi::VmMemory* memory = host.instance() != nullptr ? host.memory() : context.direct_memory();
  return runtime::GuestMemory(memory != nullptr ? *memory : none);
}

Opened lookup(Call& call, std::uint32_t fd, Rights wanted) {
  Opened opened;
  opened.file = call.files().get(fd);
  if (!opened.file) {
    opened.error = Errno::badf;
  } else if (!opened.file->has(wanted)) {
    const Rights impossible = wanted & ~rights_for(opened.file->kind);
    opened.error = impossible != 0 ? wrong_kind(opened.file->kind, impossible) : Errno::notcapable;
  }
  return opened;
}

Opened lookup_directory(Call& call, std::uint32_t fd, Rights wanted, Change change) {
  Opened opened = lookup(call, fd, wanted);
  if (opened.error != Errno::success) return opened;
  if (opened.file->kind != OpenFile::Kind::directory)
    opened.error = Errno::notdir;
  else if (change == Change::changes && opened.file->read_only)
    opened.error = Errno::rofs;
  return opened;
}

}  // namespace heddle::wasi
