//! A cache of compiled code, and what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A cache that outlives a server. `TempDir` makes it for its owner only, as it has to be.
pub fn new_cache() -> TempDir {
    tempfile::Builder::new()
        .prefix("mod-wasm-cache-")
        .tempdir_in("/tmp")
        .expect("/tmp is writable")
}

/// Files of the cache that hold compiled code: the large ones.
pub fn artifacts(cache: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(cache).expect("the cache is readable") {
        let path = entry.expect("the cache is readable").path();
        if path.is_dir() {
            found.extend(artifacts(&path));
        } else if path.metadata().expect("the cache is readable").len() > 4096 {
            found.push(path);
        }
    }
    found.sort();
    found
}
