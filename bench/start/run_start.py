#!/usr/bin/env python3
"""Measures how long programs take from exec to exit, against the native build, alternating in one run.

    run_start.py --heddle PATH --guests DIR [--runs N] [--option=X ...] [--yosys yosys.wasm [--python PYTHON [--cold]]]

`empty` does nothing, `threads` starts ten threads that print. With --yosys, also how long that 69 MB module takes to
print its version, and its resident memory; with PYTHON (one that has wasmtime==46.0.1) Wasmtime besides, precompiled,
and with --cold compiled first, which takes it most of a minute. It is a measurement, not a test.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PEER = """
import sys, time, wasmtime
began = time.monotonic()
config = wasmtime.Config()
config.wasm_exceptions = True
engine = wasmtime.Engine(config)
if sys.argv[1] == "compile":
    with open(sys.argv[3], "wb") as out:
        out.write(wasmtime.Module.from_file(engine, sys.argv[2]).serialize())
else:
    module = wasmtime.Module.deserialize_file(engine, sys.argv[2])
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["yosys", "-V"]
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    try:
        linker.instantiate(store, module).exports(store)["_start"](store)
    except wasmtime.ExitTrap as ending:
        assert ending.code == 0
print(time.monotonic() - began, file=sys.stderr)
"""


def once(command):
    """Seconds from exec to exit, and the most MB that were resident (no less than this script's own: the kernel's way)."""
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: ended with status {status}")
    return took, usage.ru_maxrss / 1024


def alternate(commands, runs):
    """For each command the median of its seconds and of its MB."""
    seen = [[] for _ in commands]
    for command in commands:
        once(command)
    for _ in range(runs):
        for times, command in zip(seen, commands):
            times.append(once(command))
    return [tuple(statistics.median(column) for column in zip(*times)) for times in seen]


def peer(python, *arguments):
    done = subprocess.run([python, "-c", PEER, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"Wasmtime: {done.stderr.strip().splitlines()[-1]}")
        return None
    return float(done.stderr)


def yosys(options, run):
    (took, mb), = alternate([[*run, options.yosys, "-V"]], max(5, options.runs // 10))
    size = pathlib.Path(options.yosys).stat().st_size / 1e6
    print(f"yosys -V: heddle {took * 1000:.0f} ms, {mb:.0f} MB resident, {mb / size:.2f} MB per MB of module")
    if not options.python:
        print("Wasmtime: not measured (--python)")
        return
    with tempfile.TemporaryDirectory() as folder:
        ahead = str(pathlib.Path(folder) / "yosys.cwasm")
        compiling = peer(options.python, "compile", options.yosys, ahead) if options.cold else None
        if not pathlib.Path(ahead).exists():
            return
        running = [peer(options.python, "run", ahead) for _ in range(5)]
        if None not in running:
            ms = statistics.median(running) * 1000
            print(f"yosys -V: Wasmtime 46 precompiled {ms:.0f} ms, cold {compiling + ms / 1000:.1f} s "
                  f"({(compiling + ms / 1000) / took:.0f} times heddle's)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--option", action="append", default=[], help="goes to heddle")
    parser.add_argument("--yosys")
    parser.add_argument("--python")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    run = [str(pathlib.Path(options.heddle).resolve()), "run", *options.option]
    for guest, allowed in (("empty", 0.8), ("threads", 2.0)):
        (native, _), (heddle, _) = alternate(
            [[str((options.guests / "native" / guest).resolve())], [*run, str(options.guests / f"wasm/{guest}.wasm")]],
            options.runs)
        print(f"{guest:8} native {native * 1000:.2f} ms, heddle {heddle * 1000:.2f} ms: "
              f"{(heddle - native) * 1000:+.2f} ms (target {allowed:+.1f})")
    if options.yosys:
        yosys(options, run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
