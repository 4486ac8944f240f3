;; Grows its memory, page by page, until it is refused, and traps when it never is (1 GiB).
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "refused\n")
  (func (export "_start") (local $left i32)
    i32.const 16384
    local.set $left
    loop $again
      i32.const 1
      memory.grow
      i32.const -1
      i32.eq
      if
        (i32.store (i32.const 0) (i32.const 32))
        (i32.store (i32.const 4) (i32.const 8))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        return
      end
      local.get $left
      i32.const 1
      i32.sub
      local.tee $left
      br_if $again
    end
    unreachable))
