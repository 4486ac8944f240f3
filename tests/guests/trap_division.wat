;; Divides by zero.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    i32.const 1
    i32.const 0
    i32.div_s
    drop))
