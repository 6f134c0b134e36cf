// Modules in text that several tests run.
#pragma once

namespace heddle::test {

/// A WASI command that spawns eight threads, waits until all of them run, and returns while they spin.
inline constexpr const char* kSpawningModule = R"((module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "env" "memory" (memory 1 1 shared))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param i32 i32)
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))
      (loop $spin (br $spin)))
    (func (export "_start") (local $i i32) (local $seen i32)
      (loop $more
        (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then unreachable))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 8))))
      (loop $wait
        (local.set $seen (i32.atomic.load (i32.const 0)))
        (if (i32.lt_u (local.get $seen) (i32.const 8))
          (then
            (drop (memory.atomic.wait32 (i32.const 0) (local.get $seen) (i64.const -1)))
            (br $wait)))))))";

}  // namespace heddle::test
