#!/usr/bin/env python3
"""Runs heddle in GDB and reads the backtraces that it prints.

    calls   the guest's functions in the stacks of the main thread and a spawned one that are in a host call, and of the
            main thread that waits meanwhile: in their order, from the host function up to main or the thread's start
    steps   the same at every instruction of a guest's loop: prologues, calls, inlined calls, epilogues
    sigint  the stack of a guest that spins and is interrupted as with Ctrl-C
    attach  the same in a process that GDB is attached to later, with --debug-info
    breakpoints   one in a guest's function before there is code of it, and finish out of it
    lines   files and lines of a guest with DWARF, at a trap
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

FRAME = re.compile(r"^#(\d+) +(?:0x[0-9a-f]+ in )?(\S+)(.*)$")
MAIN = ["_start", "heddle_enter", "main"]
STEPS = 150


def fail(sentence, output=""):
    print(output)
    print(f"WRONG: {sentence}")
    sys.exit(1)


def check_gdb(output):
    if re.search(r"ptrace: Operation not permitted|Could not trace the inferior|ptrace: Permission denied", output):
        fail("GDB may not trace processes here (ptrace is forbidden; containers: --cap-add=SYS_PTRACE)", output)


def gdb(arguments, commands):
    program = shutil.which("gdb")
    if program is None:
        fail("gdb is not installed; ./dev deps installs it")
    words = [program, "-nx", "-batch"]
    for command in ["set pagination off", "set confirm off", "set breakpoint pending off", *commands]:
        words += ["-ex", command]
    # Loops are read from a script only.
    return subprocess.Popen([*words, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace")


def stacks(output):
    """Lists of (function, rest of the line), innermost first."""
    found = []
    for line in output.splitlines():
        match = FRAME.match(line)
        if match is None:
            continue
        if int(match[1]) == 0:
            found.append([])
        if not found or len(found[-1]) != int(match[1]):
            fail(f"frames are not in order at: {line}", output)
        found[-1].append((match[2], match[3]))
    return found


def contains(stack, names):
    """Whether the names are in the stack in this order, others between."""
    functions = iter(function for function, _ in stack)
    return all(any(function == name for function in functions) for name in names)


def need(found, names, what, output):
    if not any(contains(stack, names) for stack in found):
        fail(f"no stack of {what} with {' < '.join(names)}", output)


def check_calls(heddle, options, guest):
    child = gdb(["--args", heddle, "run", *options, guest],
                ["break heddle::wasi::handlers::fd_write", "run", "bt", "continue", "thread apply all bt", "kill"])
    output, _ = child.communicate(timeout=100)
    check_gdb(output)
    found = stacks(output)
    need(found, ["heddle_host_thunk", "write", "run", *MAIN], "the main thread in a host call", output)
    need(found, ["heddle_host_thunk", "write", "in_thread", "wasi_thread_start", "heddle_enter", "start_thread"],
         "the spawned thread in a host call", output)
    need(found, ["wait", "run", *MAIN], "the main thread that waits", output)
    if not re.search(r"^#\d+ .* in run \(\) at wasm:\d+$", output, re.MULTILINE):
        fail("no line of a function without DWARF", output)


def check_steps(heddle, options, guest, folder):
    script = folder / "steps.gdb"
    script.write_text("frame function heddle_host_thunk\ntbreak *$pc\ncontinue\nset $i = 0\n"
                      f"while $i < {STEPS}\n  stepi\n  bt\n  set $i = $i + 1\nend\nkill\n")
    child = gdb(["-x", str(script), "--args", heddle, "run", *options, guest],
                ["break heddle::wasi::handlers::fd_write", "run", "continue", "continue", "delete"])
    output, _ = child.communicate(timeout=200)
    check_gdb(output)
    found = stacks(output.split("Temporary breakpoint", 1)[-1])
    if len(found) != STEPS:
        fail(f"{len(found)} stacks after {STEPS} steps", output)
    for i, stack in enumerate(found):
        if not contains(stack, ["run", *MAIN]):
            fail(f"a broken stack after {i} steps: {stack}", output)
    for names in (["leaf", "deep", "toil", "run"], ["leaf", "toil", "run"], ["deep", "toil", "run"]):
        if not any([function for function, _ in stack][:len(names)] == names for stack in found):
            fail(f"no step in {' < '.join(names)}", output)


def child_of(process):
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in map(int, children):
        if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "heddle":
            return child
    return None


def check_sigint(heddle, options, guest):
    child = gdb(["--args", heddle, "run", *options, guest], ["run", "thread apply all bt", "kill"])
    output = ""
    for line in child.stdout:
        output += line
        if line == "spinning\n":
            os.kill(child_of(child), signal.SIGINT)
            break
    output += child.communicate(timeout=100)[0]
    check_gdb(output)
    need(stacks(output), ["run", *MAIN], "the guest that spins", output)


def check_attach(heddle, options, guest):
    process = subprocess.Popen([heddle, "run", "--debug-info=on", *options, guest], stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if line == "spinning\n":
                break
        else:
            fail("heddle ended early")
        output, _ = gdb(["-p", str(process.pid)], ["thread apply all bt", "detach"]).communicate(timeout=100)
    finally:
        process.kill()
        process.wait()
    check_gdb(output)
    need(stacks(output), ["run", *MAIN], "the guest that spins", output)


def check_breakpoints(heddle, options, guest):
    child = gdb(["--args", heddle, "run", *options, guest],
                ["set breakpoint pending on", "break toil", "run", "bt", "finish", "bt", "continue", "bt", "kill"])
    output, _ = child.communicate(timeout=100)
    check_gdb(output)
    seen = [[function for function, _ in stack][:3] for stack in stacks(output)]
    if seen != [["toil", "run", "_start"], ["run", "_start", "heddle_enter"], ["toil", "run", "_start"]]:
        fail(f"the program stopped elsewhere: {seen}", output)


def check_lines(heddle, options, guest):
    child = gdb(["--args", heddle, "run", *options, guest, "unreachable"], ["run", "bt", "kill"])
    output, _ = child.communicate(timeout=100)
    check_gdb(output)
    found = stacks(output)
    if not found or not contains(found[0], ["main", *MAIN]):
        fail("no stack from the trap to main", output)
    if not any(function == "main" and re.search(r"/traps[.]c:\d+$", rest) for function, rest in found[0]):
        fail("main is in no line of traps.c", output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heddle", required=True)
    parser.add_argument("--guest", required=True)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--tier", required=True)
    parser.add_argument("case", choices=["calls", "steps", "sigint", "attach", "breakpoints", "lines"])
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    options = [f"--tier={o.tier}"]
    if o.case == "steps":
        check_steps(o.heddle, options, o.guest, o.folder)
    else:
        checks = {"calls": check_calls, "sigint": check_sigint, "attach": check_attach,
                  "breakpoints": check_breakpoints, "lines": check_lines}
        checks[o.case](o.heddle, options, o.guest)


if __name__ == "__main__":
    main()
