#!/usr/bin/env python3
"""Times the kernels, natively and in heddle, and says how they compare.

    run_kernels.py --heddle PATH --guests DIR [--only NAME,...] [--runs N] [--json FILE]
                   [--engine LABEL=COMMAND]... [--heddle-option OPTION]...

COMMAND may be any other engine's command line; {wasm} in it stands for the module. Every run must print the native
build's checksum. The time is user plus system time of the process (with
--wall the clock on the wall), the median of the runs; native and engines take turns, so that all see the same machine.
Each process is timed whole, starting and compiling included.
"""
import argparse
import json
import math
import pathlib
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import time

KERNELS = ["nbody", "fannkuch", "spectral_norm", "mandelbrot", "sha256", "crc32", "lz", "sort", "strings", "tree",
           "interpreter", "matmul", "sieve", "queens", "wide", "vector", "atomics"]


def run(command, wall):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}\nexit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    if not wall:
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout.decode(), seconds


def commands_for(name, options):
    """label -> command; native first."""
    wasm = str(options.guests / "wasm" / f"kernel_{name}.wasm")
    commands = {"native": [str(options.guests / "native" / f"kernel_{name}")],
                "heddle": [options.heddle, "run", *options.heddle_option, wasm]}
    for engine in options.engine:
        label, command = engine.split("=", 1)
        commands[label] = [word.replace("{wasm}", wasm) for word in shlex.split(command)]
    return commands


def measure(name, options):
    commands = commands_for(name, options)
    times = {label: [] for label in commands}
    checksum = None
    for _ in range(options.runs):
        for label, command in commands.items():
            output, seconds = run(command, options.wall)
            checksum = checksum or output
            if output != checksum:
                sys.exit(f"{name}: {label} prints {output.strip()}, the native build {checksum.strip()}")
            times[label].append(seconds)
    return {label: statistics.median(seconds) for label, seconds in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--heddle-option", action="append", default=[])
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--only")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    names = options.only.split(",") if options.only else KERNELS
    labels = list(commands_for(names[0], options))
    print(f"{'kernel':15}" + "".join(f"{label:>10}" for label in labels)
          + "".join(f"{label + '/native':>18}" for label in labels[1:]))
    results, logarithms = {}, {label: [] for label in labels[1:]}
    for name in names:
        results[name] = seconds = measure(name, options)
        ratios = {label: seconds[label] / seconds["native"] for label in labels[1:]}
        for label, ratio in ratios.items():
            logarithms[label].append(math.log(ratio))
        print(f"{name:15}" + "".join(f"{seconds[label]:9.3f}s" for label in labels)
              + "".join(f"{ratios[label]:18.2f}" for label in labels[1:]), flush=True)
    means = {label: math.exp(statistics.mean(values)) for label, values in logarithms.items()}
    print(f"{'geometric mean':15}" + " " * 10 * len(labels) + "".join(f"{means[label]:18.2f}" for label in labels[1:]))
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.processor() or platform.machine(), "runs": options.runs,
                                            "seconds": results, "mean_of_ratios": means}, indent=1))


if __name__ == "__main__":
    main()
