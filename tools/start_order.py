#!/usr/bin/env python3
"""Writes src/cli/start_order.txt: the functions that run between exec and exit of short programs.

    start_order.py --heddle PATH WASM...

The linker puts what stands in the list in one place, so that a start touches few pages of the executable. Each WASM is run under
valgrind's callgrind (of the distribution, not among ./dev's packages) without the code cache, with an empty one and with a full
one. The list need not be exact: a name that is gone is passed over, a function that is missing stands elsewhere.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LIST = pathlib.Path(__file__).parent.parent / "src/cli/start_order.txt"


def functions_run(heddle, wasm, tier, environment, folder):
    out = os.path.join(folder, "callgrind.out")
    command = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", heddle, "run", f"--tier={tier}", wasm]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    # Under valgrind the sampler's signals may find a stack that it cannot extend; then what ran before counts.
    if done.returncode != 0 and not (tier == "auto" and "during signal delivery" in done.stderr):
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stderr}")
    text = pathlib.Path(out).read_text()
    return set(re.findall(r"^c?fn=\(\d+\) ([^'\s]+)", text, re.MULTILINE))


def defined_functions(heddle):
    lines = subprocess.run(["nm", "--defined-only", heddle], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name for _, kind, name in map(str.split, lines) if kind in "tTwW"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    parser.add_argument("wasm", nargs="+")
    options = parser.parse_args()
    run = set()
    for wasm in options.wasm:
        for tier in ("baseline", "auto"):
            with tempfile.TemporaryDirectory() as folder:
                run |= functions_run(options.heddle, wasm, tier, {"HEDDLE_CODE_CACHE": "off"}, folder)
                for _ in range(2):
                    run |= functions_run(options.heddle, wasm, tier, {"XDG_CACHE_HOME": folder}, folder)
    names = sorted(run & defined_functions(options.heddle))
    LIST.write_text("".join(name + "\n" for name in names))
    print(f"{LIST.name}: {len(names)} functions")


if __name__ == "__main__":
    main()
