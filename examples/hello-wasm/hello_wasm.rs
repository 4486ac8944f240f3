//! The smallest useful endpoint: what it prints is the body of the response.

use std::env;

fn main() {
    println!("Hello from WebAssembly, inside Apache httpd!");
    println!();
    println!("Arguments (WasmArg):");
    for (index, argument) in env::args().enumerate() {
        println!("  {index}: {argument}");
    }
    println!();
    println!("Environment (WasmEnv):");
    for (name, value) in env::vars() {
        println!("  {name}={value}");
    }
}
