;; Can be initialised, but no snapshot can be taken of it: it changes a table.
(module
  (table 1 funcref)
  (func (export "wizer-initialize") (table.set (i32.const 0) (ref.null func)))
  (func (export "_start")))
