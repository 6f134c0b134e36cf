#!/usr/bin/env python3
"""Peak speed: times the kernels natively, in heddle's two tiers and in Wasmtime, and says how they compare.

    run_kernels.py --heddle PATH --guests DIR [--only NAME,...] [--runs N] [--json FILE] [--whole]
                   [--engines native,baseline,llvm,wasmtime] [--heddle-option OPTION]...

Every kernel works twice in its process, on a small size first, so that all code is compiled and warm; the CPU time of
the second pass, which the kernel takes from its own clock, is what counts (with --whole: user plus system time of the
whole process, starting and compiling included). Median of the runs; native and engines take turns, so that all see the
same machine. Every run must print the native build's checksum.

The native programs and the modules come from the same sources at -O2. Wasmtime is the Python package wasmtime==46.0.1
with precompiled modules, in a process of its own (wasmtime_peer.py); without it that column stays empty.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile

# name -> (size of the measured pass, size of the pass before it)
KERNELS = {"nbody": (5000000, 20000), "fannkuch": (10, 8), "spectral_norm": (2400, 150), "mandelbrot": (1500, 120),
           "sha256": (100000, 800), "crc32": (3000, 30), "lz": (60, 2), "sort": (2000000, 60000), "strings": (40, 1),
           "tree": (16, 12), "interpreter": (5000000, 40000), "matmul": (1000, 160), "sieve": (50000000, 400000),
           "queens": (14, 9), "wide": (18000, 1500), "vector": (100000, 400), "atomics": (3000000, 40000)}
ENGINES = ["native", "baseline", "llvm", "wasmtime"]
PEER = pathlib.Path(__file__).with_name("wasmtime_peer.py")


def run(command, whole):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}\nexit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    if whole:
        return done.stdout.decode(), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout.decode(), int(done.stderr.split()[-1]) / 1e9


def commands_for(name, options, engines, scratch):
    """engine -> command."""
    wasm = str(options.guests / "wasm" / f"kernel_{name}.wasm")
    size, warm_up = KERNELS[name]
    sizes = [str(size)] if options.whole else [str(size), str(warm_up)]
    heddle = [options.heddle, "run", *options.heddle_option]
    commands = {"native": [str(options.guests / "native" / f"kernel_{name}"), *sizes],
                "baseline": [*heddle, "--tier=baseline", wasm, *sizes],
                "llvm": [*heddle, "--tier=llvm", wasm, *sizes]}
    # Wasmtime's Python package has no threads.
    if "wasmtime" in engines and name != "atomics":
        precompiled = str(pathlib.Path(scratch) / f"{name}.cwasm")
        subprocess.run([options.python, PEER, "compile", wasm, precompiled], check=True)
        commands["wasmtime"] = [options.python, str(PEER), "run", precompiled, *sizes]
    return {engine: command for engine, command in commands.items() if engine in engines}


def measure(name, options, engines, scratch):
    commands = commands_for(name, options, engines, scratch)
    times = {label: [] for label in commands}
    checksum = None
    for _ in range(options.runs):
        for label, command in commands.items():
            output, seconds = run(command, options.whole)
            checksum = checksum or output
            if output != checksum:
                sys.exit(f"{name}: {label} prints {output.strip()}, the native build {checksum.strip()}")
            times[label].append(seconds)
    return {label: statistics.median(seconds) for label, seconds in times.items()}


def present(options):
    engines = options.engines.split(",")
    if "wasmtime" in engines and subprocess.run([options.python, "-c", "import wasmtime"], capture_output=True).returncode:
        print(f"wasmtime is left out: {options.python} has no package wasmtime (pip install wasmtime==46.0.1; --python)")
        engines.remove("wasmtime")
    return engines


def main():
    os.environ["HEDDLE_CODE_CACHE"] = "off"  # every run compiles: what is measured is a first start
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--heddle-option", action="append", default=[])
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--python", default=sys.executable, help="the Python that has wasmtime")
    parser.add_argument("--only")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(KERNELS)
    engines = present(options)
    print(f"{'kernel':15}" + "".join(f"{label:>10}" for label in engines)
          + "".join(f"{label + '/native':>18}" for label in engines[1:]))
    results, logarithms = {}, {label: [] for label in engines[1:]}
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            results[name] = seconds = measure(name, options, engines, scratch)
            line = f"{name:15}" + "".join(f"{seconds[e]:9.3f}s" if e in seconds else " " * 10 for e in engines)
            for label in engines[1:]:
                if label not in seconds:
                    line += f"{'-':>18}"
                    continue
                ratio = seconds[label] / seconds["native"]
                logarithms[label].append(math.log(ratio))
                line += f"{ratio:18.2f}"
            print(line, flush=True)
    means = {label: math.exp(statistics.mean(values)) for label, values in logarithms.items() if values}
    print(f"{'geometric mean':15}" + " " * 10 * len(engines)
          + "".join(f"{means.get(label, math.nan):18.3f}" for label in engines[1:]))
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.processor() or platform.machine(), "runs": options.runs,
                                            "seconds": results, "mean_of_ratios": means}, indent=1))


if __name__ == "__main__":
    main()
