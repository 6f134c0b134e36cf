;; Starts 10,000 threads; every second one waits in memory, the others in a WASI call of their own (poll_oneoff, a day).
;; When all are there, prints "alive" and reads stdin; at its end, leaves by proc_exit while all of them still wait.
(module
  (import "env" "memory" (memory 16 16 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  ;; 0: how many are there; 8: what half of them wait at; 16: iovec, 24: done, 32: text; 64: subscription; 1024...: an
  ;; event (32 bytes) and a count for each thread
  (data (i32.const 16) "\20\00\00\00\06\00\00\00")
  (data (i32.const 32) "alive\n")
  (data (i32.const 64) "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\01\00\00\00\00\00\00\00"
    "\00\00\91\4e\94\4e\00\00")  ;; clock, monotonic, 8.64e13 ns
  (func (export "wasi_thread_start") (param $tid i32) (param $arg i32)
    (local $own i32)
    (local.set $own (i32.add (i32.const 1024) (i32.mul (local.get $arg) (i32.const 40))))
    (if (i32.eq (i32.atomic.rmw.add (i32.const 0) (i32.const 1)) (i32.const 9999))
      (then (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))))
    (if (i32.and (local.get $arg) (i32.const 1))
      (then (drop (call $poll (i32.const 64) (local.get $own) (i32.const 1) (i32.add (local.get $own) (i32.const 32)))))
      (else (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))))
    unreachable)
  (func (export "_start")
    (local $i i32)
    (loop $next
      (if (i32.lt_s (call $spawn (local.get $i)) (i32.const 1)) (then unreachable))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))
    (loop $again
      (local.set $i (i32.atomic.load (i32.const 0)))
      (if (i32.ne (local.get $i) (i32.const 10000))
        (then
          (drop (memory.atomic.wait32 (i32.const 0) (local.get $i) (i64.const 10000000)))
          (br $again))))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
    (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
    (call $exit (i32.const 7))))
