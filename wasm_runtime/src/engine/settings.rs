//! Everything that compiled code depends on, in one place: the program that compiles and the child that serves have to
//! agree on it to the letter, or the code is refused.

use std::hash::{DefaultHasher, Hash, Hasher};
use wasmtime::{Config, ModuleVersionStrategy};

/// Stack that WebAssembly code may use, in bytes. A deeper call traps with "call stack exhausted".
pub const MAX_WASM_STACK: usize = 1 << 20;

/// Stack that the host functions of a run need on top of [`MAX_WASM_STACK`], in bytes.
pub const HOST_STACK_MARGIN: usize = 256 << 10;

/// Address space of one linear memory: with it, 32-bit accesses need no bounds checks.
pub(crate) const MEMORY_RESERVATION: u64 = 4 << 30;

const MEMORY_GUARD: u64 = 32 << 20;

/// Wasmtime reads this variable itself; it decides whether debug information is kept with the code.
pub(crate) const BACKTRACE_DETAILS: &str = "WASMTIME_BACKTRACE_DETAILS";

/// The machine that code is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// This machine, with every feature that its processor has.
    Native,
    /// Any machine of this architecture.
    Baseline,
}

impl Target {
    /// What a child may run, best first.
    pub const PREFERENCE: [Target; 2] = [Target::Native, Target::Baseline];

    pub fn name(self) -> &'static str {
        match self {
            Target::Native => "native",
            Target::Baseline => "baseline",
        }
    }
}

/// The settings shared by compiling and serving. Only the allocation strategy may differ between the two.
pub(crate) fn shared_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(MAX_WASM_STACK)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_guard_size(MEMORY_GUARD)
        .memory_init_cow(true)
        .wasm_exceptions(true)
        .wasm_gc(false)
        // WASI preview 1 knows neither shared memories nor addresses of 64 bits: refused when the configuration is checked
        // rather than in a child.
        .wasm_threads(false)
        .wasm_memory64(false);
    config
}

/// Settings of the compiling program for `target`.
pub(crate) fn compile_config(target: Target) -> wasmtime::Result<Config> {
    let mut config = shared_config();
    if target == Target::Baseline {
        // Naming the target turns the detection of the host's features off.
        config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    }
    Ok(config)
}

/// Identifies what code compiled here depends on besides the module: engine version, settings, target. Part of the cache
/// key; computed without an engine, so that the parent may call it.
pub fn key(target: Target) -> String {
    let mut hasher = DefaultHasher::new();
    // Hashes the engine's full version.
    ModuleVersionStrategy::WasmtimeVersion.hash(&mut hasher);
    crate::VERSION.hash(&mut hasher);
    crate::artifact::FORMAT.hash(&mut hasher);
    (MAX_WASM_STACK, MEMORY_RESERVATION, MEMORY_GUARD).hash(&mut hasher);
    std::env::var_os(BACKTRACE_DETAILS).hash(&mut hasher);
    std::env::consts::ARCH.hash(&mut hasher);
    if target == Target::Native {
        processor_features().hash(&mut hasher);
    }
    format!("{}-{:016x}", target.name(), hasher.finish())
}

#[cfg(target_arch = "x86_64")]
fn processor_features() -> Vec<bool> {
    macro_rules! detect {
        ($($feature:tt),*) => { vec![$(std::arch::is_x86_feature_detected!($feature)),*] };
    }
    detect!(
        "sse3",
        "ssse3",
        "sse4.1",
        "sse4.2",
        "popcnt",
        "cmpxchg16b",
        "avx",
        "avx2",
        "fma",
        "bmi1",
        "bmi2",
        "lzcnt",
        "avx512f",
        "avx512dq",
        "avx512vl",
        "avx512bitalg",
        "avx512vbmi"
    )
}

#[cfg(target_arch = "aarch64")]
fn processor_features() -> Vec<bool> {
    macro_rules! detect {
        ($($feature:tt),*) => { vec![$(std::arch::is_aarch64_feature_detected!($feature)),*] };
    }
    detect!("lse", "paca", "fp16", "dotprod")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn processor_features() -> Vec<bool> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_target_and_differ() {
        let native = key(Target::Native);
        assert!(native.starts_with("native-"), "{native}");
        assert!(key(Target::Baseline).starts_with("baseline-"));
        assert_eq!(native, key(Target::Native));
    }
}
