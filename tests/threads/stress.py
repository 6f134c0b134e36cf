#!/usr/bin/env python3
"""Runs tests/threads/stress.c with one seed after the other and prints the seed of what fails.

    stress.py --heddle PATH --guest stress.wasm [--seconds S] [--seed N [--scenario NAME]]

For S seconds (HEDDLE_STRESS_SECONDS; default 4), at least once each scenario; with --seed only that one.
"""
import argparse
import os
import random
import subprocess
import sys
import threading
import time

SCENARIOS = {"storm": (0, b"ok\n"), "ping_pong": (0, b"ok\n"), "token": (0, b"ok\n"),
             "exit_spawning": (7, b""), "exit_growing": (7, b"")}
READS_STDIN = {"token"}
MAX_THREADS = 100  # what a storm runs into
HANGS_AFTER_S = 60


def feed(pipe, seed):
    """One byte after the other, slower than they are read, so that reads have to wait; until nobody reads any more."""
    rng = random.Random(seed)
    try:
        while True:
            os.write(pipe, b".")
            time.sleep(rng.random() * 0.004)
    except BrokenPipeError:
        os.close(pipe)


def stdin_for(scenario, seed):
    if scenario not in READS_STDIN:
        return os.open(os.devnull, os.O_RDONLY)
    reads, writes = os.pipe()
    threading.Thread(target=feed, args=(writes, seed), daemon=True).start()
    return reads


def complaint(options, scenario, seed):
    command = [options.heddle, "run", f"--max-threads={MAX_THREADS}", options.guest, scenario, str(seed)]
    code, out = SCENARIOS[scenario]
    limit = HANGS_AFTER_S * max(1.0, float(os.environ.get("HEDDLE_SLOWDOWN", "1")))
    stdin = stdin_for(scenario, seed)
    try:
        done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"still runs after {limit:.0f} s"
    finally:
        os.close(stdin)
    if (done.returncode, done.stdout, done.stderr) == (code, out, b""):
        return None
    return f"exit code {done.returncode}, not {code}: {(done.stdout + done.stderr).decode(errors='replace')}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guest", required=True)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("HEDDLE_STRESS_SECONDS", "4")))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--scenario", choices=SCENARIOS)
    options = parser.parse_args()
    scenarios = [options.scenario] if options.scenario else list(SCENARIOS)
    until = time.monotonic() + options.seconds
    runs = 0
    while True:
        seed = options.seed if options.seed is not None else random.getrandbits(31)
        for scenario in scenarios:
            runs += 1
            if wrong := complaint(options, scenario, seed):
                print(f"--scenario {scenario} --seed {seed}: {wrong}")
                return 1
        if options.seed is not None or time.monotonic() >= until:
            print(f"{runs} runs")
            return 0


sys.exit(main())
