;; The older names: says what the older initialiser left, from the older function.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "cold start\n")
  (data (i32.const 48) "old resume\n")
  (data (i32.const 64) "old frozen\n")
  (global $text (mut i32) (i32.const 32))
  (func $say
    (i32.store (i32.const 0) (global.get $text))
    (i32.store (i32.const 4) (i32.const 11))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (call $say))
  (func (export "wizer.initialize") (global.set $text (i32.const 64)))
  (func (export "wizer.resume")
    (if (i32.ne (global.get $text) (i32.const 64)) (then (global.set $text (i32.const 48))))
    (call $say)))
