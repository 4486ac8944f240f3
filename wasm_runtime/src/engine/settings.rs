//! Everything that compiled code depends on besides the module, as one value. The program that compiles and the child that
//! serves make their engines from it, and the key of the cache is made from it: a setting cannot be in one and not in the
//! other.

use super::features::accepted_flags;
use super::processor;
use crate::digest::digest_of;
use serde::{Deserialize, Serialize};
use wasmparser::WasmFeatures;
use wasmtime::{Config, Engine, WasmBacktraceDetails};

/// Stack that WebAssembly code has at least, in bytes. A deeper call than its stack allows traps with "call stack exhausted".
pub const MIN_WASM_STACK: usize = 1 << 20;

/// The most that it uses, where threads have as much: a run that goes so deep leaves its thread with that much memory.
pub const MAX_WASM_STACK: usize = 4 << 20;

/// Stack that the host functions of a run need on top of that, in bytes.
pub const HOST_STACK_MARGIN: usize = 256 << 10;

/// What the program around has used of a thread's stack when a run begins, in bytes.
const CALLERS_STACK: usize = 256 << 10;

/// Stack in bytes that WebAssembly code may use on threads that have `thread` bytes; 0: nobody knows.
pub fn wasm_stack(thread: u64) -> usize {
    let thread = usize::try_from(thread).unwrap_or(usize::MAX);
    let rest = thread.saturating_sub(HOST_STACK_MARGIN + CALLERS_STACK);
    rest.clamp(MIN_WASM_STACK, MAX_WASM_STACK)
}

/// Address space of one linear memory: with it, 32-bit accesses need no bounds checks.
pub(crate) const MEMORY_RESERVATION: u64 = 4 << 30;

/// Up to this many bytes, the initial memory of a module becomes an image that is mapped, however sparse its data is. Without an image
/// each run copies the data: of a snapshot, tens of MiB.
const DENSE_IMAGE: u64 = 256 << 20;

/// When this variable is 1, debug information is kept with the code, and backtraces name files and lines.
const BACKTRACE_DETAILS: &str = "WASMTIME_BACKTRACE_DETAILS";

/// This variable says how runs are ended, by the name of an [`Interruption`].
const INTERRUPTION: &str = "MOD_WASM_INTERRUPTION";

/// The variables of the environment that settings are read from.
pub(crate) const SETTING_VARIABLES: [&str; 2] = [BACKTRACE_DETAILS, INTERRUPTION];

/// How a run is ended while it computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interruption {
    /// Its code looks at a number of the engine's again and again, and calls the host when that was counted up.
    Epochs,
    /// Its code loads from a page again and again, which the host takes away.
    Page,
}

impl Interruption {
    /// What is used where nothing else is asked for.
    const DEFAULT: Interruption = Interruption::Page;

    pub fn name(self) -> &'static str {
        match self {
            Interruption::Epochs => "epochs",
            Interruption::Page => "page",
        }
    }

    fn of_this_process() -> Self {
        let wanted = std::env::var(INTERRUPTION).unwrap_or_default();
        let mut known = [Interruption::Epochs, Interruption::Page].into_iter();
        known
            .find(|known| known.name() == wanted)
            .unwrap_or(Interruption::DEFAULT)
    }
}

/// The machine that code is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
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

    /// The architecture, and the features of the processor that code for this target uses.
    pub(crate) fn machine(self) -> (&'static str, Vec<String>) {
        let features = match self {
            Target::Native => processor::features(),
            Target::Baseline => Vec::new(),
        };
        (std::env::consts::ARCH, features)
    }
}

/// The settings of the compiler. What matters only while code runs (stack, pool) is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// What modules may use.
    features: WasmFeatures,
    /// Whether file names and lines are kept for backtraces.
    debug_information: bool,
    interruption: Interruption,
    memory_reservation: u64,
    memory_guard: u64,
    memory_init_cow: bool,
    memory_dense_image: u64,
}

impl Settings {
    /// The settings of this build, in the environment of this process.
    pub fn of_this_process() -> Self {
        let debug_information =
            std::env::var_os(BACKTRACE_DETAILS).is_some_and(|value| value == "1");
        Settings {
            features: accepted_flags(),
            debug_information,
            interruption: match debug_information {
                // Lines are known of code that stands where the module's file has it.
                true => Interruption::Epochs,
                false => Interruption::of_this_process(),
            },
            memory_reservation: MEMORY_RESERVATION,
            memory_guard: 32 << 20,
            memory_init_cow: true,
            memory_dense_image: DENSE_IMAGE,
        }
    }

    /// What modules may use.
    pub(crate) fn features(&self) -> WasmFeatures {
        self.features
    }

    /// How runs are ended.
    pub fn interruption(&self) -> Interruption {
        self.interruption
    }

    /// The same with runs that are ended by epochs.
    pub(crate) fn with_epochs(self) -> Self {
        Settings {
            interruption: Interruption::Epochs,
            ..self
        }
    }

    /// The engine's configuration for these settings. A serving process adds what matters only while code runs.
    pub(crate) fn config(&self, target: Target) -> wasmtime::Result<Config> {
        // Without `..`: the compiler tells of a setting that is forgotten here.
        let Settings {
            features,
            debug_information,
            interruption,
            memory_reservation,
            memory_guard,
            memory_init_cow,
            memory_dense_image,
        } = *self;
        let mut config = Config::new();
        config
            .wasm_features(WasmFeatures::all(), false)
            .wasm_features(features, true)
            .wasm_backtrace_details(if debug_information {
                WasmBacktraceDetails::Enable
            } else {
                WasmBacktraceDetails::Disable
            })
            .epoch_interruption(interruption == Interruption::Epochs)
            .memory_reservation(memory_reservation)
            .memory_guard_size(memory_guard)
            .memory_init_cow(memory_init_cow)
            .memory_guaranteed_dense_image_size(memory_dense_image);
        if target == Target::Baseline {
            // Naming the target turns the detection of the host's features off.
            config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
        }
        Ok(config)
    }
}

/// The engine's own word on the code that it can load: where it is the same, code can be exchanged.
pub(crate) fn compatibility(engine: &Engine) -> String {
    digest_of(&engine.precompile_compatibility_hash())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::artifact::ArtifactKey;

    /// The settings of this build, and for each of them the same with just this one changed.
    pub(crate) fn variants() -> Vec<(&'static str, Settings)> {
        let built = Settings::of_this_process();
        // Without `..`: a new setting belongs into the list below, too.
        let Settings {
            features,
            debug_information,
            interruption,
            memory_reservation,
            memory_guard,
            memory_init_cow,
            memory_dense_image,
        } = built;
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut changed = built.clone();
            change(&mut changed);
            changed
        };
        vec![
            (
                "features",
                with(&|it| it.features = features.difference(WasmFeatures::TAIL_CALL)),
            ),
            (
                "debug_information",
                with(&|it| it.debug_information = !debug_information),
            ),
            (
                "interruption",
                with(&|it| {
                    it.interruption = match interruption {
                        Interruption::Epochs => Interruption::Page,
                        Interruption::Page => Interruption::Epochs,
                    }
                }),
            ),
            (
                "memory_reservation",
                with(&|it| it.memory_reservation = memory_reservation / 2),
            ),
            (
                "memory_guard",
                with(&|it| it.memory_guard = memory_guard / 2),
            ),
            (
                "memory_init_cow",
                with(&|it| it.memory_init_cow = !memory_init_cow),
            ),
            (
                "memory_dense_image",
                with(&|it| it.memory_dense_image = memory_dense_image / 2),
            ),
            ("nothing", built),
        ]
    }

    fn compatibility_of(settings: &Settings, target: Target) -> String {
        let config = settings.config(target).unwrap();
        compatibility(&Engine::new(&config).unwrap())
    }

    #[test]
    fn keys_are_equal_just_where_the_engine_says_that_code_can_be_exchanged() {
        // The engine does not tell this one: it changes what code is made, and any engine can load that.
        let told = |name: &str| name != "memory_dense_image";
        let mut makers = Vec::new();
        for (name, settings) in variants().into_iter().filter(|(name, _)| told(name)) {
            for target in Target::PREFERENCE {
                let key = ArtifactKey::new("", &settings, target);
                let said = compatibility_of(&settings, target);
                makers.push((format!("{name}, {}", target.name()), key.settings, said));
            }
        }
        // The same again: both are the same in another engine.
        let built = Settings::of_this_process();
        let key = ArtifactKey::new("", &built, Target::Native);
        let said = compatibility_of(&built, Target::Native);
        makers.push(("again".to_owned(), key.settings, said));
        for (index, (name, key, said)) in makers.iter().enumerate() {
            for (other_name, other_key, other_said) in &makers[..index] {
                assert_eq!(
                    key == other_key,
                    said == other_said,
                    "{name} and {other_name}"
                );
            }
        }
    }

    #[test]
    fn guests_have_the_stack_of_their_threads_within_bounds() {
        assert_eq!(wasm_stack(0), MIN_WASM_STACK);
        assert_eq!(wasm_stack(2 << 20), 3 << 19);
        assert_eq!(wasm_stack(8 << 20), MAX_WASM_STACK);
        assert_eq!(wasm_stack(u64::MAX), MAX_WASM_STACK);
    }

    /// The code holds the image, so its size tells.
    #[test]
    fn a_large_sparse_memory_becomes_an_image() {
        let megabytes = 24 << 20;
        let module = format!(
            r#"(module (memory 400) (data (i32.const 0) "a") (data (i32.const {megabytes}) "b"))"#
        );
        let config = Settings::of_this_process().config(Target::Native).unwrap();
        let engine = Engine::new(&config).unwrap();
        let code = engine.precompile_module(&wat::parse_str(module).unwrap());
        assert!(code.unwrap().len() > megabytes);
    }

    /// Otherwise the key could name other features than the compiler uses.
    #[test]
    fn the_engine_asks_the_same_code_for_the_processor() {
        let lock = include_str!("../../../Cargo.lock");
        let count = |name: &str| lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(count("cranelift-native"), 1);
        assert_eq!(count("cranelift-codegen"), 1);
    }
}
