#!/usr/bin/env python3
"""Measures WASI calls against the native calls, alternating in one run (bench/wasi/calls.c).

    run_wasi.py --heddle PATH --guests DIR [--rounds N] [--runs N] [--json FILE]

Prints the least nanoseconds of each operation over the runs (what the operation costs when nothing else disturbs it;
medians of a busy machine measure the others) and their ratio.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile


def measure(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {name: float(ns) for name, ns in (line.split() for line in done.stdout.splitlines())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--option", action="append", default=[], help="goes to heddle")
    parser.add_argument("--rounds", type=int, default=50000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json")
    options = parser.parse_args()
    native, wasm = {}, {}
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder:
        for _ in range(options.runs):
            for times, command in (
                    (native, [options.guests / "native/wasi_calls", folder]),
                    (wasm, [options.heddle, "run", *options.option, "--dir", f"{folder}::/",
                            options.guests / "wasm/wasi_calls.wasm", "/"])):
                for name, ns in measure([*map(str, command), str(options.rounds)]).items():
                    times.setdefault(name, []).append(ns)
    rows = {name: {"native_ns": min(native[name]), "heddle_ns": min(wasm[name])}
            for name in native}
    print(f"{'operation':22} {'native ns':>10} {'heddle ns':>10} {'ratio':>6}")
    for name, row in rows.items():
        row["ratio"] = row["heddle_ns"] / row["native_ns"]
        print(f"{name:22} {row['native_ns']:10.1f} {row['heddle_ns']:10.1f} {row['ratio']:6.2f}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
