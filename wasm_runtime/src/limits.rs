//! Bounds on what one run may allocate.

use wasmtime::ResourceLimiter;

/// Elements that a table may grow to. The pool reserves room for as many.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Descriptors and other host resources that a guest may hold at a time.
pub(crate) const MAX_HOST_RESOURCES: usize = 4096;

/// Most random bytes that one call may ask for.
pub(crate) const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// Counts the linear memory of a run against its limit.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_limit: usize,
    table_limit: usize,
    memory_used: usize,
    last_growth: usize,
    /// Whether the limit refused memory at least once.
    pub(crate) memory_refused: bool,
}

impl Limits {
    /// `memory_limit` in bytes, all linear memories of the run together.
    pub(crate) fn new(memory_limit: usize, table_limit: usize) -> Self {
        Limits {
            memory_limit,
            table_limit,
            memory_used: 0,
            last_growth: 0,
            memory_refused: false,
        }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.memory_used.saturating_add(growth);
        if total > self.memory_limit {
            self.memory_refused = true;
            return Ok(false);
        }
        self.memory_used = total;
        self.last_growth = growth;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_used -= std::mem::take(&mut self.last_growth);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_limit() {
        let mut limits = Limits::new(100, 1);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(!limits.memory_growing(0, 50, None).unwrap());
        assert!(limits.memory_refused);
        assert!(limits.memory_growing(60, 100, None).unwrap());
    }

    #[test]
    fn memory_that_the_system_refused_is_given_back() {
        let mut limits = Limits::new(100, 1);
        assert!(limits.memory_growing(0, 80, None).unwrap());
        limits
            .memory_grow_failed(wasmtime::Error::msg("no memory"))
            .unwrap();
        assert!(limits.memory_growing(0, 100, None).unwrap());
    }

    #[test]
    fn tables_stop_at_their_limit() {
        let mut limits = Limits::new(100, 10);
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert!(!limits.table_growing(10, 11, None).unwrap());
    }
}
