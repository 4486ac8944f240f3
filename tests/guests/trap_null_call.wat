;; Calls through an empty table entry.
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (func (export "_start")
    i32.const 0
    call_indirect))
