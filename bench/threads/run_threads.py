#!/usr/bin/env python3
"""Measures threads (bench/threads/threads.c) against the native build of the same program, alternating in one run.

    run_threads.py --heddle PATH --guests DIR [--runs N] [--option=X ...] [--only WORD...] [--json FILE]
                   [--wasmtime PATH]

Prints nanoseconds an operation (medians), their ratio and what part 3's targets ask; how many MB were resident with
1,000 threads alive; and how long it takes from the event to the process being gone with 1,000 threads blocked.
Rows with a count of their own last about a second, so that compiling is not what they show. --wasmtime adds a column.
`ping_pong.one_cpu` is pinned. Exit code 0 whether or not a target is met: it is a measurement, not a test.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

# name -> operation and its arguments, pinned to one CPU, target (a ratio; notify: ns)
ROWS = {
    "spawn_join": ("spawn_join", False, 1.3),
    "alive.1000": ("alive", False, 1.4),
    "lock_contended": ("lock_contended 20000000", False, 1.1),
    "lock_uncontended": ("lock_uncontended", False, None),
    "ping_pong.two_cpus": ("ping_pong", False, None),
    "ping_pong.one_cpu": ("ping_pong", True, 1.3),
    "atomic_shared": ("atomic_shared 100000000", False, 1.05),
    "atomic_private": ("atomic_private 200000000", False, 1.05),
    "barrier.4": ("barrier", False, None),
    "notify_nobody": ("notify_nobody", False, 20),
}


def measure(command, pinned):
    """Nanoseconds an operation, and the most MB that were resident."""
    pin = (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) if pinned else None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pin)
    said = process.stdout.read()
    complaint = process.stderr.read()  # a line or two, if anything: never fills the pipe
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{complaint}")
    return float(said), usage.ru_maxrss / 1024


def time_to_end(command):
    """Milliseconds from the guest's word `ending` to the end of the process."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    began = time.monotonic()
    process.wait()
    return (time.monotonic() - began) * 1000


def main():
    os.environ["HEDDLE_CODE_CACHE"] = "off"  # every run compiles: what is measured is a first start
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--option", action="append", default=[], help="goes to heddle")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json")
    parser.add_argument("--wasmtime", help="runs the same guest too")
    options = parser.parse_args()
    run = [options.heddle, "run", *options.option]
    wasm = str(options.guests / "wasm/bench_threads.wasm")
    commands = {"native": [str(options.guests / "native/bench_threads")], "heddle": [*run, wasm]}
    if options.wasmtime:
        commands["wasmtime"] = [options.wasmtime, "run", "-W", "threads=y,shared-memory=y", "-S", "threads=y", wasm]
    rows = {}
    print(f"{'operation':20} {'native ns':>10} {'heddle ns':>10} {'ratio':>6} {'target':>6}"
          + ("   wasmtime ns" if options.wasmtime else ""))
    for name, (operation, pinned, target) in ROWS.items():
        if options.only and not any(word in name for word in options.only):
            continue
        seen = {engine: [] for engine in commands}
        for _ in range(options.runs):
            for engine, command in commands.items():
                seen[engine].append(measure([*command, *operation.split()], pinned))
        row = {"target": target}
        for engine, measured in seen.items():
            row[f"{engine}_ns"] = statistics.median(ns for ns, _ in measured)
            row[f"{engine}_mb"] = statistics.median(mb for _, mb in measured)
        row["ratio"] = row["heddle_ns"] / row["native_ns"] if row["native_ns"] else None
        rows[name] = row
        ratio = f"{row['ratio']:6.2f}" if row["ratio"] else "     -"
        print(f"{name:20} {row['native_ns']:10.1f} {row['heddle_ns']:10.1f} {ratio} {target or '':>6}"
              + (f" {row['wasmtime_ns']:13.1f}" if options.wasmtime else ""), flush=True)
    if "alive.1000" in rows:
        row = rows["alive.1000"]
        print(f"resident with 1,000 threads: native {row['native_mb']:.1f} MB, heddle {row['heddle_mb']:.1f} MB (target 40)")
    if not options.only or "ending" in options.only:
        for who in ("main", "thread"):
            for how in ("exit", "trap"):
                command = [*run, str(options.guests / "wasm/endings.wasm"), how, who, "wait", "1000"]
                with open(os.devnull, "wb") as null:
                    saved = os.dup(2)
                    os.dup2(null.fileno(), 2)
                    times = [time_to_end(command) for _ in range(options.runs)]
                    os.dup2(saved, 2)
                rows[f"ending.{how}.{who}"] = {"median_ms": statistics.median(times)}
                print(f"{how} on {who} with 1,000 blocked threads: gone after {statistics.median(times):.1f} ms "
                      f"(slowest {max(times):.1f}; target 30)", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
