//! The pool of instances of a serving process: places that are prepared once and cleaned between guests.

use super::settings::{MAX_WASM_STACK, MEMORY_RESERVATION, Settings, Target};
use crate::artifact::Needs;
use crate::error::{Error, Result, one_line};
use crate::guest::backtrace::MAX_FRAMES;
use crate::run::budget::MAX_TABLE_ELEMENTS;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Memory that a free slot keeps where the kernel knows what was written to: PHP's start-up fits, and saves most of its page
/// faults.
const KEEP_WRITTEN: usize = 4 << 20;

/// Memory that a free slot keeps elsewhere: clearing more costs more than giving it back to the system.
const KEEP_FIRST: usize = 128 << 10;

/// Only a check: the room is allocated as needed.
const MAX_INSTANCE_SIZE: usize = 16 << 20;

/// How a slot of the pool is made clean for the next guest.
#[derive(Clone, Copy)]
enum Reset {
    /// The kernel tells which pages were written to (`PAGEMAP_SCAN`, Linux 6.7): just these are cleared.
    WrittenPages,
    /// The first bytes are cleared whether they were written to or not, the rest is given back to the system.
    FirstBytes,
}

/// An engine with a pool for `instances` guests at a time, and a warning for the log where there is no room for a pool.
pub(super) fn make_engine(needs: &Needs, instances: u32) -> Result<(Engine, Vec<String>)> {
    let configured = Settings::of_this_process().config(Target::Native);
    let mut config = configured.map_err(|error| Error::Engine(one_line(&error)))?;
    config
        .max_wasm_stack(MAX_WASM_STACK)
        .wasm_backtrace_max_frames(Some(MAX_FRAMES));
    let mut refused = String::new();
    for reset in [Reset::WrittenPages, Reset::FirstBytes] {
        config.allocation_strategy(pool(needs, instances, reset));
        match Engine::new(&config) {
            Ok(engine) => return Ok((engine, Vec::new())),
            Err(error) => refused = one_line(&error),
        }
    }
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&config).map_err(|error| Error::Engine(one_line(&error)))?;
    let warning = format!(
        "no address space for a pool of {instances} instances ({refused}): each run allocates for itself, which is \
         slower; is a limit on virtual memory set (ulimit -v)?"
    );
    Ok((engine, vec![warning]))
}

fn pool(needs: &Needs, instances: u32, reset: Reset) -> PoolingAllocationConfig {
    let (pagemap_scan, keep_resident) = match reset {
        Reset::WrittenPages => (Enabled::Yes, KEEP_WRITTEN),
        Reset::FirstBytes => (Enabled::No, KEEP_FIRST),
    };
    let mut pool = PoolingAllocationConfig::new();
    // Exceptions and references to host objects live in a heap of their own, which takes a memory of the pool. Which modules need
    // one, the engine does not tell; what is not used costs address space only.
    let memories = needs.memories.saturating_add(1);
    pool.total_core_instances(instances)
        .total_memories(instances.saturating_mul(memories))
        .total_tables(instances.saturating_mul(needs.tables))
        .total_gc_heaps(instances)
        .total_stacks(0)
        .total_component_instances(0)
        .max_memories_per_module(needs.memories.max(1))
        .max_tables_per_module(needs.tables.max(1))
        .table_elements(MAX_TABLE_ELEMENTS.max(needs.table_elements))
        .max_core_instance_size(MAX_INSTANCE_SIZE)
        .max_memory_size(MEMORY_RESERVATION as usize)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(KEEP_FIRST)
        .pagemap_scan(pagemap_scan);
    pool
}
