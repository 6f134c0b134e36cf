#!/usr/bin/env python3
"""Runs one guest with heddle and checks what came of it. Used by the ctest entries that heddle_guest_test() makes.

    run_guest.py --heddle PATH --guests DIR [options] NAME [ARGS...]

Exit code 0 when everything was as expected, otherwise 1 with what was seen and what was wanted.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time


def parse_command_line():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True, type=pathlib.Path, help="the build's guests folder")
    parser.add_argument("--variant", default="wasm", choices=["wasm", "sdk", "with_debug_info"])
    parser.add_argument("--option", action="append", default=[], help="goes to heddle, before the file")
    parser.add_argument("--exit", type=int, default=0, help="the exit code wanted")
    parser.add_argument("--stdout", metavar="REGEX", help="what standard output must be, wholly")
    parser.add_argument("--stderr", metavar="REGEX", help="what standard error must contain")
    parser.add_argument("--quiet-stderr", action="store_true", help="nothing may be on standard error")
    parser.add_argument("--same-as-native", action="store_true", help="same output and exit code as the native build")
    parser.add_argument("--open-stdin", action="store_true", help="standard input is a pipe that stays open and silent")
    parser.add_argument("--stdin-file", help="standard input comes from this file")
    parser.add_argument("--ends-within-ms", type=float,
                        help="time from the output line `ending` to the end of the process, median of five runs")
    parser.add_argument("--repeat", type=int, default=int(os.environ.get("HEDDLE_REPEAT", "1")),
                        help="how often to run; $HEDDLE_REPEAT for all tests")
    parser.add_argument("name")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    return parser.parse_args()


class Outcome:
    def __init__(self, code, stdout, stderr, ending_ms=None):
        self.code, self.stdout, self.stderr, self.ending_ms = code, stdout, stderr, ending_ms


def run(command, options):
    """Runs to the end; notes how long after the line `ending` that came."""
    source = open(options.stdin_file, "rb") if options.stdin_file else \
        subprocess.PIPE if options.open_stdin else subprocess.DEVNULL
    with subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if options.ends_within_ms is None:
            # Not communicate(): it would close an open standard input.
            stdout = process.stdout.read()
            ended_after = None
        else:
            lines, said = [], None
            for line in process.stdout:
                lines.append(line)
                if line.startswith(b"ending"):
                    said = time.monotonic()
            stdout = b"".join(lines)
            process.wait()
            ended_after = (time.monotonic() - said) * 1000 if said is not None else None
        stderr = process.stderr.read()
        process.wait()
        return Outcome(process.returncode, stdout, stderr, ended_after)


def complaints_about(seen, options, native):
    wrong = []
    if seen.code != options.exit:
        wrong.append(f"exit code {seen.code}, wanted {options.exit}")
    text, errors = seen.stdout.decode(errors="replace"), seen.stderr.decode(errors="replace")
    if options.stdout is not None and not re.fullmatch(options.stdout, text, re.DOTALL):
        wrong.append(f"standard output does not match {options.stdout!r}")
    if options.stderr is not None and not re.search(options.stderr, errors, re.DOTALL):
        wrong.append(f"standard error does not contain {options.stderr!r}")
    if options.quiet_stderr and errors:
        wrong.append("standard error is not empty")
    if native is not None and (native.stdout != seen.stdout or native.code != seen.code):
        wrong.append(f"the native build gives exit code {native.code} and this output:\n"
                     + native.stdout.decode(errors="replace")[:2000])
    return wrong


def main():
    options = parse_command_line()
    wasm = options.guests / options.variant / (options.name + ".wasm")
    command = [options.heddle, "run", *options.option, str(wasm), *options.args]
    native = None
    if options.same_as_native:
        native = run([str(options.guests / "native" / options.name), *options.args], options)
    runs = options.repeat * (5 if options.ends_within_ms is not None else 1)
    times = []
    for _ in range(runs):
        seen = run(command, options)
        wrong = complaints_about(seen, options, native)
        if options.ends_within_ms is not None:
            if seen.ending_ms is None:
                wrong.append("the guest never said `ending`")
            else:
                times.append(seen.ending_ms)
        if wrong:
            print(f"command: {' '.join(command)}")
            for sentence in wrong:
                print(f"WRONG: {sentence}")
            print(f"--- standard output\n{seen.stdout.decode(errors='replace')[:4000]}")
            print(f"--- standard error\n{seen.stderr.decode(errors='replace')[:4000]}")
            return 1
    if times:
        median = statistics.median(times)
        print(f"from `ending` to the end: median {median:.1f} ms of {[round(t, 1) for t in times]}")
        limit = options.ends_within_ms * float(os.environ.get("HEDDLE_SLOWDOWN", "1"))  # of sanitizers
        if median > limit:
            print(f"WRONG: wanted at most {limit} ms")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
