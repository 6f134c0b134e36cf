#!/usr/bin/env python3
"""Modules of about a hundred bytes that announce huge counts must not make heddle allocate more than a few MB.

    announced_sizes.py --heddle PATH

Each module is validated and run in a process of its own that may allocate (RLIMIT_DATA) 4 MiB more than an empty module
needs, and hold (resident set) 4 MiB more. The right verdict is expected too: a crash or a hang fails the test.
"""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile

ALLOWED_KB = 4096
HUGE = 0xffffffff
INVALID, VALID, NOT_HERE = "invalid", "valid", "valid, but more than there can be"


def leb(n):
    out = bytearray()
    while True:
        byte, n = n & 0x7f, n >> 7
        out.append(byte | (0x80 if n else 0))
        if not n:
            return bytes(out)


def section(number, contents):
    return bytes([number]) + leb(len(contents)) + contents


def module(*sections):
    return b"\0asm\1\0\0\0" + b"".join(sections)


TYPE = section(1, b"\1\x60\0\0")
FUNC = section(3, b"\1\0")
START = section(7, b"\1\6_start\0\0")


def body(code, locals_=b"\0"):
    whole = locals_ + code + b"\x0b"
    return section(10, b"\1" + leb(len(whole)) + whole)


def program(code=b"", locals_=b"\0", *extra):
    """A program whose _start is `code`; extra sections stand between functions and exports."""
    return module(TYPE, FUNC, *extra, START, body(code, locals_))


def modules():
    # A vector's count with next to nothing behind it, in each section: the most a count can be, and one that the limits
    # would allow.
    names = {1: "types", 2: "imports", 3: "functions", 4: "tables", 5: "memories", 6: "globals", 7: "exports",
             9: "elements", 10: "bodies", 11: "data", 12: "data count", 13: "tags"}
    for number, name in names.items():
        for count in (HUGE, 1_000_000, 90_000):
            yield f"{count} {name}", INVALID, module(TYPE, section(number, leb(count) + b"\0" * 60))
            lying = bytes([number]) + leb(50_000_000) + leb(count) + b"\0" * 60   # the section's size lies as well
            yield f"{count} {name} in a section that is cut off", INVALID, module(TYPE, lying)
    for count in (HUGE, 1_000_000, 1_000):
        yield f"{count} parameters", INVALID, module(section(1, b"\1\x60" + leb(count) + b"\x7f" * 40))
        yield f"{count} results", INVALID, module(section(1, b"\1\x60\0" + leb(count) + b"\x7f" * 40))
        yield f"{count} struct fields", INVALID, module(section(1, b"\1\x5f" + leb(count) + b"\x7f\0" * 20))
        yield f"{count} types of a recursion group", INVALID, module(section(1, b"\1\x4e" + leb(count) + b"\x60\0\0" * 10))
        yield f"{count} supertypes", INVALID, module(section(1, b"\1\x50" + leb(count) + b"\0" * 40))
        yield f"{count} elements", INVALID, module(TYPE, section(4, b"\1\x70\0\1"), section(9, b"\1\0\x41\0\x0b" + leb(count) + b"\0" * 40))
        yield f"{count} element expressions", INVALID, module(TYPE, section(9, b"\1\5\x70" + leb(count) + b"\xd0\x70\x0b" * 10))
        yield f"{count} bytes of data", INVALID, module(section(5, b"\1\0\1"), section(11, b"\1\0\x41\0\x0b" + leb(count) + b"\0" * 40))
        yield f"{count} br_table entries", INVALID, program(b"\x41\0\x0e" + leb(count) + b"\0" * 40)
        yield f"{count} types of a select", INVALID, program(b"\x1c" + leb(count) + b"\x7f" * 40)
        yield f"{count} catches", INVALID, program(b"\x1f\x40" + leb(count) + b"\2\0" * 20)
        yield f"{count} runs of locals", INVALID, program(b"", leb(count) + b"\1\x7f" * 20)
        yield f"a body of {count} bytes", INVALID, module(TYPE, FUNC, section(10, b"\1" + leb(count) + b"\0\x0b"))
        yield f"{count} function names", VALID, program() + section(0, b"\4name\1\x10" + leb(count) + b"\0" * 12)
        yield f"{count} producers", VALID, program() + section(0, b"\x09producers" + leb(count) + b"\0" * 12)
    yield f"{HUGE} locals", INVALID, program(b"", b"\1" + leb(HUGE) + b"\x7e")
    yield "locals whose sum overflows", INVALID, program(b"", b"\2" + leb(HUGE) + b"\x7e" + leb(2) + b"\x7e")
    yield "50,000 locals, as many as may be", VALID, program(b"", b"\1" + leb(50_000) + b"\x7e")
    yield "a memory of 4 GiB", VALID, program(b"", b"\0", section(5, b"\1\0" + leb(65_536)))
    yield "30 memories of 4 GiB", VALID, program(b"", b"\0", section(5, b"\x1e" + (b"\0" + leb(65_536)) * 30))
    yield "a 64-bit memory of 2^48 pages", NOT_HERE, program(b"", b"\0", section(5, b"\1\4" + leb(1 << 48)))
    yield "a table of 10,000,000 entries", VALID, program(b"", b"\0", section(4, b"\1\x70\0" + leb(10_000_000)))
    yield "a table of 2^32 - 1 entries", NOT_HERE, program(b"", b"\0", section(4, b"\1\x70\0" + leb(HUGE)))
    yield "operands from calls of many results", VALID, operands()


def operands():
    """A type of as many results as fit, called as often as fits: each call is two bytes."""
    types = section(1, b"\2\x60\0\0\x60\0" + leb(20) + b"\x7f" * 20)
    code = b"\0" + b"\x10\1" * 20 + b"\x0f\x0b"          # ... and returns, leaving them
    callee = b"\0" + b"\x41\0" * 20 + b"\x0b"
    return module(types, section(3, b"\2\0\1"), START,
                  section(10, b"\2" + leb(len(code)) + code + leb(len(callee)) + callee))


def adopt_orphans():
    """Children of our children become ours when their parent ends (PR_SET_CHILD_SUBREAPER)."""
    if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_CHILD_SUBREAPER) failed")


def run(command, data_kb=None):
    """Exit code, most memory held in KiB, and standard error. With data_kb no more than that can be allocated.

    The kernel counts what a process held before exec, too: of a child of ours, all of this Python. So a shell, which
    is smaller than heddle, starts it and ends, and then heddle, waiting for a line until that has happened, is our
    child.
    """
    limit = f"ulimit -d {data_kb};" if data_kb is not None else ""
    go, say_go = os.pipe()
    with tempfile.TemporaryFile() as stderr:
        err = stderr.fileno()
        script = f'(read go <&{go}; ulimit -t 20; {limit} exec "$@" </dev/null >/dev/null 2>&{err} {go}<&-) & echo $!'
        shell = subprocess.Popen(["/bin/sh", "-c", script, "sh", *command], stdout=subprocess.PIPE, pass_fds=[go, err])
        child = int(shell.stdout.readline())
        shell.wait()
        shell.stdout.close()
        os.close(go)
        os.write(say_go, b"\n")
        os.close(say_go)
        _, status, usage = os.wait4(child, 0)
        stderr.seek(0)
        return os.waitstatus_to_exitcode(status), usage.ru_maxrss, stderr.read().decode(errors="replace").strip()


def least_data_kb(command):
    """What must be allowed for `command` to succeed, found by halving, to 64 KiB."""
    low, high = 0, 1 << 20
    if run(command, high)[0] != 0:
        return None  # a sanitizer reserves terabytes: then only the resident set is looked at
    while high - low > 64:
        middle = (low + high) // 2
        low, high = (low, middle) if run(command, middle)[0] == 0 else (middle, high)
    return high


def complaints(name, verb, expected, outcome, more_kb):
    code, _, stderr = outcome
    if more_kb > ALLOWED_KB:
        yield f"{verb}: {name}: held {more_kb} KiB more than an empty module"
    wanted = 0 if expected == VALID or (expected == NOT_HERE and verb == "validate") else 1
    if code != wanted:
        yield f"{verb}: {name}: exit code {code}, wanted {wanted}: {stderr}"
    elif code == 1 and not stderr.startswith("heddle: "):
        yield f"{verb}: {name}: no reason given: {stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heddle", required=True)
    options = parser.parse_args()
    adopt_orphans()
    wrong, worst, count = [], (0, "none"), 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.wasm")

        def write(wire):
            with open(path, "wb") as file:
                file.write(wire)

        for verb in ("validate", "run"):
            command = [options.heddle, verb, path]
            write(program())
            usual_kb = max(run(command)[1] for _ in range(3))
            data_kb = least_data_kb(command)
            print(f"{verb}: an empty module holds {usual_kb} KiB and allocates {data_kb} KiB")
            for name, expected, wire in modules():
                assert len(wire) <= 200, (name, len(wire))
                write(wire)
                # Address space for memories and tables is reserved whole; only what is held counts there.
                limited = data_kb is not None and not ("memor" in name or "table of" in name)
                outcome = run(command, data_kb + ALLOWED_KB if limited else None)
                more_kb = outcome[1] - usual_kb
                count, worst = count + 1, max(worst, (more_kb, f"{verb}: {name}"))
                wrong += complaints(name, verb, expected, outcome, more_kb)
    print(f"{count} runs; the most memory held above an empty module: {worst[0]} KiB ({worst[1]})")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
