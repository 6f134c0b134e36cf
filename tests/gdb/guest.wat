;; Says "main", lets a thread say "thread" while it waits for it, says "spinning", and toils for ever. $leaf is small
;; enough to be inlined.
(module
  (import "env" "memory" (memory 1 1 shared))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi" "thread-spawn" (func $thread_spawn (param i32) (result i32)))
  (export "memory" (memory 0))
  (data (i32.const 0) "main\nthread\nspinning\n")

  (func $write (param $at i32) (param $size i32)
    (i32.store (i32.const 64) (local.get $at))
    (i32.store (i32.const 68) (local.get $size))
    (drop (call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72))))

  (func $wait (param $flag i32)
    (loop $again
      (drop (memory.atomic.wait32 (local.get $flag) (i32.const 0) (i64.const -1)))
      (br_if $again (i32.eqz (i32.atomic.load (local.get $flag))))))

  (func $leaf (param i32) (result i32)
    (i32.mul (i32.add (local.get 0) (i32.load (i32.const 64))) (i32.const 3)))
  (func $deep (param i32) (result i32)
    (i32.xor (call $leaf (i32.load (i32.const 68))) (call $leaf (local.get 0))))
  (func $toil (param i32) (result i32)
    (i32.add (call $deep (local.get 0)) (call $leaf (local.get 0))))

  (func $in_thread
    (call $write (i32.const 5) (i32.const 7)))
  (func (export "wasi_thread_start") (param i32 i32)
    (loop $until_main_waits
      (br_if $until_main_waits (i32.eqz (memory.atomic.notify (i32.const 80) (i32.const 1)))))
    (call $in_thread)
    (i32.atomic.store (i32.const 80) (i32.const 1))
    (drop (memory.atomic.notify (i32.const 80) (i32.const 1))))

  (func $run
    (local $value i32)
    (call $write (i32.const 0) (i32.const 5))
    (drop (call $thread_spawn (i32.const 0)))
    (call $wait (i32.const 80))
    (local.set $value (call $toil (i32.const 1)))
    (call $write (i32.const 12) (i32.const 9))
    (loop $ever
      (local.set $value (call $toil (local.get $value)))
      (br $ever)))
  (func (export "_start") (call $run)))
