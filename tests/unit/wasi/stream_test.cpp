// Streams of an embedder, sockets, and calls that block until their group ends (faults.md 16).
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

namespace heddle::wasi::test {
namespace {

TEST(Streams, stdin_from_bytes_and_stdout_into_a_capture) {
  Options options;
  options.stdio[0] = {.kind = Stream::Kind::bytes, .path = {}, .descriptor = -1, .bytes = "input", .capture = {}};
  auto capture = std::make_shared<Capture>(10);
  options.stdio[1] = {.kind = Stream::Kind::capture, .path = {}, .descriptor = -1, .bytes = {}, .capture = capture};
  options.stdio[2].kind = Stream::Kind::null;
  Guest guest(options);
  GuestThread t(guest);
  std::string bytes;
  ASSERT_EQ(t.read(0, 100, bytes), Errno::success);
  EXPECT_EQ(bytes, "input");
  ASSERT_EQ(t.read(0, 100, bytes), Errno::success);
  EXPECT_EQ(bytes, "");
  std::uint32_t written = 0;
  ASSERT_EQ(t.write(1, "12345678", &written), Errno::success);
  ASSERT_EQ(t.write(1, "90abc", &written), Errno::success);
  EXPECT_EQ(written, 2u) << "the limit is 10";
  EXPECT_EQ(t.write(1, "x"), Errno::nospc);
  EXPECT_EQ(capture->take(), "1234567890");
  EXPECT_EQ(t.write(2, "swallowed", &written), Errno::success);
  EXPECT_EQ(written, 9u);
}

TEST(Streams, a_pipe_without_reader_is_errno_pipe_and_no_signal) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Options options;
  options.stdio[0].kind = options.stdio[2].kind = Stream::Kind::null;
  options.stdio[1].kind = Stream::Kind::descriptor;
  options.stdio[1].descriptor = ends[1];
  Guest guest(options);
  GuestThread t(guest);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(t.write(1, "x"), Errno::pipe);
  ::close(ends[1]);
}

TEST(Streams, a_missing_file_is_named_in_the_error) {
  Options options;
  options.preopens.push_back({"/does/not/exist", "/", false});
  const auto context = Context::create(options);
  ASSERT_FALSE(context.ok());
  EXPECT_NE(context.error().message.find("/does/not/exist"), std::string::npos);
}

/// Two connected sockets: descriptor 3 of the guest, and ours.
struct Connection {
  Connection() {
    HEDDLE_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "sockets");
    Options options;
    for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
    options.sockets = {ends[0]};
    guest = std::make_unique<Guest>(options);
    ::close(ends[0]);
  }
  ~Connection() { ::close(ends[1]); }
  int ends[2];
  std::unique_ptr<Guest> guest;
};

TEST(Socket, sends_receives_and_shuts_down) {
  Connection c;
  GuestThread t(*c.guest);
  char bytes[16];
  ASSERT_EQ(t.write(3, "one"), Errno::success);
  t.store(0, Iovec{t.text("two"), 3});
  ASSERT_EQ(t.call("sock_send", 3, 0, 1, 0, 8), Errno::success);
  EXPECT_EQ(t.load<std::uint32_t>(8), 3u);
  EXPECT_EQ(t.call("sock_send", 3, 0, 1, 1, 8), Errno::inval);
  ASSERT_EQ(::recv(c.ends[1], bytes, 6, MSG_WAITALL), 6);
  EXPECT_EQ(std::string(bytes, 6), "onetwo");
  ASSERT_EQ(::send(c.ends[1], "reply", 5, 0), 5);
  t.store(0, Iovec{100, 3});
  ASSERT_EQ(t.call("sock_recv", 3, 0, 1, kRecvPeek, 8, 12), Errno::success);
  ASSERT_EQ(t.call("sock_recv", 3, 0, 1, 0, 8, 12), Errno::success);
  EXPECT_EQ(std::memcmp(c.guest->bytes(100), "rep", 3), 0);
  std::string rest;
  ASSERT_EQ(t.read(3, 10, rest), Errno::success);
  EXPECT_EQ(rest, "ly");
  EXPECT_EQ(t.call("fd_fdstat_set_flags", 3, kFdNonblock), Errno::success);
  EXPECT_EQ(t.read(3, 10, rest), Errno::again);
  EXPECT_EQ(t.call("sock_recv", 3, 0, 1, 0, 8, 12), Errno::again);
  EXPECT_EQ(t.call("sock_shutdown", 3, 0), Errno::inval);
  EXPECT_EQ(t.call("sock_shutdown", 3, 4), Errno::inval);
  EXPECT_EQ(t.call("sock_shutdown", 3, kShutWrite), Errno::success);
  EXPECT_EQ(::recv(c.ends[1], bytes, 1, 0), 0);
  EXPECT_EQ(t.call("sock_send", 3, 0, 1, 0, 8), Errno::pipe);
  EXPECT_EQ(t.call("sock_recv", 0, 0, 1, 0, 8, 12), Errno::notsock);
  EXPECT_EQ(t.call("sock_shutdown", 0, 1), Errno::notsock);
  EXPECT_EQ(t.call("sock_accept", 3, 0, 8), Errno::inval);
}

TEST(Socket, every_pointer_is_checked) {
  Connection c;
  GuestThread t(*c.guest);
  ASSERT_EQ(::send(c.ends[1], "reply", 5, 0), 5);
  t.store(0, Iovec{100, 3});
  t.store(16, Iovec{kMemoryBytes - 2, 3});
  EXPECT_EQ(t.call("sock_recv", 3, 0, 1, 0, kMemoryBytes - 3, 12), Errno::fault);
  EXPECT_EQ(t.call("sock_recv", 3, 0, 1, 0, 8, kMemoryBytes - 1), Errno::fault);
  EXPECT_EQ(t.call("sock_recv", 3, 16, 1, 0, 8, 12), Errno::fault);
  EXPECT_EQ(t.call("sock_recv", 3, kMemoryBytes - 7, 1, 0, 8, 12), Errno::fault);
  EXPECT_EQ(t.call("sock_recv", 3, 0, 0x20000000, 0, 8, 12), Errno::fault) << "8 times that is 2^32";
  EXPECT_EQ(t.call("sock_send", 3, 16, 1, 0, 8), Errno::fault);
  EXPECT_EQ(t.call("sock_send", 3, 0, 1, 0, kMemoryBytes - 3), Errno::fault);
  EXPECT_EQ(t.call("sock_recv", 3, 0, 1, 0, 8, 12), Errno::success) << "nothing was lost by the failures";
}

TEST(Socket, accepts_connections_on_a_listening_address) {
  Options options;
  for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
  options.tcp_listen = {"127.0.0.1:0"};
  Guest guest(options);
  GuestThread t(guest);
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  {
    FileRef listener = guest.context().files().get(3);
    ASSERT_EQ(::getsockname(listener->host(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  }
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(t.call("sock_accept", 3, 0, kMemoryBytes - 3), Errno::fault);
  ASSERT_EQ(t.call("sock_accept", 3, kFdNonblock, 0), Errno::success);
  const auto fd = t.load<std::uint32_t>(0);
  std::string bytes;
  EXPECT_EQ(t.read(fd, 1, bytes), Errno::again);
  ASSERT_EQ(::send(client, "hi", 2, 0), 2);
  ASSERT_EQ(t.call("fd_fdstat_set_flags", fd, 0), Errno::success);
  ASSERT_EQ(t.read(fd, 2, bytes), Errno::success);
  EXPECT_EQ(bytes, "hi");
  EXPECT_EQ(t.call("fd_fdstat_set_flags", 3, kFdNonblock), Errno::success);
  EXPECT_EQ(t.call("sock_accept", 3, 0, 0), Errno::again);
  ::close(client);
}

/// Each of these would block for ever; the group's end gets the thread out.
struct Blocker {
  const char* name;
  Answer (*call)(GuestThread& t);
};

const Blocker kBlockers[] = {
    {"fd_read_of_a_pipe",
     [](GuestThread& t) {
       t.store(t.scratch(), Iovec{100, 3});
       return t.call_raw("fd_read", {0, t.scratch(), 1, t.scratch() + 8});
     }},
    {"fd_write_to_a_full_pipe",
     [](GuestThread& t) {
       for (;;) {
         t.store(t.scratch(), Iovec{0, 65536});
         const Answer a = t.call_raw("fd_write", {1, t.scratch(), 1, t.scratch() + 8});
         if (a.status != runtime::EntryStatus::returned) return a;
       }
     }},
    {"path_open_of_a_fifo",
     [](GuestThread& t) {
       return t.call_raw("path_open", {3, 0, t.text("fifo"), 4, 0, kReadRights, 0, 0, t.scratch()});
     }},
    {"poll_oneoff_of_a_pipe",
     [](GuestThread& t) {
       SubscriptionLayout s = {};
       s.tag = 1;
       t.store(t.scratch(), s);
       return t.call_raw("poll_oneoff", {t.scratch(), t.scratch() + 64, 1, t.scratch() + 128});
     }},
    {"poll_oneoff_of_a_clock",
     [](GuestThread& t) {
       SubscriptionLayout s = {};
       s.clock_or_fd = 1;
       s.timeout_ns = ~0ull;
       t.store(t.scratch(), s);
       return t.call_raw("poll_oneoff", {t.scratch(), t.scratch() + 64, 1, t.scratch() + 128});
     }},
    {"sock_accept", [](GuestThread& t) { return t.call_raw("sock_accept", {4, 0, t.scratch()}); }},
    {"sock_recv",
     [](GuestThread& t) {
       t.store(t.scratch(), Iovec{100, 3});
       return t.call_raw("sock_recv", {5, t.scratch(), 1, 0, t.scratch() + 8, t.scratch() + 12});
     }},
};

class Blocked : public ::testing::TestWithParam<Blocker> {};
INSTANTIATE_TEST_SUITE_P(In, Blocked, ::testing::ValuesIn(kBlockers),
                         [](const auto& which) { return std::string(which.param.name); });

TEST_P(Blocked, call_ends_with_its_group) {
  Folder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0666), 0);
  int in[2], out[2], sockets[2];
  ASSERT_EQ(::pipe2(in, O_CLOEXEC) + ::pipe2(out, O_CLOEXEC), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  Options options = Guest::with_folder(folder.path());
  options.stdio[0].kind = options.stdio[1].kind = Stream::Kind::descriptor;
  options.stdio[0].descriptor = in[0];
  options.stdio[1].descriptor = out[1];
  options.tcp_listen = {"127.0.0.1:0"};
  options.sockets = {sockets[0]};
  const std::size_t before = host_fd_count();
  {
    Guest guest(options);
    std::atomic<GuestThread*> thread{nullptr};
    std::atomic<bool> done{false};
    Answer answer;
    std::thread blocked([&] {
      GuestThread t(guest);
      thread = &t;
      answer = GetParam().call(t);
      done = true;
      while (thread.load() != nullptr) std::this_thread::yield();
    });
    while (thread.load() == nullptr) std::this_thread::yield();
    runtime::ThreadState& state = thread.load()->store().state();
    while (state.kind.load() != runtime::ThreadState::Kind::host_call) std::this_thread::yield();
    EXPECT_FALSE(done);
    runtime::Outcome outcome;
    outcome.kind = runtime::Outcome::Kind::exited;
    EXPECT_TRUE(guest.group().request_exit(outcome));
    while (!done) std::this_thread::yield();
    EXPECT_EQ(answer.status, runtime::EntryStatus::interrupted);
    thread = nullptr;
    blocked.join();
  }
  EXPECT_EQ(host_fd_count(), before);
  for (const int fd : {in[0], in[1], out[0], out[1], sockets[0], sockets[1]}) ::close(fd);
}

}  // namespace
}  // namespace heddle::wasi::test
