"""What the table of preview1 must contain: the errno values of the manual pages, the pointers of the witx.

MAN is, for each function of preview1, what the manual pages of its system calls list (path_resolution(7) included).
CASES provokes what the guest's own cases and machine.sh do not: streams, sockets and files of a certain kind. CANNOT
says why the rest is not. run_preview1.py takes all answers together: what MAN lists is seen or has its reason here.
"""
import fcntl
import os
import pathlib
import resource
import socket
import struct
import subprocess
import tempfile

PATHS = "acces loop nametoolong noent notdir nomem"
CHANGES = PATHS + " dquot io nospc rofs"
MAN = {
    "fd_advise": "badf inval spipe",
    "fd_allocate": "badf fbig intr inval io nodev nospc notsup perm spipe",
    "fd_close": "badf dquot intr io nospc",
    "fd_datasync": "badf dquot intr inval io nospc rofs",
    "fd_sync": "badf dquot intr inval io nospc rofs",
    "fd_fdstat_get": "badf",
    "fd_fdstat_set_flags": "badf inval",
    "fd_filestat_get": "badf nomem overflow",
    "fd_filestat_set_size": "badf fbig intr inval io perm",
    "fd_filestat_set_times": "acces badf inval perm rofs",
    "fd_pread": "again badf fault intr inval io isdir nxio overflow spipe",
    "fd_pwrite": "again badf dquot fault fbig intr inval io nospc nxio overflow perm spipe",
    "fd_read": "again badf fault intr inval io isdir",
    "fd_write": "again badf dquot fault fbig intr inval io nospc perm pipe",
    "fd_readdir": "badf fault inval mfile nfile noent notdir",
    "fd_renumber": "badf busy intr mfile",
    "fd_seek": "badf inval nxio overflow spipe",
    "fd_tell": "badf overflow spipe",
    "path_create_directory": CHANGES + " exist inval mlink perm",
    "path_filestat_get": PATHS + " badf fault inval overflow",
    "path_filestat_set_times": PATHS + " badf fault inval perm rofs",
    "path_link": CHANGES + " badf exist fault mlink perm xdev",
    "path_open": CHANGES + " again badf busy exist fault fbig intr inval isdir mfile nfile nodev nxio overflow perm "
                           "txtbsy",
    "path_readlink": PATHS + " badf fault inval io",
    "path_remove_directory": PATHS + " badf busy fault inval notempty perm rofs",
    "path_rename": CHANGES + " badf busy exist fault inval isdir mlink notempty perm xdev",
    "path_symlink": CHANGES + " badf exist fault perm",
    "path_unlink_file": PATHS + " badf busy fault io isdir perm rofs",
    "poll_oneoff": "fault intr inval nomem",
    "random_get": "fault intr",
    "clock_res_get": "fault inval",
    "clock_time_get": "fault inval",
    "sock_accept": "again badf connaborted fault intr inval mfile nfile nobufs nomem notsock perm proto",
    "sock_recv": "again badf connrefused connreset fault intr inval nomem notconn notsock",
    "sock_send": "again acces badf connreset destaddrreq fault intr inval isconn msgsize nobufs nomem notconn notsock "
                 "notsup pipe",
    "sock_shutdown": "badf inval nobufs notconn notsock",
}

# The parameters that are pointers (a path, an array of iovecs, room for a result), counted from 0, by the witx.
POINTERS = {
    "args_get": (0, 1), "args_sizes_get": (0, 1), "environ_get": (0, 1), "environ_sizes_get": (0, 1),
    "clock_res_get": (1,), "clock_time_get": (2,), "fd_fdstat_get": (1,), "fd_filestat_get": (1,), "fd_pread": (1, 4),
    "fd_prestat_get": (1,), "fd_prestat_dir_name": (1,), "fd_pwrite": (1, 4), "fd_read": (1, 3), "fd_readdir": (1, 4),
    "fd_seek": (3,), "fd_tell": (1,), "fd_write": (1, 3), "path_create_directory": (1,), "path_filestat_get": (2, 4),
    "path_filestat_set_times": (2,), "path_link": (2, 5), "path_open": (2, 8), "path_readlink": (1, 3, 5),
    "path_remove_directory": (1,), "path_rename": (1, 4), "path_symlink": (0, 3), "path_unlink_file": (1,),
    "poll_oneoff": (0, 1, 3), "random_get": (0,), "sock_accept": (2,), "sock_recv": (1, 4, 5), "sock_send": (1, 4),
    "fd_advise": (), "fd_allocate": (), "fd_close": (), "fd_datasync": (), "fd_fdstat_set_flags": (),
    "fd_fdstat_set_rights": (), "fd_filestat_set_size": (), "fd_filestat_set_times": (), "fd_renumber": (),
    "fd_sync": (), "proc_exit": (), "proc_raise": (), "sched_yield": (), "sock_shutdown": (),
}

DISK = "the storage itself would have to fail"
ANYWHERE = {
    "intr": "system calls are made again after a signal that does not end the program",
    "nomem": "the kernel's own memory would have to run out",
    "nobufs": "the kernel's own memory would have to run out",
    "nfile": "the table of the whole machine would have to be full",
    "dquot": "needs a quota, which only the administrator sets",
    "overflow": "offsets, sizes and times have 64 bits here",
}
CANNOT = {
    ("fd_close", "io"): DISK, ("fd_close", "nospc"): "of network file systems",
    ("fd_datasync", "io"): DISK, ("fd_sync", "io"): DISK,
    ("fd_datasync", "nospc"): "of file systems that allocate late", ("fd_sync", "nospc"): "as fd_datasync",
    ("fd_datasync", "rofs"): "manual page: what cannot be synchronised is inval", ("fd_sync", "rofs"): "as fd_datasync",
    ("fd_allocate", "io"): DISK, ("fd_filestat_set_size", "io"): DISK,
    ("fd_pread", "again"): "of descriptors without positions alone", ("fd_pwrite", "again"): "as fd_pread",
    ("fd_pread", "nxio"): "of devices alone", ("fd_pwrite", "nxio"): "of devices alone",
    ("fd_readdir", "mfile"): "one guest descriptor is reopened: see path_open",
    ("fd_renumber", "busy"): "the table is ours, there is no such race",
    ("fd_renumber", "mfile"): "badf: the number is outside the table",
    ("fd_seek", "nxio"): "preview1 has no SEEK_DATA",
    ("path_create_directory", "inval"): "for names that the file system cannot hold, Linux' own take any",
    ("path_create_directory", "io"): DISK, ("path_link", "io"): DISK, ("path_rename", "io"): DISK,
    ("path_symlink", "io"): DISK, ("path_unlink_file", "io"): DISK, ("path_readlink", "io"): DISK,
    ("path_open", "io"): DISK,
    ("path_create_directory", "mlink"): "file systems of today have no such limit on folders",
    ("path_rename", "mlink"): "file systems of today have no such limit on folders",
    ("path_rename", "exist"): "the same as notempty; file systems of Linux answer that",
    ("path_rename", "nospc"): "of file systems whose folders grow by blocks",
    ("path_open", "again"): "of leases alone", ("path_open", "busy"): "of block devices alone",
    ("path_open", "fbig"): "offsets have 64 bits here", ("path_open", "nodev"): "a device node needs the administrator",
    ("path_unlink_file", "busy"): "of NFS; a folder with a mount is isdir",
    ("sock_accept", "connaborted"): "Linux gives the connection and its error later",
    ("sock_accept", "perm"): "a firewall rule", ("sock_accept", "proto"): "of no stream protocol at hand",
    ("sock_send", "acces"): "of sockets without a peer, which are not given",
    ("sock_send", "destaddrreq"): "of sockets without a peer; Linux' own answer notconn",
    ("sock_send", "isconn"): "preview1 gives no address", ("sock_send", "notsup"): "flags are inval before",
}
READ, WRITE = 1 << 1 | 1 << 2, 1 << 6 | 1 << 8 | 1 << 22 | 1 << 2 | 1 << 4
OPEN_WRITE = f"path_open 3 0 '{{}} 0 {WRITE} 0 0 @"
OPEN_TIMES = f"path_open 3 0 'f 0 {READ | 1 << 23} 0 0 @"
OPEN_READ = f"path_open 3 0 '{{}} 0 {READ} 0 0 @"


class Host:
    """What one case finds: a folder that is preopened as 3, and how heddle is started."""

    def __init__(self, folder):
        self.folder, self.prefix, self.dirs, self.options = folder, [], [folder], []
        self.streams, self.before, self.keep, self.shell = {}, None, [], []

    def file(self, name, text="text", mode=0o644):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def plain_user(self):
        """As root without what makes root exempt from modes; others are that already."""
        if os.geteuid() == 0:
            self.prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    def mounts(self, *lines):
        """Shell lines in a mount namespace of the test's own, $D is the folder. Nothing of it is seen outside."""
        self.shell = list(lines)

    def limit(self, which, value):
        self.before = lambda: resource.setrlimit(which, (value, value))


def namespaces():
    return subprocess.run(["unshare", "-Urm", "true"], stderr=subprocess.DEVNULL).returncode == 0


# --- how the host is prepared --------------------------------------------------------------------------------------
def nothing(host):
    host.file("f")


def foreign_file(host):
    """A file of somebody else: needs root to be made."""
    os.chown(host.file("f"), 65534, 65534)
    (host.folder / "s").mkdir()
    (host.folder / "s").chmod(0o1777)
    os.chown(host.folder / "s", 65534, 65534)
    (host.folder / "s/f").write_text("")
    (host.folder / "s/d").mkdir()
    for name in ("s/f", "s/d"):
        os.chown(host.folder / name, 65534, 65534)
    host.plain_user()


def few_descriptors(host):
    host.file("f")
    host.limit(resource.RLIMIT_NOFILE, 64)


def full_device(host):
    host.options += ["--stdout", "/dev/full"]


def null_device(host):
    host.options += ["--stdout", "/dev/null"]


def sealed(host):
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.write(fd, b"text")
    os.lseek(fd, 0, os.SEEK_SET)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    host.streams["stdout"] = fd


def event_counter(host):
    host.streams["stdin"] = os.eventfd(1)


def broken_pipe(host):
    read, write = os.pipe()
    os.close(read)
    host.streams["stdout"] = write


def own_process(host):
    host.dirs = ["/proc/self"]


def two_file_systems(host):
    host.mounts("mkdir $D/m", "mount -t tmpfs none $D/m", "echo > $D/f", "mkdir $D/d")


def many_links(host):
    path = host.file("f")
    for n in range(70000):
        try:
            os.link(path, host.folder / str(n))
        except OSError as error:
            if error.strerror != os.strerror(31):  # EMLINK
                raise
            return
    raise LookupError("this file system knows no limit below 70,000")


def stream_pair(kind=socket.SOCK_STREAM):
    def prepare(host):
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        host.keep.append(ours)
        host.streams["stdin"] = theirs.detach()
    return prepare


def peer_gone(host):
    ours, theirs = socket.socketpair()
    ours.close()
    host.streams["stdin"] = theirs.detach()


def reset_by_peer(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ours.close()
    host.streams["stdin"] = theirs.detach()


def refused(host):
    """A datagram socket whose peer's port is closed and said so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ours.connect(peer.getsockname())
    ours.send(b"x")
    host.streams["stdin"] = ours.detach()


def not_connected(host):
    host.streams["stdin"] = socket.socket().detach()


NONBLOCKING = "fd_fdstat_set_flags 0 4"
FILL = ["path_open 3 0 'f 0 2 0 0 @"] * 24
# function, errno, how the host is prepared, the calls; the last one is judged.
CASES = [
    ("fd_allocate", "nodev", null_device, ["fd_allocate 1 0 10"]),
    ("fd_allocate", "notsup", own_process, [OPEN_WRITE.format("comm"), "fd_allocate $ 0 10"]),
    ("fd_allocate", "perm", sealed, ["fd_allocate 1 0 1000"]),
    ("fd_filestat_set_size", "perm", sealed, ["fd_filestat_set_size 1 0"]),
    ("fd_filestat_set_times", "acces", foreign_file, [OPEN_TIMES, "fd_filestat_set_times $ 0 0 10"]),
    ("fd_filestat_set_times", "perm", foreign_file, [OPEN_TIMES, "fd_filestat_set_times $ 0 0 5"]),
    ("fd_datasync", "inval", null_device, ["fd_datasync 1"]),
    ("fd_sync", "inval", null_device, ["fd_sync 1"]),
    ("fd_read", "inval", event_counter, ["fd_read 0 %4 @"]),
    ("fd_read", "io", own_process, [OPEN_READ.format("mem"), "fd_read $ %10 @"]),
    ("fd_pread", "io", own_process, [OPEN_READ.format("mem"), "fd_pread $ %10 0 @"]),
    ("fd_write", "io", own_process, [OPEN_WRITE.format("mem"), "fd_write $ %10 @"]),
    ("fd_pwrite", "io", own_process, [OPEN_WRITE.format("mem"), "fd_pwrite $ %10 0 @"]),
    ("fd_write", "inval", own_process, [OPEN_WRITE.format("oom_score_adj"), "fd_write $ %10 @"]),
    ("fd_write", "nospc", full_device, ["fd_write 1 %10 @"]),
    ("fd_write", "perm", sealed, ["fd_write 1 %2 @"]),
    ("fd_pwrite", "perm", sealed, ["fd_pwrite 1 %2 0 @"]),
    ("fd_write", "pipe", broken_pipe, ["fd_write 1 %10 @"]),
    ("fd_readdir", "noent", nothing, ["path_create_directory 3 'd", f"path_open 3 0 'd 2 {1 << 14} 0 0 @",
                                      "path_remove_directory 3 'd", "fd_readdir 4 65536 1000 0 @"]),
    ("path_filestat_set_times", "acces", foreign_file, ["path_filestat_set_times 3 0 'f 0 0 10"]),
    ("path_filestat_set_times", "perm", foreign_file, ["path_filestat_set_times 3 0 'f 0 0 5"]),
    ("path_link", "mlink", many_links, ["path_link 3 0 'f 3 'x"]),
    ("path_open", "mfile", few_descriptors, FILL * 3 + [OPEN_READ.format("f")]),
    ("path_open", "loop", own_process, [f"path_open 3 1 'exe 0 {READ} 0 0 @"]),
    ("path_remove_directory", "busy", two_file_systems, ["path_remove_directory 3 'm"]),
    ("path_remove_directory", "perm", foreign_file, ["path_remove_directory 3 's/d"]),
    ("path_rename", "busy", two_file_systems, ["path_rename 3 'm 3 'x"]),
    ("path_rename", "perm", foreign_file, ["path_rename 3 's/f 3 'x"]),
    ("path_unlink_file", "perm", foreign_file, ["path_unlink_file 3 's/f"]),
    ("sock_accept", "inval", stream_pair(), ["sock_accept 0 0 @"]),
    ("sock_recv", "again", stream_pair(), [NONBLOCKING, "sock_recv 0 %10 0 @ @"]),
    ("sock_recv", "connrefused", refused, ["sock_recv 0 %10 0 @ @"]),
    ("sock_recv", "connreset", reset_by_peer, ["sock_recv 0 %10 0 @ @"]),
    ("sock_recv", "notconn", not_connected, ["sock_recv 0 %10 0 @ @"]),
    ("sock_send", "again", stream_pair(), [NONBLOCKING, "sock_send 0 %1000000 0 @", "sock_send 0 %1000000 0 @"]),
    ("sock_send", "connreset", reset_by_peer, ["sock_send 0 %10 0 @"]),
    ("sock_send", "msgsize", stream_pair(socket.SOCK_DGRAM), ["sock_send 0 %4000000 0 @"]),
    ("sock_send", "notconn", lambda host: host.streams.update(stdin=socket.socket(socket.AF_UNIX).detach()),
     ["sock_send 0 %10 0 @"]),
    ("sock_send", "pipe", peer_gone, ["sock_send 0 %10 0 @"]),
    ("sock_shutdown", "notconn", not_connected, ["sock_shutdown 0 3"]),
]


def run_case(heddle, wasm, prepare, calls):
    """The errno number of the last call."""
    with tempfile.TemporaryDirectory(prefix="heddle-errno-") as top:
        folder = pathlib.Path(top) / "dir"
        folder.mkdir()
        host = Host(folder)
        try:
            prepare(host)
            command = [*host.prefix, heddle, "run", *host.options]
            for d in host.dirs:
                command += ["--dir", f"{d}::/"]
            command += [wasm, "call", *calls]
            if host.shell:
                script = " && ".join([*host.shell, 'exec "$@"'])
                command = ["unshare", "-Urm", "bash", "-c", script, "bash", *command]
            done = subprocess.run(command, stdin=host.streams.get("stdin", subprocess.DEVNULL),
                                  stdout=host.streams.get("stdout", subprocess.DEVNULL), stderr=subprocess.PIPE,
                                  text=True, env={**os.environ, "D": str(folder)}, preexec_fn=host.before, timeout=60)
            answers = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("errno ")]
            if done.returncode != 0 or len(answers) != len(calls):
                return f"exit code {done.returncode}: {done.stderr.strip()}"
            return int(answers[-1])
        finally:
            for thing in host.keep:
                thing.close()
            for fd in host.streams.values():
                os.close(fd)
            for path in folder.rglob("*"):
                if path.is_dir() and not path.is_symlink():
                    path.chmod(0o755)


def run_cases(heddle, wasm, function, names):
    """Lines [function, case, errno, verdict] as the guest's own; and what could not be tried here, with the reason."""
    lines, untried = [], {}
    own_mounts = None
    for name, wanted, prepare, calls in CASES:
        if name != function:
            continue
        if prepare is two_file_systems:
            own_mounts = namespaces() if own_mounts is None else own_mounts
            if not own_mounts:
                untried[wanted] = "this machine lets nobody mount in a namespace of his own"
                continue
        if prepare is foreign_file and os.geteuid() != 0:
            untried[wanted] = "only root can make a file of another owner"
            continue
        try:
            got = run_case(heddle, wasm, prepare, calls)
        except LookupError as reason:
            untried[wanted] = str(reason)
            continue
        ok = isinstance(got, int) and names[got] == wanted
        lines.append([function, f"{wanted}: {prepare.__name__.replace('_', ' ')}", str(got), "ok" if ok else "WRONG"])
    return lines, untried


def missing(function, seen, untried):
    """Errno values that the manual pages list, that were not seen; with the reason, or None."""
    rows = {}
    for name in MAN.get(function, "").split():
        if name not in seen:
            rows[name] = untried.get(name) or CANNOT.get((function, name)) or ANYWHERE.get(name)
    return rows


def missing_pointers(function, cases):
    """What bad_pointers of the guest should have tried, and did not."""
    wanted = [f"pointer {p}, {what}" for p in POINTERS[function]
              for what in ("reaching over the end", "behind the end", "wrapping around", "low")]
    wanted += [f"pointers {p} and {q}, the same" for p in POINTERS[function] for q in POINTERS[function] if p != q]
    return [what for what in wanted if what not in cases]
