#!/usr/bin/env python3
"""Runs the cases of one function of preview1 (tests/wasi/guests) with heddle, or of all and prints the table.

    run_preview1.py --heddle PATH --wasm preview1.wasm --functions preview1.def FUNCTION|table

Gives the guest a writable folder (3), a read-only one (4), a listening socket (5) with a peer that connects and echoes,
and pipes for its streams. Exit code 0 if every case came out as it should.
"""
import argparse
import collections
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

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
                        connection.sendall(data)
            except OSError:
                pass


def run(options, function):
    """Lines [function, case, errno, verdict], and complaints."""
    with tempfile.TemporaryDirectory(prefix="heddle-preview1-") as top:
        folder = pathlib.Path(top)
        for name in ("rw", "ro", "ro/dir"):
            (folder / name).mkdir()
        (folder / "ro/file").write_text("precious")
        # Bound and listening before anybody connects, and handed over: no port is chosen that another could take meanwhile.
        listener = socket.create_server(("127.0.0.1", 0))
        pass_on = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listener.fileno()}'
        command = ["bash", "-c", pass_on, "bash", options.heddle, "run", "--dir", f"{folder}/rw::/", "--dir", f"{folder}/ro::ro:ro", "--env", "GIVEN=yes",
                   "--max-open-files", "200", "--listenfd", options.wasm, function]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, pass_fds=[listener.fileno()])
        address = listener.getsockname()
        listener.close()
        if function.startswith("sock_"):
            Peer(address, process).start()
        try:
            stdout, stderr = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            stderr += "\nno end within 60 s"
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


def main():
    parser = argparse.ArgumentParser()
    for name in ("--heddle", "--wasm", "--functions"):
        parser.add_argument(name, required=True)
    parser.add_argument("function")
    options = parser.parse_args()
    names = re.findall(r"^FUNCTION\(\w+,\s*(\w+)", pathlib.Path(options.functions).read_text(), re.MULTILINE)
    wanted = names if options.function == "table" else [options.function]
    rows, complaints = {}, []
    for function in wanted:
        rows[function], wrong = run(options, function)
        complaints += wrong
        if not any(line[1].startswith("success") or line[1] == "no signal" for line in rows[function]):
            complaints.append(f"{function}: no success path among its cases")
    print_table(rows)
    print("\n".join(complaints), file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
