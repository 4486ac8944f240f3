;; Writes to 125 MiB of memory, says so, and keeps it for a second.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2000)
  (data (i32.const 32) "filled\n")
  (func (export "_start")
    (memory.fill (i32.const 1024) (i32.const 120) (i32.const 131070976))
    (i32.store (i32.const 0) (i32.const 32))
    (i32.store (i32.const 4) (i32.const 7))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    ;; One subscription to the monotonic clock.
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (i64.const 1000000000))
    (if (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320)) (then unreachable))))
