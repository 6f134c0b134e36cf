// What the command line says about a program's world: directories, environment, streams, working directory. Words to
// settings; nothing is opened here.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wasi/context.h"

namespace heddle::cli {

/// HOST[::GUEST][:ro]. Without GUEST the program finds it under the host's name.
wasi::Preopen parse_dir(std::string text);
/// Wasmtime's older --mapdir GUEST::HOST.
base::Result<wasi::Preopen> parse_mapdir(const std::string& text);
/// K=V; K alone takes the host's value, if it has one. Errors: usage, if the name is empty.
base::Status add_environment(const std::string& text, std::vector<std::string>& environment);
/// Everything that this process has.
void inherit_environment(std::vector<std::string>& environment);
/// A file, or the word "null".
wasi::Stream parse_stream(const std::string& text);
/// The listening sockets that whoever started this process left to it, by the protocol of sd_listen_fds(3): LISTEN_FDS
/// of them from descriptor 3 on, if LISTEN_PID is this process. They get FD_CLOEXEC. Errors: usage, if there are none.
base::Result<std::vector<int>> inherited_listeners();
/// Host paths that follow on the command line, or come with it, are looked up from here (as with make -C).
base::Status change_directory(const std::string& path);

}  // namespace heddle::cli
