#!/usr/bin/env python3
"""Checks that no include in src/ goes against the arrows of DESIGN.md, and explains each one that does.

    check_layers.py [SOURCE_DIR]

A folder may include itself, the folders its row names, and whatever those may include. `llvm` is a library of its own
behind abi/tier.h: of it only the engine's loader sees one header, the version that both sides compare. The DEPS of heddle_library() in src/*/CMakeLists.txt, which make a
wrong include fail to compile, are held to the same table. Exit code 0 when everything is allowed, 1 otherwise.
"""
import pathlib
import re
import sys

ARROWS = {
    # folder     may include
    "base":     [],
    "spec":     ["base"],
    "module":   ["spec"],
    "binary":   ["module"],
    "abi":      ["module"],
    "text":     ["binary"],
    "validate": ["binary"],
    "cache":    ["abi"],
    "baseline": ["validate", "abi"],
    "llvm":     ["validate", "abi"],
    "code":     ["abi", "binary"],
    "observe":  ["code"],
    "runtime":  ["code", "binary"],
    "wasi":     ["runtime"],
    "threads":  ["runtime"],
    "engine":   ["wasi", "threads", "text", "observe", "baseline", "cache"],
    "api":      ["engine"],
    "cli":      ["api", "engine"],
}
LINK = re.compile(r"heddle_library\((\w+)\s[^)]*?\bDEPS\s+([\w\s]*?)\s*(?:LIBS|SOURCES|\))")
LLVM_LOADER = ("engine", "llvm/interface.h")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def below(folder):
    """Everything `folder` may include: itself, its arrows, and theirs."""
    seen, todo = {folder}, list(ARROWS[folder])
    while todo:
        next_folder = todo.pop()
        if next_folder not in seen:
            seen.add(next_folder)
            todo += ARROWS[next_folder]
    return seen


def complaint(file, line, folder, included):
    target = included.split("/")[0]
    if target not in ARROWS or "/" not in included:
        return f'{file}:{line}: "{included}" is not written from src/ ("folder/file.h")'
    if target == "llvm":
        return f"{file}:{line}: {included}: nobody includes from llvm but the engine its interface.h; it is loaded through abi/tier.h"
    if folder in below(target):
        return (f"{file}:{line}: {included}: {target} stands above {folder} ({target} may include {folder}), "
                "so this include would close a circle")
    allowed = ", ".join(sorted(below(folder) - {folder})) or "nothing else"
    return f"{file}:{line}: {included}: no arrow leads from {folder} to {target}; {folder} may include: {allowed}"


def check(source):
    complaints, files = [], 0
    for path in sorted(source.rglob("*")):
        if path.suffix not in {".h", ".cpp", ".def", ".S", ".c"}:
            continue
        files += 1
        folder = path.relative_to(source).parts[0]
        name = f"src/{path.relative_to(source)}"
        if folder not in ARROWS:
            complaints.append(f"{name}: folder {folder} has no row in tools/check_layers.py")
            continue
        allowed = below(folder)
        text = path.read_text(errors="replace")
        for match in INCLUDE.finditer(text):
            included = match.group(1)
            target = included.split("/")[0]
            if included.startswith("heddle/") and folder in {"api", "cli"}:
                continue  # the public headers
            if "/" in included and target in allowed:
                continue
            if (folder, included) == LLVM_LOADER:
                continue
            line = text.count("\n", 0, match.start(1)) + 1
            complaints.append(complaint(name, line, folder, included))
    return complaints, files


def check_links(source):
    """What CMake lets a folder see may not be more than the table does."""
    for path in sorted(source.glob("*/CMakeLists.txt")):
        for match in LINK.finditer(path.read_text()):
            folder = match.group(1)
            for target in match.group(2).split():
                if folder in ARROWS and target not in below(folder):
                    yield f"src/{path.relative_to(source)}: DEPS {target}: no arrow leads from {folder} to {target}"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    complaints, files = check(root / "src")
    complaints += check_links(root / "src")
    for sentence in complaints:
        print(sentence)
    if files == 0:
        sys.exit("check_layers: no source files found")
    if complaints:
        sys.exit(f"check_layers: {len(complaints)} include(s) or link(s) against the arrows")
    print(f"check_layers: {files} files, every include follows an arrow")


if __name__ == "__main__":
    main()
