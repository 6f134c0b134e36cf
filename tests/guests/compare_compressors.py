#!/usr/bin/env python3
"""Runs a parallel compressor natively and in heddle: same bytes, and the system's own tool accepts them.

    compare_compressors.py --heddle PATH --guests DIR [--megabytes N] [--times] pgzip|pzstd

The input is half random bytes and half text-like bytes, the same for every run (seeded); with --random, random bytes
only. --times runs on that input with 1 thread and with all cores and prints times and gains; this is what
`./dev demo` shows. With --min-gain-ratio R it fails when heddle's gain is less than R of the native gain.
"""
import argparse
import hashlib
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

CHECK = {"pgzip": (["gzip", "-t"], ["gzip", "-dc"], ".gz"), "pzstd": (["zstd", "-q", "-t"], ["zstd", "-q", "-dc"], ".zst")}


def make_input(path, megabytes, only_random):
    source = random.Random(20260723)
    words = [bytes(source.choices(b"abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _ in range(3000)]
    with open(path, "wb") as file:
        for number in range(megabytes):
            if only_random or number % 2 == 0:
                file.write(source.randbytes(1_000_000))
            else:
                text = b" ".join(source.choices(words, k=220_000))
                file.write((text + b"\n" * 1_000_000)[:1_000_000])


def run(command, input_path, output_path, may_warn=False):
    with open(input_path, "rb") as source, open(output_path, "wb") as target:
        start = time.monotonic()
        done = subprocess.run(command, stdin=source, stdout=target, stderr=subprocess.PIPE)
        seconds = time.monotonic() - start
    if done.returncode != 0 or (done.stderr and not may_warn):
        sys.exit(f"WRONG: {' '.join(command)}\nexit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return seconds


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    os.environ["HEDDLE_CODE_CACHE"] = "off"  # every run compiles: what is measured is a first start
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=12)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--threads", help="thread counts, e.g. 1,2,5; default: 1, 2 and 5, with --times 1 and all cores")
    parser.add_argument("--level", help="the compressor's level, e.g. -9")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--runs", type=int, default=1, help="with --times: how often each; the median counts")
    parser.add_argument("--min-gain-ratio", type=float)
    parser.add_argument("--wasmtime")
    parser.add_argument("program", choices=sorted(CHECK))
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    counts = [int(n) for n in options.threads.split(",")] if options.threads else \
        sorted({1, cores}) if options.times else [1, 2, 5]
    check, unpack, suffix = CHECK[options.program]
    arguments = [options.level] if options.level else []

    kinds = {"native": [str(options.guests / "native" / options.program)],
             "heddle": [options.heddle, "run", str(options.guests / "wasm" / (options.program + ".wasm"))]}
    if options.wasmtime:
        kinds["wasmtime"] = [options.wasmtime, "run", "-C", "cache=n", "-W", "threads=y,shared-memory=y", "-S", "threads=y",
                             kinds["heddle"][-1]]
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "input")
        make_input(source, options.megabytes, options.random)
        wanted = None
        for count in counts:
            for _ in range(options.runs):  # native and heddle in turn, so that both see the same machine
                for kind, command in kinds.items():
                    output = os.path.join(folder, kind + suffix)
                    seconds = run(command + ["-p", str(count), *arguments], source, output, may_warn=kind == "wasmtime")
                    times.setdefault((kind, count), []).append(seconds)
                    found = digest(output)
                    if wanted is None:
                        wanted = found
                    elif found != wanted:
                        sys.exit(f"WRONG: {kind} with {count} threads wrote other bytes than the first native run")
        final = os.path.join(folder, "heddle" + suffix)
        subprocess.run(check + [final], check=True)
        with subprocess.Popen(unpack + [final], stdout=subprocess.PIPE) as process:
            restored = hashlib.file_digest(process.stdout, "sha256").hexdigest()
        if restored != digest(source):
            sys.exit("WRONG: what comes out again is not the input")
        size = os.path.getsize(final)
    print(f"{options.program}: {options.megabytes} MB -> {size:,} bytes; the same from heddle and the native build, "
          f"with {', '.join(map(str, counts))} threads; `{' '.join(check)}` accepts it")
    if options.times and len(counts) > 1:
        show_times(options, times, counts)


def show_times(options, times, counts):
    medians = {key: statistics.median(seconds) for key, seconds in times.items()}
    first, last = counts[0], counts[-1]
    gains = {kind: medians[kind, first] / medians[kind, last] for kind, count in medians if count == first}
    for kind, gain in gains.items():
        print(f"  {kind:8} 1 thread {medians[kind, first]:6.2f} s   {last} threads {medians[kind, last]:6.2f} s   gain {gain:.2f}")
    ratio = gains["heddle"] / gains["native"]
    print(f"  heddle's gain is {ratio:.2f} of the native gain")
    for peer in gains:
        if peer != "heddle":
            of = [medians["heddle", count] / medians[peer, count] for count in (first, last)]
            print(f"  heddle's time is {of[0]:.2f} (1 thread) and {of[1]:.2f} ({last} threads) of {peer}'s")
    if options.min_gain_ratio is not None and ratio < options.min_gain_ratio:
        sys.exit(f"WRONG: less than {options.min_gain_ratio}")


if __name__ == "__main__":
    main()
