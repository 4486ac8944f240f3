;; Looks for traces of an earlier run in memory, globals and table, says whether there are any, and then leaves as
;; many as it can: in the memory it starts with and in what it grows by.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  (global $mark (mut i32) (i32.const 0))
  (table $table 4 funcref)
  (elem declare func $say)
  (data (i32.const 32) "clean\n")
  (data (i32.const 48) "dirty\n")
  ;; The first page holds text; from the second on there has to be nothing but zeros.
  (func $traces (param $from i32) (param $to i32) (result i32)
    loop $next
      (if (i64.ne (i64.load (local.get $from)) (i64.const 0)) (then (return (i32.const 1))))
      (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 8))) (local.get $to)))
    end
    (i32.const 0))
  (func $say (param $text i32)
    (i32.store (i32.const 0) (local.get $text))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $text i32)
    (local.set $text (i32.const 32))
    (if (i32.eq (memory.grow (i32.const 56)) (i32.const -1)) (then unreachable))
    (if (call $traces (i32.const 65536) (i32.const 4194304)) (then (local.set $text (i32.const 48))))
    (if (global.get $mark) (then (local.set $text (i32.const 48))))
    (if (i32.eqz (ref.is_null (table.get $table (i32.const 3)))) (then (local.set $text (i32.const 48))))
    (if (i32.ne (i32.load8_u (i32.const 32)) (i32.const 99)) (then (local.set $text (i32.const 48))))
    (call $say (local.get $text))
    (global.set $mark (i32.const 1))
    (table.set $table (i32.const 3) (ref.func $say))
    (memory.fill (i32.const 0) (i32.const 170) (i32.const 4194304))))
