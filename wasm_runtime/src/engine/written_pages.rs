//! The kernel's record of the pages that this process wrote to: `/proc/self/pagemap`, and the call that scans it (Linux 6.7). The engine
//! opens it once, when it is first asked whether it can use it, and keeps it.

use std::fs::File;
use std::sync::OnceLock;
use wasmtime::PoolingAllocationConfig;

const RECORD: &str = "/proc/self/pagemap";

/// Why the engine cannot use the record.
pub(super) enum Missing {
    /// The kernel does not have the call.
    Scan,
    /// It cannot be opened, for this cause.
    Record(String),
}

/// What was opened beside the engine's own, and by which process: in another it would tell of this one's pages.
static PAGE_MAP: OnceLock<Option<(u32, File)>> = OnceLock::new();

/// Lets the engine open the record while this process may. Once it has changed its user, the file belongs to root: it would not where
/// all processes of that user may trace this one, which is no price to pay.
pub fn open() {
    PoolingAllocationConfig::is_pagemap_scan_available();
    PAGE_MAP.get_or_init(|| Some((std::process::id(), File::open(RECORD).ok()?)));
}

/// The record, where it was opened by this process.
pub(super) fn page_map() -> Option<&'static File> {
    let (process, file) = PAGE_MAP.get()?.as_ref()?;
    (*process == std::process::id()).then_some(file)
}

/// Whether the engine can use the record.
pub(super) fn check() -> Result<(), Missing> {
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        return Ok(());
    }
    Err(match File::open(RECORD) {
        Ok(_) => Missing::Scan,
        Err(error) => Missing::Record(format!("cannot open {RECORD}: {error}")),
    })
}
