#!/usr/bin/env python3
"""A long loop that is entered once (loop.c), on 1 and on 8 threads: rounds with the default tier as a share of the
rounds with --tier=llvm, which is compiled before it starts. Cumulative: in the whole first second; reached: between
0.5 s and 1 s, which is what the target speaks of."""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure


def main():
    options = measure.parser(__doc__, 7).parse_args()
    figures = measure.Figures("osr", options, peers=False)
    wasm = options.guests / "wasm/bench_osr.wasm"
    for threads in (1, 8):
        commands = {tier: [options.heddle, "run", *options.option, f"--tier={tier}", wasm, str(threads)]
                    for tier in ("auto", "baseline", "llvm")}
        seen = measure.samples(commands, options.runs, lambda _, output: [int(word) for word in output.split()])
        for column, (name, target) in enumerate((("cumulative", None), ("reached", 0.9))):
            rounds = {tier: statistics.median(run[column] for run in runs) for tier, runs in seen.items()}
            figures.add(f"{threads} threads, {name}, auto / llvm", rounds["auto"] / rounds["llvm"], at_least=target)
            figures.add(f"{threads} threads, {name}, baseline / llvm", rounds["baseline"] / rounds["llvm"])
    figures.write()


if __name__ == "__main__":
    main()
