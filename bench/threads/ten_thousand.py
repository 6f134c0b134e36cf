#!/usr/bin/env python3
"""10,000 threads alive at once (ten_thousand.wat), half waiting in memory and half each in a WASI call.

    ten_thousand.py --heddle PATH

Prints how long they took to start, what is resident for each, and how long the process took to be gone after the main
thread's proc_exit. Exit code 1 if not all of them came, or the program did not end as it said.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time


def status(pid, key):
    return int(re.search(rf"^{key}:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    options = parser.parse_args()
    guest = pathlib.Path(__file__).with_suffix(".wat")
    began = time.monotonic()
    process = subprocess.Popen([options.heddle, "run", str(guest)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = process.stdout.readline()
    if said != b"alive\n":
        process.wait()
        sys.exit(f"not all threads came (exit code {process.returncode})")
    started = time.monotonic() - began
    threads, resident_kb = status(process.pid, "Threads"), status(process.pid, "VmRSS")
    began = time.monotonic()
    process.stdin.close()
    process.wait()
    gone = time.monotonic() - began
    print(f"{threads} host threads after {started:.2f} s; {resident_kb / 1024:.0f} MB resident, "
          f"{resident_kb / threads:.1f} KiB a thread; gone {gone * 1000:.0f} ms after proc_exit")
    if threads < 10001 or process.returncode != 7:
        sys.exit(f"wanted 10,001 threads and exit code 7, got {threads} and {process.returncode}")


if __name__ == "__main__":
    main()
