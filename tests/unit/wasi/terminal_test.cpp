// What reaches a terminal (faults.md 15).
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "wasi/terminal_filter.h"

#include "guest.h"

namespace heddle::wasi::test {
namespace {

std::string convert(TerminalFilter& filter, std::string_view in) {
  std::vector<char> out(TerminalFilter::out_bytes(in.size()));
  const std::size_t n = filter.convert(reinterpret_cast<const std::uint8_t*>(in.data()), in.size(), out.data());
  EXPECT_LE(n, out.size());
  return std::string(out.data(), n);
}

std::string once(std::string_view in) {
  TerminalFilter filter;
  return convert(filter, in);
}

TEST(TerminalFilter, leaves_text_alone) {
  EXPECT_EQ(once("plain\ttext\r\n"), "plain\ttext\r\n");
  EXPECT_EQ(once("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(TerminalFilter, shows_controls_instead_of_obeying_them) {
  EXPECT_EQ(once("\x1b[2J"), "\xe2\x90\x9b[2J");
  EXPECT_EQ(once(std::string_view("\0\a\b\x7f", 4)), "\xe2\x90\x80\xe2\x90\x87\xe2\x90\x88\xe2\x90\xa1");
  EXPECT_EQ(once("\xc2\x9b"
                 "2J"),
            "\xef\xbf\xbd"
            "2J")
      << "C1 CSI";
  EXPECT_EQ(once("\x9b"
                 "2J"),
            "\xef\xbf\xbd"
            "2J")
      << "the same as one byte";
}

TEST(TerminalFilter, replaces_what_is_not_utf8) {
  EXPECT_EQ(once("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(once("\xc0\x9b"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(once("\xe2\x82"
                 "a"),
            "\xef\xbf\xbd"
            "a")
      << "cut short";
  EXPECT_EQ(once("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate";
  EXPECT_EQ(once("\xe2\x1b[2J"), "\xef\xbf\xbd\xe2\x90\x9b[2J") << "ESC inside a character";
}

TEST(TerminalFilter, puts_characters_together_over_writes) {
  TerminalFilter filter;
  EXPECT_EQ(convert(filter, "a\xe2"), "a");
  EXPECT_EQ(convert(filter, "\x82"), "");
  EXPECT_EQ(convert(filter, "\xac!"), "\xe2\x82\xac!");
  EXPECT_EQ(convert(filter, "\xc2"), "");
  EXPECT_EQ(convert(filter,
                    "\x9b"
                    "2J"),
            "\xef\xbf\xbd"
            "2J")
      << "C1 in two writes";
}

/// A pseudo-terminal in raw mode.
struct Terminal {
  Terminal() {
    master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    HEDDLE_CHECK(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0, "a pseudo-terminal");
    slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    HEDDLE_CHECK(slave >= 0, "its other side");
    termios raw;
    ::tcgetattr(slave, &raw);
    ::cfmakeraw(&raw);
    ::tcsetattr(slave, TCSANOW, &raw);
  }
  ~Terminal() {
    ::close(master);
    ::close(slave);
  }
  std::string shown() const {
    std::string all;
    char piece[4096];
    pollfd ready = {master, POLLIN, 0};
    while (::poll(&ready, 1, 0) == 1) {
      const ssize_t n = ::read(master, piece, sizeof piece);
      if (n <= 0) break;
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }
  int master, slave;
};

Options with_terminal(const Terminal& terminal, bool allow) {
  Options options;
  for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
  options.stdio[1].kind = Stream::Kind::descriptor;
  options.stdio[1].descriptor = terminal.slave;
  options.allow_escapes = allow;
  return options;
}

TEST(Terminal, gets_no_escape_sequences_unless_allowed) {
  Terminal terminal;
  {
    Guest guest(with_terminal(terminal, false));
    GuestThread t(guest);
    std::uint32_t written = 0;
    ASSERT_EQ(t.write(1, "a\x1b[31mb", &written), Errno::success);
    EXPECT_EQ(written, 7u);
    EXPECT_EQ(terminal.shown(), "a\xe2\x90\x9b[31mb");
    ASSERT_EQ(t.call("fd_fdstat_get", 1, 0), Errno::success);
    const auto stat = t.load<Fdstat>(0);
    EXPECT_EQ(stat.filetype, Filetype::character_device);
    EXPECT_EQ(stat.rights_base & rights(Right::fd_seek, Right::fd_tell), 0u) << "isatty of wasi-libc";
    EXPECT_EQ(t.call("fd_seek", 1, 0, 0, 0), Errno::spipe);
  }
  Guest guest(with_terminal(terminal, true));
  GuestThread t(guest);
  ASSERT_EQ(t.write(1, "\x1b[31m"), Errno::success);
  EXPECT_EQ(terminal.shown(), "\x1b[31m");
}

TEST(Terminal, many_threads_cannot_put_an_escape_together) {
  Terminal terminal;
  Guest guest(with_terminal(terminal, false));
  std::atomic<bool> stop{false};
  std::string seen;
  std::thread watcher([&] {
    while (!stop) seen += terminal.shown();
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i)
    writers.emplace_back([&guest, i] {
      static constexpr std::string_view kPieces[] = {"\xc2", "\x9b", "\x1b["};
      GuestThread t(guest);
      for (int n = 0; n < 33'400; ++n) ASSERT_EQ(t.write(1, kPieces[i]), Errno::success);
    });
  for (std::thread& w : writers) w.join();
  stop = true;
  watcher.join();
  seen += terminal.shown();
  EXPECT_EQ(seen.find('\x1b'), std::string::npos);
  EXPECT_EQ(seen.find("\xc2\x9b"), std::string::npos);
}

TEST(Terminal, files_and_pipes_get_bytes_untouched) {
  Folder folder;
  Options options = Guest::with_folder(folder.path());
  options.stdio[1] = {.kind = Stream::Kind::file, .path = folder / "out", .descriptor = -1, .bytes = {}, .capture = {}};
  Guest guest(options);
  GuestThread t(guest);
  ASSERT_EQ(t.write(1, "\x1b[31m\x9b"), Errno::success);
  EXPECT_EQ(read_file(folder / "out"), "\x1b[31m\x9b");
}

}  // namespace
}  // namespace heddle::wasi::test
