#!/usr/bin/env python3
"""Every way a group of threads ends, against every kind of busy or blocked peer: exit code, message and time.

    endings_matrix.py --heddle PATH --guest endings.wasm [--repeat N] [--jobs N] [--within-ms MS] [--only WORD...]

Ways: return, exit, trap on the main thread or on another one; SIGTERM and --timeout from outside. Peers: what
tests/guests/programs/endings.c calls WHAT; `read` also from a socket. Exit code 1 lists what went wrong.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import queue
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = ["spin", "call", "fill", "wait", "timedwait", "sleep", "poll", "read", "read_socket", "fifo", "spawn", "yield"]
TIMEOUT_MS = 400

# how -> exit code, what standard error must contain ("" = nothing may be there)
WAYS = {
    "return": (0, ""),
    "exit": (7, ""),
    "trap": (134, "trapped: unreachable"),
    "sigterm": (143, ""),
    "timeout": (124, "time limit of 0.4 s reached"),
}


def command(options, how, who, peer, folder):
    inside = {"sigterm": "stay", "timeout": "stay"}.get(how, how)
    # Several of these wait for ever on purpose.
    flags = [f"--dir={folder}::/", "--deadlock=ignore"]
    if options.trace:
        flags.append(f"--trace-threads={folder}/trace.json")
    if how == "timeout":
        flags.append(f"--timeout={TIMEOUT_MS}ms")
    return [options.heddle, "run", *flags, options.guest, inside, who, "read" if peer == "read_socket" else peer, "4"]


def traced(folder):
    """Is there a whole trace? Takes it away."""
    file = pathlib.Path(folder) / "trace.json"
    try:
        return len(json.loads(file.read_text())["traceEvents"]) > 0
    except (OSError, ValueError, KeyError):
        return False
    finally:
        file.unlink(missing_ok=True)


def run_once(options, how, who, peer, folder):
    """What went wrong (or None), and how long the end took in milliseconds."""
    ours, theirs = socket.socketpair() if peer == "read_socket" else (None, None)
    started = time.monotonic()
    process = subprocess.Popen(command(options, how, who, peer, folder), stdin=theirs or subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if how != "timeout":
            said = b""
            while not said.endswith(b"\n"):
                if not select.select([process.stdout], [], [], 30)[0]:
                    return "did not get as far as `ending`", 0
                part = os.read(process.stdout.fileno(), 100)
                if not part:
                    break
                said += part
            began = time.monotonic()
            if how == "sigterm":
                time.sleep(0.005)  # lets the last thread reach its call; nothing depends on it
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
        else:
            began = started + TIMEOUT_MS / 1000
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            return "is still there after 30 s", 0
        took_ms = (time.monotonic() - began) * 1000
        code, wanted = WAYS[how]
        error = process.stderr.read().decode(errors="replace")
        if process.returncode != code:
            return f"exit code {process.returncode}, not {code}: {said if how != 'timeout' else ''}{error}", took_ms
        if (wanted not in error) if wanted else error:
            return f"standard error is {error!r}", took_ms
        if options.trace and not traced(folder):
            return "no whole trace was written", took_ms
        if how == "trap" and ("main thread" if who == "main" else "thread ") not in error:
            return f"the message does not name the thread: {error!r}", took_ms
        return None, took_ms
    finally:
        process.kill()
        process.wait()
        for end in (ours, theirs):
            if end:
                end.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guest", required=True)
    parser.add_argument("--repeat", type=int, default=int(os.environ.get("HEDDLE_REPEAT", "1")))
    parser.add_argument("--within-ms", type=float, default=100, help="median over all runs of one cell's way")
    parser.add_argument("--trace", action="store_true", help="each run must leave a whole --trace-threads file, too")
    parser.add_argument("--only", nargs="*", default=[], help="cells whose name contains one of these")
    parser.add_argument("--jobs", type=int, default=1, help="so many runs at one time: load")
    options = parser.parse_args()
    cells = [(how, who, peer) for how in WAYS for who in (["main"] if how == "return" else ["main", "thread"])
             for peer in PEERS if not options.only or any(word in f"{how}.{who}.{peer}" for word in options.only)]
    wrong, times, folders = [], {}, queue.SimpleQueue()

    def run_cell(cell):
        folder = folders.get()
        try:
            return cell, *run_once(options, *cell, folder)
        finally:
            folders.put(folder)

    with tempfile.TemporaryDirectory() as top, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for n in range(options.jobs):
            folder = pathlib.Path(top) / str(n)
            folder.mkdir()
            os.mkfifo(folder / "fifo")
            folders.put(folder)
        for repetition in range(options.repeat):
            for (how, who, peer), problem, took_ms in pool.map(run_cell, cells):
                name = f"{how}.{who}.{peer}"
                if problem:
                    wrong.append(f"{name}, repetition {repetition}: {problem}")
                else:
                    times.setdefault(how, []).append((took_ms, name))
    limit = options.within_ms * float(os.environ.get("HEDDLE_SLOWDOWN", "1"))  # of sanitizers and shared machines
    for how, list_of_times in times.items():
        values = [t for t, _ in list_of_times]
        slowest, where = max(list_of_times)
        median = statistics.median(values)
        print(f"{how}: {len(values)} runs, median {median:.1f} ms, slowest {slowest:.1f} ms ({where})")
        if median > limit:
            wrong.append(f"{how}: median {median:.1f} ms is over {limit} ms")
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())
