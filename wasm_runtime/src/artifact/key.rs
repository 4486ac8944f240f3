//! What tells compiled code apart: the module, everything that its compilation depended on, the machine.

use super::FORMAT;
use super::digest::digest_of;
use crate::engine::settings::{Settings, Target};
use serde::{Deserialize, Serialize};
use wasmtime::ModuleVersionStrategy;

const ENTRY: &str = ".cwasm";
const SNAPSHOT: &str = ".snapshot";
const PARTIAL: &str = ".partial";

/// The key of an artifact: code with equal keys is equally good. Made without an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactKey {
    /// SHA-256 of the WebAssembly file, in hex.
    pub module: String,
    pub target: Target,
    /// Digest of the versions of engine and project, of the format of artifact files, of all settings and of the machine.
    pub settings: String,
}

impl ArtifactKey {
    /// The key of what this build makes of a module.
    pub fn new(module_sha256: &str, settings: &Settings, target: Target) -> Self {
        let ingredients = (
            // Hashes the engine's full version.
            ModuleVersionStrategy::WasmtimeVersion,
            crate::VERSION,
            FORMAT,
            settings,
            target.machine(),
        );
        ArtifactKey {
            module: module_sha256.to_owned(),
            target,
            settings: digest_of(&ingredients),
        }
    }

    /// Name of the entry in a cache.
    pub(super) fn entry_name(&self) -> String {
        let ArtifactKey {
            module,
            target,
            settings,
        } = self;
        format!("{module}-{}-{settings}{ENTRY}", target.name())
    }
}

/// Name of a file of a cache while this process writes it.
pub(super) fn partial_name(name: &str) -> String {
    format!("{name}.{}{PARTIAL}", std::process::id())
}

/// What the names of all snapshots of a module begin with.
pub(super) fn snapshot_prefix(module_sha256: &str) -> String {
    format!("{module_sha256}-")
}

/// Name of a snapshot in a cache.
pub(super) fn snapshot_name(module_sha256: &str, identity: &str) -> String {
    format!("{}{identity}{SNAPSHOT}", snapshot_prefix(module_sha256))
}

pub(super) fn is_snapshot_name(name: &str) -> bool {
    let stem = name.strip_suffix(SNAPSHOT).unwrap_or_default();
    stem.split_once('-')
        .is_some_and(|(module, identity)| module.len() == 64 && is_hex(module) && is_hex(identity))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether this is the name of an entry, of this version or another one.
pub(super) fn is_entry_name(name: &str) -> bool {
    let stem = name.strip_suffix(ENTRY).unwrap_or_default();
    match stem.split('-').collect::<Vec<_>>().as_slice() {
        [module, target, settings] => {
            let known = Target::PREFERENCE
                .iter()
                .any(|known| known.name() == *target);
            module.len() == 64 && is_hex(module) && known && is_hex(settings)
        }
        _ => false,
    }
}

/// Whether this is the name of an entry that is being written.
pub(super) fn is_partial_name(name: &str) -> bool {
    let stem = name.strip_suffix(PARTIAL).unwrap_or_default();
    stem.rsplit_once('.').is_some_and(|(entry, process)| {
        process.parse::<u32>().is_ok() && (is_entry_name(entry) || is_snapshot_name(entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::tests::variants;

    fn key(settings: &Settings) -> ArtifactKey {
        ArtifactKey::new(&"5a".repeat(32), settings, Target::Native)
    }

    #[test]
    fn each_setting_makes_another_key() {
        let variants = variants();
        for (index, (name, one)) in variants.iter().enumerate() {
            assert_eq!(key(one), key(one));
            for (other_name, other) in &variants[index + 1..] {
                assert_ne!(key(one), key(other), "{name} and {other_name}");
            }
        }
    }

    #[test]
    fn module_and_target_are_part_of_the_key() {
        let settings = Settings::of_this_process();
        let native = key(&settings);
        let baseline = ArtifactKey::new(&native.module, &settings, Target::Baseline);
        assert_ne!(native.settings, baseline.settings);
        let other = ArtifactKey::new(&"00".repeat(32), &settings, Target::Native);
        assert_eq!(native.settings, other.settings);
        assert_ne!(native.entry_name(), other.entry_name());
    }

    #[test]
    fn names_are_told_apart_from_those_of_others() {
        let key = key(&Settings::of_this_process());
        assert!(is_entry_name(&key.entry_name()));
        assert!(is_partial_name(&partial_name(&key.entry_name())));
        let entry = key.entry_name();
        for name in ["", ".cwasm", "note.cwasm", ".partial", &entry[1..]] {
            assert!(!is_entry_name(name) && !is_partial_name(name), "{name}");
        }
        assert!(!is_partial_name(&format!("{entry}.new.partial")));
    }
}
