//! What an initialiser is given. The parent writes it for the process that runs the initialiser, and compares with it what a
//! snapshot was made of.

use super::ArtifactKey;
use crate::engine::settings::{Settings, Target};
use crate::host::sights::{self, Sights};
use rustix::process::{getegid, geteuid, getgroups};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What an initialiser may learn of its surroundings without looking at a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Given {
    /// SHA-256 of the module, in hex.
    pub module: String,
    /// Digest of the versions of engine and project, and of all settings.
    pub settings: String,
    /// `NAME=value`, sorted.
    pub env: Vec<Vec<u8>>,
    /// Guest paths of the mounts, in the order of their descriptors.
    pub mounts: Vec<String>,
    /// Guest path of the scratch directory that runs have, whose descriptor comes last.
    pub scratch: Option<String>,
    /// Whose rights it has.
    pub user: User,
}

/// A user, as the kernel knows one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct User {
    pub user: u32,
    pub group: u32,
    /// All groups, sorted.
    pub groups: Vec<u32>,
}

/// What a process is to do that runs an initialiser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The exported function.
    pub initializer: String,
    pub given: Given,
    /// Bytes of the host paths of its mounts.
    pub hosts: Vec<Vec<u8>>,
    /// Host paths that some program may write to: no link in there leads to a mount.
    pub writable: Vec<Vec<u8>>,
    /// How long the initialiser may take.
    pub time: Duration,
    /// Bytes of memory that it may use.
    pub memory: u64,
    /// Files and folders that it may have open.
    pub descriptors: u64,
}

impl Order {
    /// Those of its mounts in which something was found, with their host paths.
    pub(crate) fn found_in(&self, sights: &Sights) -> Vec<(String, Vec<u8>)> {
        let found_in = sights::found_in(sights);
        let mounts = self.given.mounts.iter().cloned();
        let mounts = mounts.zip(self.hosts.iter().cloned());
        mounts
            .filter(|(guest, _)| found_in.contains(guest.as_str()))
            .collect()
    }
}

impl Given {
    /// Guest paths in the order of their descriptors.
    pub(crate) fn all_mounts(&self) -> Vec<&str> {
        let mounts = self.mounts.iter().chain(&self.scratch);
        mounts.map(String::as_str).collect()
    }

    /// The value of [`Given::settings`] for this build. A snapshot is WebAssembly, which is the same for all machines.
    pub fn settings_of_this_build() -> String {
        ArtifactKey::new("", &Settings::of_this_process(), Target::Baseline).settings
    }
}

impl User {
    pub fn new(user: u32, group: u32, mut groups: Vec<u32>) -> Self {
        // That of the user counts whether or not it is listed.
        groups.push(group);
        groups.sort_unstable();
        groups.dedup();
        User {
            user,
            group,
            groups,
        }
    }

    /// The user that this process is.
    pub fn of_this_process() -> Self {
        let groups = getgroups().unwrap_or_default();
        User::new(
            geteuid().as_raw(),
            getegid().as_raw(),
            groups.into_iter().map(|group| group.as_raw()).collect(),
        )
    }
}
