#!/usr/bin/env python3
"""Runs guests twice with a fresh code cache, cold and warm, in each tier: both runs must say and return the same.

    run_twice.py --heddle HEDDLE --guests DIR

The warm run must find the cold one's code: it has nothing to note, and with --tier=baseline nothing to add.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

# Guest and arguments; exit codes other than 0 are the guest's own. Output in any order of the threads counts as the same.
PROGRAMS = [
    ["report", "args", "one", "two"],
    ["report", "exit", "42"],
    ["threads"],
    ["many_alive", "100"],
    ["sync", "mutex_excludes"],
    ["endings", "exit", "thread", "sleep"],
]
TIERS = [["--tier=baseline"], ["--tier=llvm"], ["--tier=auto"], ["--tier=auto", "--tier-threshold=1"]]


def entries(folder):
    return {p.name: (p.stat().st_ino, p.stat().st_size) for p in pathlib.Path(folder, "heddle").glob("*.code")}


def run(options, tier, guest, folder):
    environment = {**os.environ, "XDG_CACHE_HOME": folder, "HEDDLE_CODE_CACHE": "on"}
    wasm = f"{options.guests}/wasm/{guest[0]}.wasm"
    done = subprocess.run([options.heddle, "run", *tier, "--log=cache", wasm, *guest[1:]], env=environment,
                          capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
    return done.returncode, sorted(done.stdout.splitlines()), done.stderr


def check(options, tier, guest):
    with tempfile.TemporaryDirectory() as folder:
        cold = run(options, tier, guest, folder)
        before = entries(folder)
        warm = run(options, tier, guest, folder)
        what = " ".join(tier + guest)
        wrong = []
        if cold != warm:
            wrong.append(f"{what}: cold {cold}, warm {warm}")
        if cold[2]:
            wrong.append(f"{what}: standard error {cold[2]}")
        if len(before) != 1:
            wrong.append(f"{what}: {len(before)} entries after the first run")
        if tier == ["--tier=baseline"] and guest[0] == "report" and entries(folder) != before:
            wrong.append(f"{what}: the second run wrote again")
        return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True)
    options = parser.parse_args()
    wrong = [line for tier in TIERS for guest in PROGRAMS for line in check(options, tier, guest)]
    print("\n".join(wrong) or f"{len(TIERS) * len(PROGRAMS)} pairs of runs agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
