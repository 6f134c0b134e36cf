#!/usr/bin/env python3
"""Runs one kernel in Wasmtime's Python package (wasmtime==46.0.1), for run_kernels.py.

    wasmtime_peer.py compile MODULE.wasm OUT.cwasm
    wasmtime_peer.py run OUT.cwasm [ARG]...

The guest's clock of CPU time is this thread's: Wasmtime itself has none.
"""
import ctypes
import sys
import time

import wasmtime


def compile_ahead(source, target):
    with open(target, "wb") as out:
        out.write(wasmtime.Module.from_file(wasmtime.Engine(), source).serialize())


def run(precompiled, arguments):
    engine = wasmtime.Engine()
    module = wasmtime.Module.deserialize_file(engine, precompiled)
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["kernel", *arguments]
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    linker.allow_shadowing = True
    memory = []

    def clock_time_get(_clock, _precision, result):
        address = ctypes.cast(memory[0].data_ptr(store), ctypes.c_void_p).value
        ctypes.c_uint64.from_address(address + result).value = time.thread_time_ns()
        return 0

    i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
    linker.define_func("wasi_snapshot_preview1", "clock_time_get", wasmtime.FuncType([i32, i64, i32], [i32]),
                       clock_time_get)
    instance = linker.instantiate(store, module)
    exports = instance.exports(store)
    memory.append(exports["memory"])
    try:
        exports["_start"](store)
    except wasmtime.ExitTrap as ending:
        return ending.code
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "compile":
        compile_ahead(sys.argv[2], sys.argv[3])
    else:
        sys.exit(run(sys.argv[2], sys.argv[3:]))
