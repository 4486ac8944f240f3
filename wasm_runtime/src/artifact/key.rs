//! What tells compiled code apart: the module, everything that its compilation depended on, the machine.

use super::FORMAT;
use crate::digest::digest_of;
use crate::engine::settings::{Settings, Target};
use serde::{Deserialize, Serialize};
use wasmtime::ModuleVersionStrategy;

const CODE: &str = ".cwasm";
const SNAPSHOT: &str = ".snapshot";
const CODE_OF_SNAPSHOT: &str = ".snapshot.cwasm";
const PARTIAL: &str = ".partial";

/// The key of an artifact: code with equal keys is equally good. Made without an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactKey {
    /// SHA-256 of the WebAssembly file, in hex.
    pub module: String,
    /// The WebAssembly is a snapshot: there may be something in it that not everybody may read.
    pub snapshot: bool,
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
            snapshot: false,
            target,
            settings: digest_of(&ingredients),
        }
    }

    /// The same for WebAssembly that is a snapshot, or is none.
    pub fn of_snapshot(self, snapshot: bool) -> Self {
        ArtifactKey { snapshot, ..self }
    }

    /// Name of the entry in a cache.
    pub(super) fn entry_name(&self) -> String {
        let ArtifactKey {
            module,
            snapshot,
            target,
            settings,
        } = self;
        let suffix = if *snapshot { CODE_OF_SNAPSHOT } else { CODE };
        format!("{module}-{}-{settings}{suffix}", target.name())
    }
}

/// Name of a snapshot in a cache.
pub(super) fn snapshot_name(module_sha256: &str, identity: &str) -> String {
    format!("{module_sha256}-{identity}{SNAPSHOT}")
}

/// Name of a file of a cache while this process writes it.
pub(super) fn partial_name(name: &str) -> String {
    format!("{name}.{}{PARTIAL}", std::process::id())
}

/// What a file of a cache is, of this version or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Code of a module.
    Code,
    /// A snapshot, or the code of one.
    Snapshot,
    /// One of these, while it is written.
    Partial,
}

impl Kind {
    /// `None`: it is a file of somebody else.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        if let Some(stem) = name.strip_suffix(PARTIAL) {
            let (whole, process) = stem.rsplit_once('.')?;
            process.parse::<u32>().ok()?;
            return Kind::of_whole(whole).map(|_| Kind::Partial);
        }
        Kind::of_whole(name)
    }

    fn of_whole(name: &str) -> Option<Self> {
        if let Some(stem) = name.strip_suffix(CODE_OF_SNAPSHOT) {
            return is_stem_of_code(stem).then_some(Kind::Snapshot);
        }
        if let Some(stem) = name.strip_suffix(CODE) {
            return is_stem_of_code(stem).then_some(Kind::Code);
        }
        let (module, identity) = name.strip_suffix(SNAPSHOT)?.split_once('-')?;
        (is_digest(module) && is_hex(identity)).then_some(Kind::Snapshot)
    }
}

/// Whether this is the name of a snapshot of the module.
pub(super) fn is_snapshot_of(name: &str, module_sha256: &str) -> bool {
    name.starts_with(module_sha256)
        && name.ends_with(SNAPSHOT)
        && Kind::of_name(name) == Some(Kind::Snapshot)
}

fn is_stem_of_code(stem: &str) -> bool {
    let [module, target, settings] = stem.split('-').collect::<Vec<_>>()[..] else {
        return false;
    };
    let mut known = Target::PREFERENCE.iter();
    is_digest(module) && known.any(|known| known.name() == target) && is_hex(settings)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
        let code = key.entry_name();
        let code_of_snapshot = key.clone().of_snapshot(true).entry_name();
        let snapshot = snapshot_name(&key.module, "0123456789abcdef");
        assert_eq!(Kind::of_name(&code), Some(Kind::Code));
        for (name, has_code) in [(&code_of_snapshot, true), (&snapshot, false)] {
            assert_eq!(Kind::of_name(name), Some(Kind::Snapshot), "{name}");
            assert_ne!(is_snapshot_of(name, &key.module), has_code, "{name}");
        }
        assert!(!is_snapshot_of(&snapshot, &"00".repeat(32)));
        for name in [&code, &code_of_snapshot, &snapshot] {
            let partial = partial_name(name);
            assert_eq!(Kind::of_name(&partial), Some(Kind::Partial));
            assert_eq!(Kind::of_name(&partial_name(&partial)), None);
            assert_eq!(Kind::of_name(&format!("{name}.new.partial")), None);
            assert_eq!(Kind::of_name(&name[1..]), None);
        }
        for name in ["", ".cwasm", "note.cwasm", "note.snapshot", ".partial"] {
            assert_eq!(Kind::of_name(name), None, "{name}");
        }
    }
}
