;; Wants a function of the host that does not exist.
(module
  (import "env" "no_such_function" (func $missing))
  (memory (export "memory") 1)
  (func (export "_start")
    call $missing))
