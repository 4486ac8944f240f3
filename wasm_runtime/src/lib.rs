pub fn x(){ let _ = wasmtime::Config::new(); let _ = wasmtime_wasi::WasiCtxBuilder::new(); }
