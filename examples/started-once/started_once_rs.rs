//! A CGI program that is started once, in Rust. What it prepares takes a while; a snapshot is taken behind it, and each request
//! begins there. Without a snapshot (WasmPreinit Off) each request prepares everything again, and answers the same.

use std::env;
use std::io::Write;
use std::sync::Mutex;

const LIMIT: usize = 3_000_000;

struct Primes {
    composite: Vec<bool>,
    count: usize,
}

static PRIMES: Mutex<Option<Primes>> = Mutex::new(None);

fn prepare() -> Primes {
    let mut composite = vec![false; LIMIT];
    let mut count = 0;
    for number in 2..LIMIT {
        if composite[number] {
            continue;
        }
        count += 1;
        // Beyond 32 bits there is nothing to mark.
        if let Some(square) = number.checked_mul(number) {
            for multiple in (square..LIMIT).step_by(number) {
                composite[multiple] = true;
            }
        }
    }
    Primes { composite, count }
}

fn answer() {
    let mut prepared = PRIMES.lock().expect("nobody else holds it");
    let primes = prepared.get_or_insert_with(prepare);
    let query = env::var("QUERY_STRING").unwrap_or_default();
    println!("Content-Type: text/plain\n");
    println!("There are {} primes below {}.", primes.count, LIMIT);
    let number = query.parse().unwrap_or(0);
    if (2..LIMIT).contains(&number) {
        let what = if primes.composite[number] { "not prime" } else { "prime" };
        println!("{number} is {what}.");
    }
}

extern "C" {
    fn __wasilibc_deinitialize_environ();
}

/// Runs once, when the server starts.
#[export_name = "wizer-initialize"]
pub extern "C" fn initialize() {
    *PRIMES.lock().expect("nobody else holds it") = Some(prepare());
}

/// Runs for each request, in place of `_start`.
#[export_name = "wizer-resume"]
pub extern "C" fn resume() {
    // SAFETY: nothing has a pointer into the environment, which belongs to the preparation.
    unsafe { __wasilibc_deinitialize_environ() };
    answer();
    std::io::stdout().flush().expect("the answer is written");
}

fn main() {
    answer();
}
