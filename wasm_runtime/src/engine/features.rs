//! Which features of WebAssembly a module may use: the one table for the engine, for messages and for the documentation.

use wasmparser::WasmFeatures;

/// A feature that came after the first version of WebAssembly.
#[derive(Debug)]
pub struct Feature {
    /// In the plural, for messages: "… are not supported".
    pub name: &'static str,
    pub accepted: bool,
    flags: WasmFeatures,
}

const fn accepted(name: &'static str, flags: WasmFeatures) -> Feature {
    Feature {
        name,
        accepted: true,
        flags,
    }
}

const fn refused(name: &'static str, flags: WasmFeatures) -> Feature {
    Feature {
        name,
        accepted: false,
        flags,
    }
}

/// Shared memories come with atomic instructions, which are useful without them, so the validator has no flag for them.
pub(crate) const SHARED_MEMORIES: &str = "shared memories";

/// All features that the validator knows. Accepted is what the engine accepts by default and what programs of WASI preview 1 can
/// use: they have one thread and addresses of 32 bits.
pub const FEATURES: &[Feature] = {
    use WasmFeatures as F;
    &[
        accepted("mutable globals", F::MUTABLE_GLOBAL),
        accepted("sign extensions", F::SIGN_EXTENSION),
        accepted("saturating conversions", F::SATURATING_FLOAT_TO_INT),
        accepted("multiple results", F::MULTI_VALUE),
        accepted("reference types", F::REFERENCE_TYPES),
        accepted("bulk memory instructions", F::BULK_MEMORY),
        accepted("SIMD instructions", F::SIMD),
        accepted("relaxed SIMD instructions", F::RELAXED_SIMD),
        accepted("extended constant expressions", F::EXTENDED_CONST),
        accepted("tail calls", F::TAIL_CALL),
        accepted("multiple memories", F::MULTI_MEMORY),
        accepted("exceptions", F::EXCEPTIONS),
        accepted("typed function references", F::FUNCTION_REFERENCES),
        accepted("atomic instructions", F::THREADS),
        refused(SHARED_MEMORIES, F::empty()),
        refused("64-bit memories", F::MEMORY64),
        refused("garbage-collected types", F::GC),
        refused("components", COMPONENTS),
        refused("legacy exceptions", F::LEGACY_EXCEPTIONS),
        refused("custom page sizes", F::CUSTOM_PAGE_SIZES),
        refused("wide arithmetic instructions", F::WIDE_ARITHMETIC),
        refused("stack switches", F::STACK_SWITCHING),
        refused("shared-everything threads", F::SHARED_EVERYTHING_THREADS),
        refused("memory control instructions", F::MEMORY_CONTROL),
        refused("custom descriptors", F::CUSTOM_DESCRIPTORS),
        refused("compact imports", F::COMPACT_IMPORTS),
    ]
};

/// The component model and everything that refines it.
const COMPONENTS: WasmFeatures = WasmFeatures::COMPONENT_MODEL
    .union(WasmFeatures::CM_VALUES)
    .union(WasmFeatures::CM_NESTED_NAMES)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM_GC)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM64)
    .union(WasmFeatures::CM_IMPLEMENTS)
    .union(WasmFeatures::CM_CANON_NAMES);

/// What a module may use.
pub(crate) fn accepted_flags() -> WasmFeatures {
    let accepted = FEATURES.iter().filter(|feature| feature.accepted);
    accepted.fold(WasmFeatures::MVP, |flags, feature| flags | feature.flags)
}

/// The name of a feature that the validator missed.
pub(crate) fn name_of(missing: WasmFeatures) -> Option<&'static str> {
    let feature = FEATURES
        .iter()
        .find(|feature| feature.flags.intersects(missing))?;
    Some(feature.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Config;

    #[test]
    fn each_feature_that_the_validator_knows_is_in_one_row() {
        let mut seen = WasmFeatures::MVP;
        for feature in FEATURES {
            assert!(!seen.intersects(feature.flags), "{}", feature.name);
            seen |= feature.flags;
        }
        assert_eq!(seen, WasmFeatures::all());
    }

    /// The engine tells its defaults in its debug output alone.
    fn engine_default() -> WasmFeatures {
        let told = format!("{:?}", Config::new());
        let flags = WasmFeatures::all().iter_names();
        let enabled = flags.filter(|(name, _)| {
            let (on, off) = (
                format!("wasm_{}: true", name.to_lowercase()),
                format!("wasm_{}: false", name.to_lowercase()),
            );
            assert!(
                told.contains(&on) != told.contains(&off),
                "{name} in {told}"
            );
            told.contains(&on)
        });
        enabled.fold(WasmFeatures::empty(), |all, (_, flag)| all | flag)
    }

    #[test]
    fn what_the_engine_accepts_by_default_is_accepted_but_for_a_few() {
        let by_default = engine_default();
        assert_eq!(
            by_default.difference(accepted_flags()),
            (WasmFeatures::MEMORY64 | WasmFeatures::GC | COMPONENTS) & by_default
        );
        assert_eq!(
            accepted_flags().difference(by_default),
            WasmFeatures::empty()
        );
    }
}
