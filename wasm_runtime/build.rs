//! Linker settings of the shared library.

fn main() {
    // A web server unloads and reloads its modules; the destructors of thread-local storage would then run code that is gone.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwasm_runtime.so");
    println!("cargo::rerun-if-changed=build.rs");
}
