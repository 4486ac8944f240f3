;; Exports a memory under the name of the entry point.
(module
  (memory (export "_start") 1))
