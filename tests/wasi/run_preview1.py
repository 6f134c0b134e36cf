#!/usr/bin/env python3
"""Runs the cases of one function of preview1 (tests/wasi/guests) with heddle, or of all and prints the table.

    run_preview1.py --heddle PATH --wasm preview1.wasm --functions preview1.def FUNCTION|table

Gives the guest a writable folder (3), a read-only one (4), a listening socket (5) with a peer that connects and echoes,
and pipes for its streams. Exit code 0 if every case came out as it should.
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import errno_cases

ERRNO = ("success 2big acces addrinuse addrnotavail afnosupport again already badf badmsg busy canceled child connaborted "
         "connrefused connreset deadlk destaddrreq dom dquot exist fault fbig hostunreach idrm ilseq inprogress intr "
         "inval io isconn isdir loop mfile mlink msgsize multihop nametoolong netdown netreset netunreach nfile nobufs "
         "nodev noent noexec nolck nolink nomem nomsg noprotoopt nospc nosys notconn notdir notempty notrecoverable "
         "notsock notsup notty nxio overflow ownerdead perm pipe proto protonosupport prototype range rofs spipe srch "
         "stale timedout txtbsy xdev notcapable").split()


class Peer(threading.Thread):
    """Connects to the guest's socket as often as it is let, and sends back what comes."""

    def __init__(self, address, process):
        super().__init__(daemon=True)
        self.address, self.process = address, process

    def run(self):
        while self.process.poll() is None:
            try:
                with socket.create_connection(self.address, timeout=5) as connection:
                    while data := connection.recv(4096):
                        if data == b"reset":
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            break
                        connection.sendall(data)
            except OSError:
                pass


class Machine:
    """What cases_machine.c finds besides: see machine.sh. The rest of it is made by that script, in its own namespaces."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("small", "locked", "rofs"):
            (folder / name).mkdir()
        os.mkfifo(folder / "rw/fifo")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(folder / "rw/socket"))
        running = shutil.copy(shutil.which("sleep"), folder / "rw/running")
        self.running = subprocess.Popen([running, "300"])
        self.command = [pathlib.Path(__file__).parent / "machine.sh", folder]
        self.options = [f"--dir={folder}/{name}::{name}" for name in ("small", "locked", "rofs")]
        self.options += ["--stdin", "/proc/self/mem"]  # at offset 0 nothing is mapped: EIO

    def close(self):
        self.running.kill()
        self.running.wait()
        self.socket.close()


def start(options, folder, function, machine):
    # Bound and listening before anybody connects, and handed over: no port is chosen that another could take meanwhile.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before, more = (machine.command, machine.options) if machine else ([], [])
        command = [*before, "bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listener.fileno()}', "bash",
                   options.heddle, "run", "--dir", f"{folder}/rw::/", "--dir", f"{folder}/ro::ro:ro", *more,
                   "--env", "GIVEN=yes", "--max-open-files", "200", "--listenfd", options.wasm, function]
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, pass_fds=[listener.fileno()])
        address = listener.getsockname()
    if machine or function.startswith("sock_"):
        Peer(address, process).start()
    return process


def run(options, function):
    """Lines [function, case, errno, verdict], and complaints."""
    with tempfile.TemporaryDirectory(prefix="heddle-preview1-") as top:
        folder = pathlib.Path(top)
        for name in ("rw", "ro", "ro/dir"):
            (folder / name).mkdir()
        (folder / "ro/file").write_text("precious")
        machine = Machine(folder) if function == "machine" else None
        process = start(options, folder, function, machine)
        try:
            stdout, stderr = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            stderr += "\nno end within 60 s"
        if machine:
            machine.close()
        complaints = []
        wanted = 42 if function == "proc_exit" else 0
        if process.returncode != wanted:
            complaints.append(f"{function}: exit code {process.returncode}, wanted {wanted}\n{stderr}")
        if (folder / "ro/file").read_text() != "precious" or len(list((folder / "ro").iterdir())) != 2:
            complaints.append(f"{function}: the read-only folder was changed")
        lines = [line.split(" | ") for line in stdout.splitlines() if line.count(" | ") == 3]
        if not lines:
            complaints.append(f"{function}: no case was run")
        complaints += [f"{function}: {line[1]}: errno {line[2]}" for line in lines if line[3] != "ok"]
        return lines, complaints


def print_table(rows):
    print(f"{'function':26} {'cases':>5} {'bad pointers':>12}  answers seen")
    for function, lines in rows.items():
        answers = collections.Counter(ERRNO[int(line[2])] for line in lines if line[2].isdigit())
        pointers = sum(line[1].startswith("pointer") for line in lines)
        seen = " ".join(f"{name}:{n}" for name, n in sorted(answers.items(), key=lambda item: item[0] != "success"))
        print(f"{function:26} {len(lines):5} {pointers:12}  {seen}")


def print_missing(rows, untried):
    """What the manual pages list and no case saw, with the reason; complaints about those without one."""
    print("\nErrno values of the manual pages that no case provokes, and why:")
    complaints = []
    for function, lines in rows.items():
        seen = {ERRNO[int(line[2])] for line in lines if line[2].isdigit()}
        for name, reason in errno_cases.missing(function, seen, untried[function]).items():
            print(f"{function:26} {name:12} {reason}")
            if reason is None:
                complaints.append(f"{function}: {name} is in the manual pages, and no case provokes it")
    return complaints


def main():
    parser = argparse.ArgumentParser()
    for name in ("--heddle", "--wasm", "--functions"):
        parser.add_argument(name, required=True)
    parser.add_argument("function")
    options = parser.parse_args()
    names = re.findall(r"^FUNCTION\(\w+,\s*(\w+)", pathlib.Path(options.functions).read_text(), re.MULTILINE)
    wanted = [*names, "machine"] if options.function == "table" else [options.function]
    rows, untried, complaints = {}, {}, []
    for function in wanted:
        lines, wrong = run(options, function)
        complaints += wrong
        for line in lines:
            rows.setdefault(line[0], []).append(line)
        if function == "machine":
            continue
        complaints += [f"{function}: no case of {what}"
                       for what in errno_cases.missing_pointers(function, [line[1] for line in lines])]
        if options.function == "table":
            lines, untried[function] = errno_cases.run_cases(options.heddle, options.wasm, function, ERRNO)
            complaints += [f"{function}: {line[1]}: {line[2]}" for line in lines if line[3] != "ok"]
            rows[function] += lines
        if not any(line[1].startswith("success") or line[1] == "no signal" for line in rows[function]):
            complaints.append(f"{function}: no success path among its cases")
    print_table(rows)
    if options.function == "table":
        complaints += print_missing(rows, untried)
    print("\n".join(complaints), file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
