//! Bounds on what one run may allocate.

use wasmtime::ResourceLimiter;

/// Elements that a table may grow to, or more where a module begins with more. The pool reserves room for as many.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Most random bytes that one call may ask for.
pub(crate) const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// Bytes of an element of a table.
const TABLE_ELEMENT: usize = 8;

/// Bytes of tables that do not count: every program has a small one, for its indirect calls.
const FREE_TABLES: usize = MAX_TABLE_ELEMENTS * TABLE_ELEMENT;

/// Counts the memory of a run against its limit. What was allowed once stays counted: a growth that the system refuses
/// afterwards is at the expense of the run.
#[derive(Debug)]
pub(crate) struct Limits {
    limit: usize,
    memories: usize,
    tables: usize,
    /// Whether the limit refused memory at least once.
    pub(crate) memory_refused: bool,
}

impl Limits {
    /// `limit` in bytes, all memories and large tables of the run together.
    pub(crate) fn new(limit: usize) -> Self {
        Limits {
            limit,
            memories: 0,
            tables: 0,
            memory_refused: false,
        }
    }

    /// Takes note of the new sizes if they are within the limit.
    fn allow(&mut self, memories: usize, tables: usize) -> bool {
        let total = memories.saturating_add(tables.saturating_sub(FREE_TABLES));
        if total > self.limit {
            self.memory_refused = true;
            return false;
        }
        (self.memories, self.tables) = (memories, tables);
        true
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
        Ok(self.allow(self.memories.saturating_add(growth), self.tables))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired
            .saturating_sub(current)
            .saturating_mul(TABLE_ELEMENT);
        Ok(self.allow(self.memories, self.tables.saturating_add(growth)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_limit() {
        let mut limits = Limits::new(100);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(!limits.memory_growing(0, 50, None).unwrap());
        assert!(limits.memory_refused);
        assert!(limits.memory_growing(60, 100, None).unwrap());
    }

    #[test]
    fn small_tables_are_free_and_large_ones_count() {
        let mut limits = Limits::new(100);
        assert!(limits.table_growing(0, MAX_TABLE_ELEMENTS, None).unwrap());
        assert!(limits.memory_growing(0, 90, None).unwrap());
        let more = MAX_TABLE_ELEMENTS + 1;
        assert!(
            limits
                .table_growing(MAX_TABLE_ELEMENTS, more, None)
                .unwrap()
        );
        assert!(!limits.table_growing(more, more + 1, None).unwrap());
        assert!(limits.memory_refused);
    }

    #[test]
    fn sizes_beyond_counting_are_refused() {
        let mut limits = Limits::new(100);
        assert!(!limits.table_growing(0, usize::MAX, None).unwrap());
        assert!(!limits.memory_growing(0, usize::MAX, None).unwrap());
    }
}
