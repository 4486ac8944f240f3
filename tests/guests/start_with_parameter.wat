;; Its _start has a parameter, which no one could give.
(module
  (memory (export "memory") 1)
  (func (export "_start") (param i32)))
