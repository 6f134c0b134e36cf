#!/usr/bin/env python3
"""Runs one case of the command line's tests: a folder with

    cmd      the command, one line per argument or all on one line, quoted as in a shell; the words may contain
             {heddle}, {wasm} (folder of the built guests), {case} (this folder) and {tmp} (a fresh folder, which is
             also the working directory)
    make     optional: Python that prepares files in the working directory before the run
    stdin    optional: standard input; otherwise it is empty
    stdout   optional: what standard output must be, exactly; stdout.re: a regular expression for all of it
    stderr   optional: the same for standard error; stderr.re: the same. Without either it must be empty
    exit     optional: the exit code; 0 otherwise

Besides, in every case: standard error never shows a crash of heddle itself, and the process ends by itself.
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile


def check_stream(case, name, seen, default):
    exact, pattern = case / name, case / f"{name}.re"
    if exact.exists():
        return [] if seen == exact.read_text() else [f"{name} is not what the file {name} says"]
    if pattern.exists():
        wanted = pattern.read_text().rstrip("\n")
        return [] if re.fullmatch(wanted, seen, re.DOTALL) else [f"{name} does not match: {wanted}"]
    return [] if default is None or seen == default else [f"{name} is not empty"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guests", required=True)
    parser.add_argument("case", type=pathlib.Path)
    options = parser.parse_args()
    case = options.case
    with tempfile.TemporaryDirectory() as folder:
        names = {"heddle": options.heddle, "wasm": f"{options.guests}/wasm", "case": str(case), "tmp": folder}
        if (case / "make").exists():
            exec(compile((case / "make").read_text(), str(case / "make"), "exec"), {"names": names, "tmp": folder,
                 "__name__": "make", "pathlib": pathlib, "at": pathlib.Path(folder)})
        command = [word.format(**names) for word in shlex.split((case / "cmd").read_text())]
        stdin = (case / "stdin").read_bytes() if (case / "stdin").exists() else b""
        done = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, timeout=50)
    stdout, stderr = (text.decode(errors="replace").replace(folder, "{tmp}") for text in (done.stdout, done.stderr))
    wanted = int((case / "exit").read_text()) if (case / "exit").exists() else 0
    wrong = check_stream(case, "stdout", stdout, None) + check_stream(case, "stderr", stderr, "")
    if done.returncode != wanted:
        wrong.append(f"exit code {done.returncode}, wanted {wanted}")
    if wrong:
        print(f"command: {shlex.join(command)}")
        print("\n".join(f"WRONG: {sentence}" for sentence in wrong))
        print(f"--- standard output\n{stdout}\n--- standard error\n{stderr}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
