;; Reads outside of its memory.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    i32.const -4
    i32.load
    drop))
