;; Has no _start, but another function that does nothing.
(module
  (memory (export "memory") 1)
  (func (export "run")))
