//! How a module is initialised for a snapshot, and whether one that is there would come of it again.

use super::Facts;
use super::order::{Given, Order, User};
use super::snapshot::SnapshotFacts;
use crate::host::files::{Files, Terms};
use crate::host::sights;
use crate::mounts::MountTable;
use crate::run::budget::Budget;
use crate::run::{Limit, Limits, Mount};
use std::sync::Arc;
use std::time::Duration;

/// The names by which modules export an initialiser, the newer one first.
pub(super) const INITIALIZERS: [&str; 2] = ["wizer-initialize", "wizer.initialize"];

/// The function that initialises a module, if it has one.
pub(super) fn initializer(facts: &Facts) -> Option<&'static str> {
    let has = |name: &&str| facts.entry_points.iter().any(|entry| entry == name);
    INITIALIZERS.into_iter().find(has)
}

/// How a module is initialised for a snapshot.
#[derive(Clone, Debug)]
pub struct Preinit {
    /// Without an initialiser, or when it fails, the module is refused; otherwise it runs without a snapshot.
    pub required: bool,
    /// What the initialiser sees, all of it read-only.
    pub mounts: Vec<Mount>,
    /// Guest path of the scratch directory that runs have. The initialiser finds nothing there.
    pub scratch: Option<String>,
    /// All mounts of any run: what a program may write to, no link in there leads to a mount.
    pub table: Arc<MountTable>,
    /// `NAME=value`, sorted.
    pub env: Vec<Vec<u8>>,
    /// How long it may take.
    pub time: Duration,
    /// Bytes of memory that it may use.
    pub memory: u64,
    /// Files and folders that it may have open.
    pub descriptors: u64,
    /// Whom the process that runs it becomes; `None`: it stays who it is.
    pub user: Option<User>,
}

impl Preinit {
    /// What the initialiser of this module is given.
    pub(super) fn given(&self, module_sha256: &str) -> Given {
        let mounts = self.mounts.iter();
        Given {
            module: module_sha256.to_owned(),
            settings: Given::settings_of_this_build(),
            env: self.env.clone(),
            mounts: mounts.map(|mount| mount.guest.clone()).collect(),
            scratch: self.scratch.clone(),
            user: self.user.clone().unwrap_or_else(User::of_this_process),
        }
    }

    /// The order for the process that runs it.
    pub(super) fn order(&self, module_sha256: &str, initializer: &str) -> Order {
        let mounts = self.mounts.iter();
        Order {
            initializer: initializer.to_owned(),
            given: self.given(module_sha256),
            hosts: mounts.map(|mount| mount.host.clone()).collect(),
            writable: self.table.hosts_writable().to_vec(),
            time: self.time,
            memory: self.memory,
            descriptors: self.descriptors,
        }
    }

    /// Whether this snapshot is what the initialiser of the module would lead to now, and has room in this memory.
    pub(super) fn is_met_by(&self, facts: &SnapshotFacts, module_sha256: &str) -> bool {
        let same_memory = |limit: u64| limit == self.memory;
        let same_descriptors = |limit: u64| limit == self.descriptors;
        facts.given == self.given(module_sha256)
            && facts.memory <= self.memory
            && facts.refused_memory.is_none_or(same_memory)
            && facts.refused_descriptors.is_none_or(same_descriptors)
            && self.has_mounts(&facts.found_in)
            && self.still_shows(facts)
    }

    fn has_mounts(&self, found_in: &[(String, Vec<u8>)]) -> bool {
        found_in.iter().all(|(guest, host)| {
            let mut mounts = self.mounts.iter();
            mounts.any(|mount| mount.guest == *guest && mount.host == *host)
        })
    }

    fn still_shows(&self, facts: &SnapshotFacts) -> bool {
        let mut files = Files::new(false);
        let mut budget = Budget::new(Limits::UNLIMITED);
        let terms = Terms {
            read_only: true,
            account: Limit::Written,
        };
        for mount in &self.mounts {
            // One that cannot be mounted shows nothing.
            if let Ok(host) = self.table.open(&mount.host) {
                let _ = files.mount(&mount.guest, host, terms, &mut budget);
            }
        }
        sights::hold(&facts.sights, &mut files, &mut budget)
    }
}
