//! The pool of instances of a serving process: places that are prepared once and cleaned between guests.

use super::settings::{Interruption, MEMORY_RESERVATION, Settings, Target};
use super::swap;
use super::written_pages::{self, Missing};
use crate::artifact::Needs;
use crate::error::{Error, Result, one_line};
use crate::guest::backtrace::MAX_FRAMES;
use crate::run::budget::MAX_TABLE_ELEMENTS;
use std::ops::RangeInclusive;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Memory in bytes that the free slots of a process keep together where the kernel knows what was written to: the next run in a slot
/// finds it there and takes no page faults.
const KEPT: usize = 256 << 20;

/// Bounds of what one slot keeps of it. All that is kept is cleared after each run, whichever run wrote it: with more, light runs pay
/// too much for a heavy one before them.
const KEPT_OF_A_SLOT: RangeInclusive<usize> = 1 << 20..=8 << 20;

/// What a slot keeps elsewhere: clearing more costs more than giving it back to the system.
const KEEP_FIRST: usize = 128 << 10;

/// Only a check: the room is allocated as needed.
const MAX_INSTANCE_SIZE: usize = 16 << 20;

/// How a slot of the pool is made clean for the next guest.
#[derive(Clone, Copy)]
enum Reset {
    /// The kernel tells which pages were written to: just these are cleared, and so many bytes of a memory are kept.
    WrittenPages(usize),
    /// The first bytes are cleared whether they were written to or not, the rest is given back to the system.
    FirstBytes,
}

/// What the log should say about an engine, in one line each.
#[derive(Default)]
pub(super) struct Remarks {
    /// What can be put right.
    pub(super) warnings: Vec<String>,
    /// What this machine lacks, or nothing.
    pub(super) note: &'static str,
    /// Bytes that a slot keeps of a memory, where just its written pages are cleared.
    pub(super) kept: usize,
}

/// An engine with a pool for `instances` guests at a time, each with `stack` bytes; without a pool where there is no room for one.
pub(super) fn make_engine(
    needs: &Needs,
    instances: u32,
    stack: usize,
) -> Result<(Engine, Remarks)> {
    let settings = Settings::of_this_process();
    let configured = settings.config(Target::Native);
    let mut config = configured.map_err(|error| Error::Engine(one_line(&error)))?;
    config
        .max_wasm_stack(stack)
        .async_stack_size(stack) // which nothing uses, and which may not be smaller
        .wasm_backtrace_max_frames(Some(MAX_FRAMES));
    let mut remarks = Remarks::default();
    let reset = reset(needs, instances, &mut remarks);
    config.allocation_strategy(pool(needs, instances, reset, settings.interruption()));
    if let Reset::WrittenPages(kept) = reset {
        remarks.kept = kept;
    }
    let refused = match Engine::new(&config) {
        Ok(engine) => return Ok((engine, remarks)),
        Err(error) => one_line(&error),
    };
    remarks.kept = 0;
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&config).map_err(|error| Error::Engine(one_line(&error)))?;
    remarks.warnings.push(format!(
        "no address space for a pool of {instances} instances ({refused}): each run allocates for itself, which is \
         slower; is a limit on virtual memory set (ulimit -v)?"
    ));
    Ok((engine, remarks))
}

fn reset(needs: &Needs, instances: u32, remarks: &mut Remarks) -> Reset {
    match written_pages::check() {
        Ok(()) if swap::is_possible() => {
            remarks.note = "this machine may swap memory out, and the kernel's record of written pages does not tell of that: cleaning up after a run is slower";
        }
        Ok(()) => return Reset::WrittenPages(kept_of_a_slot(needs, instances)),
        Err(Missing::Scan) => {
            remarks.note = "this kernel cannot scan the pages that a run wrote to (Linux 6.7): cleaning up after it is slower";
        }
        Err(Missing::Record(cause)) => {
            let warning = format!("{cause}: cleaning up after a run is slower");
            remarks.warnings.push(warning);
        }
    }
    Reset::FirstBytes
}

fn pool(
    needs: &Needs,
    instances: u32,
    reset: Reset,
    interruption: Interruption,
) -> PoolingAllocationConfig {
    let (pagemap_scan, keep_resident) = match reset {
        Reset::WrittenPages(kept) => (Enabled::Yes, kept),
        Reset::FirstBytes => (Enabled::No, KEEP_FIRST),
    };
    let mut pool = PoolingAllocationConfig::new();
    // Exceptions and references to host objects live in a heap of their own, which takes a memory of the pool. Which modules need
    // one, the engine does not tell; what is not used costs address space only.
    let page = u32::from(interruption == Interruption::Page);
    let memories = needs.memories.saturating_add(page);
    pool.total_core_instances(instances)
        .total_memories(instances.saturating_mul(memories.saturating_add(1)))
        .total_tables(instances.saturating_mul(needs.tables))
        .total_gc_heaps(instances)
        .total_stacks(0)
        .total_component_instances(0)
        .max_memories_per_module(memories.max(1))
        .max_tables_per_module(needs.tables.max(1))
        .table_elements(MAX_TABLE_ELEMENTS.max(needs.table_elements))
        .max_core_instance_size(MAX_INSTANCE_SIZE)
        .max_memory_size(MEMORY_RESERVATION as usize)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(KEEP_FIRST)
        .pagemap_scan(pagemap_scan);
    pool
}

/// The part of [`KEPT`] that each memory of each slot gets. Exceptions and references to host objects are not worth a share.
fn kept_of_a_slot(needs: &Needs, instances: u32) -> usize {
    let memories = instances.saturating_mul(needs.memories.max(1));
    let (floor, ceiling) = KEPT_OF_A_SLOT.into_inner();
    (KEPT / memories as usize).clamp(floor, ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(memories: u32, instances: u32) -> usize {
        let needs = Needs {
            memories,
            ..Needs::default()
        };
        kept_of_a_slot(&needs, instances)
    }

    #[test]
    fn the_slots_of_a_process_share_what_is_kept() {
        for (memories, instances) in [(0, 1), (1, 1), (1, 18), (1, 64), (3, 20), (1, 256)] {
            let all = kept(memories, instances) * instances as usize * memories.max(1) as usize;
            assert!(
                all <= KEPT,
                "{instances} slots of {memories} memories keep {all}"
            );
        }
        assert_eq!(kept(1, 64), 4 << 20);
        assert_eq!(kept(4, 16), 4 << 20);
    }

    #[test]
    fn a_slot_keeps_neither_too_much_nor_too_little() {
        assert_eq!(kept(1, 1), 8 << 20);
        assert_eq!(kept(1, 100_000), 1 << 20);
        assert_eq!(kept(u32::MAX, u32::MAX), 1 << 20);
    }
}
