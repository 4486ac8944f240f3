;; An initialiser, and no function to resume with: _start goes on from the snapshot.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "started cold\n")
  (data (i32.const 48) "started warm\n")
  (global $text (mut i32) (i32.const 32))
  (func (export "wizer-initialize") (global.set $text (i32.const 48)))
  (func (export "_start")
    (i32.store (i32.const 0) (global.get $text))
    (i32.store (i32.const 4) (i32.const 13))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
