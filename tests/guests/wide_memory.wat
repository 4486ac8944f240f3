;; Declares more memory than WasmMemoryLimit allows unless it is raised.
(module
  (memory (export "memory") 5000)
  (func (export "_start")))
