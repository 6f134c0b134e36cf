"""What the benchmarks share: one run of a command, commands in turn, Wasmtime beside us, figures and their JSON."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def parser(description, runs, guests=True):
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--heddle", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    result.add_argument("--guests", required=guests, type=lambda path: pathlib.Path(path).resolve(),
                        help="the build's guests folder")
    result.add_argument("--option", action="append", default=[], help="goes to heddle")
    result.add_argument("--wasmtime", help="Wasmtime's command line, built with wasi-threads")
    result.add_argument("--runs", type=int, default=runs)
    result.add_argument("--json", type=pathlib.Path, help="puts the figures into this file, beside other benchmarks'")
    return result


def once(command, stdin=None):
    """Runs to the end: seconds from exec to exit, and what it wrote to standard output. Anything but exit code 0 ends us."""
    command = [str(word) for word in command]
    with (open(stdin or os.devnull, "rb") as source, tempfile.TemporaryFile() as output,
          tempfile.TemporaryFile() as complaint):  # Wasmtime has a warning for each run
        began = time.perf_counter()
        pid = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, source.fileno(), 0), (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                                           (os.POSIX_SPAWN_DUP2, complaint.fileno(), 2)])
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - began
        if status != 0:
            complaint.seek(0)
            raise SystemExit(f"{' '.join(command)}: {os.waitstatus_to_exitcode(status)} is its exit code\n"
                             + complaint.read().decode(errors="replace"))
        output.seek(0)
        return seconds, output.read().decode(errors="replace")


def samples(commands, runs, value=lambda seconds, output: seconds, stdin=None, warm_up=False):
    """label -> what `value` says of each run; all take turns, so that all see the same machine."""
    seen = {label: [] for label in commands}
    for turn in range(-1 if warm_up else 0, runs):
        for label, command in commands.items():
            result = value(*once(command, stdin))
            if turn >= 0:
                seen[label].append(result)
    return seen


def alternate(*arguments, **options):
    """label -> median of samples()."""
    return {label: statistics.median(values) for label, values in samples(*arguments, **options).items()}


def first_and_again(run, cache):
    """Labels and commands of heddle without its code cache, and with what an earlier run left in the folder `cache`."""
    return {"heddle, no cache": ["/usr/bin/env", "HEDDLE_CODE_CACHE=off", *run],
            "heddle, again": ["/usr/bin/env", "HEDDLE_CODE_CACHE=on", f"XDG_CACHE_HOME={cache}", *run]}


class Wasmtime:
    """Commands of its command line; `threads` for modules that spawn some."""

    def __init__(self, path):
        self.path = path

    def words(self, threads):
        wasm = ["-W", "exceptions=y,gc=y,function-references=y" + (",threads=y,shared-memory=y" if threads else "")]
        return wasm, wasm + (["-S", "threads=y"] if threads else [])

    def cold(self, wasm, *arguments, threads=False, options=()):
        return [self.path, "run", "-C", "cache=n", *self.words(threads)[1], *options, wasm, *arguments]

    def compile(self, wasm, target, threads=False):
        subprocess.run([self.path, "compile", *self.words(threads)[0], "-o", target, wasm], check=True)
        return target

    def precompiled(self, cwasm, *arguments, threads=False, options=()):
        return [self.path, "run", "--allow-precompiled", *self.words(threads)[1], *options, cwasm, *arguments]


class Figures:
    """Prints each figure beside its target as it comes; keeps all for the JSON file."""

    def __init__(self, name, options, peers=True):
        self.name, self.path, self.figures = name, options.json, {}
        print(f"== {name}", flush=True)
        if peers and not options.wasmtime:
            print("Wasmtime is left out: no --wasmtime")

    def add(self, what, value, unit="", at_most=None, at_least=None):
        self.figures[what] = {"value": value, "unit": unit, "at_most": at_most, "at_least": at_least}
        target = f"   target: at most {at_most}" if at_most is not None else \
            f"   target: at least {at_least}" if at_least is not None else ""
        print(f"{what:56} {value:9.3f} {unit:6}{target}", flush=True)

    def write(self):
        if self.path is None:
            return
        whole = json.loads(self.path.read_text()) if self.path.exists() else {}
        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
        processor = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        whole[self.name] = {"machine": f"{len(processor)} x {processor[0]}, Linux {platform.release()}", "commit": commit,
                            "date": datetime.date.today().isoformat(), "figures": self.figures}
        self.path.write_text(json.dumps(whole, indent=1) + "\n")
