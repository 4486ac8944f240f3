use std::env;

/// Greets everyone who is named on the command line.
fn main() {
    for name in env::args().skip(1) {
        println!("Hello, {name}!");
    }
}
