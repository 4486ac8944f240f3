;; Declares 32 MiB of memory from the start.
(module
  (memory (export "memory") 512)
  (func (export "_start")))
