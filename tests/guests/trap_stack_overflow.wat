;; Calls itself until the stack is used up.
(module
  (memory (export "memory") 1)
  (func $deeper (param i64) (result i64)
    local.get 0
    i64.const 1
    i64.add
    call $deeper
    i64.const 1
    i64.add)
  (func (export "_start")
    i64.const 0
    call $deeper
    drop))
