//! The kernel's record of the pages that this process wrote to: `/proc/self/pagemap`, and the call that scans it (Linux 6.7). The engine
//! opens it once, when it is first asked whether it can use it, and keeps it.

use std::fs::File;
use wasmtime::PoolingAllocationConfig;

const RECORD: &str = "/proc/self/pagemap";

/// Why the engine cannot use the record.
pub(super) enum Missing {
    /// The kernel does not have the call.
    Scan,
    /// It cannot be opened, for this cause.
    Record(String),
}

/// Lets the engine open the record while this process may. Once it has changed its user, the file belongs to root: it would not where
/// all processes of that user may trace this one, which is no price to pay.
pub fn open() {
    PoolingAllocationConfig::is_pagemap_scan_available();
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
