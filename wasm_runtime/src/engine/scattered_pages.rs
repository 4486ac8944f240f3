//! Before the engine makes a slot clean: pages that a run has scattered over its memory are brought together.
//!
//! The engine clears what was written to, in at most 32 regions and as many bytes as a slot keeps. All that lies behind, up to the end of
//! the memory, it gives back to the system (`MAX_REGIONS` in its `pagemap.rs`), and with it the pages that were only read. Each costs the
//! next run a page fault, which takes as long as clearing twenty pages. A program that was started before writes here and there in a
//! large memory, and reads much of it.

use super::written_pages;
use crate::ffi::page_map;
use std::collections::HashSet;
use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Regions that are left to the engine, which can take a few more.
const REGIONS: usize = 28;

/// Bytes of a memory from which on it is worth a look, which costs as much as reading the page table.
const LARGE: usize = 4 << 20;

/// Bytes that are whole pages on each architecture.
const WHOLE: usize = 64 << 10;

/// Bytes of a page where they are smallest.
const SMALLEST_PAGE: usize = 4 << 10;

/// Runs of a module that are not looked at after one that had nothing scattered.
const PAUSE: u32 = 15;

/// What is known of the runs of one module.
#[derive(Debug, Default)]
pub(crate) struct ScatteredPages {
    /// Runs that are not looked at.
    pause: AtomicU32,
}

impl ScatteredPages {
    /// Leaves in `memory`, which no guest uses any more, what the engine can clear: few regions, and no more than `kept` bytes. It is as
    /// safe as the engine's own work, which follows: what is given back is as it was before the run, and nothing gets another value.
    pub(crate) fn bring_together(&self, memory: &mut [u8], kept: usize) {
        if kept == 0 || memory.len() < LARGE || self.pauses() {
            return;
        }
        let Some(page_map) = written_pages::page_map() else {
            return;
        };
        let written = page_map::written(page_map, memory).ok().flatten();
        let plan = Plan::of(written.unwrap_or_default(), kept);
        if plan == Plan::default() || !give_back(memory, &plan.give_back) {
            self.pause.store(PAUSE, Ordering::Relaxed);
            return;
        }
        for gap in plan.fill {
            write_to(&mut memory[gap]);
        }
    }

    /// A run more or less is no matter.
    fn pauses(&self) -> bool {
        let left = self.pause.load(Ordering::Relaxed);
        self.pause.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 0
    }
}

/// Whether these pages are gone. If not, the engine gives them back, with all behind them.
fn give_back(memory: &mut [u8], pages: &[Range<usize>]) -> bool {
    pages.is_empty() || page_map::give_back(memory, pages).is_ok()
}

/// What is to be done so that the engine clears the rest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Gaps between regions that become parts of them.
    fill: Vec<Range<usize>>,
    give_back: Vec<Range<usize>>,
}

impl Plan {
    fn of(written: Vec<Range<usize>>, kept: usize) -> Self {
        let (fill, regions) = filled(written, kept);
        Plan {
            fill,
            give_back: surplus(regions, kept),
        }
    }
}

/// The smallest gaps, as long as there are too many regions and there is room: they, and the regions without them.
fn filled(written: Vec<Range<usize>>, kept: usize) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let all: usize = written.iter().map(Range::len).sum();
    let mut room = kept.saturating_sub(all);
    let neighbours = written.windows(2);
    let mut gaps: Vec<_> = neighbours.map(|both| both[0].end..both[1].start).collect();
    gaps.sort_by_key(Range::len);
    gaps.truncate(written.len().saturating_sub(REGIONS));
    gaps.retain(|gap| {
        let fits = gap.len() <= room;
        room -= if fits { gap.len() } else { 0 };
        fits
    });
    let filled: HashSet<usize> = gaps.iter().map(|gap| gap.end).collect();
    let mut regions: Vec<Range<usize>> = Vec::new();
    for region in written {
        match regions.last_mut() {
            Some(last) if filled.contains(&region.start) => last.end = region.end,
            _ => regions.push(region),
        }
    }
    (gaps, regions)
}

/// What does not belong to the largest regions that are kept.
fn surplus(mut regions: Vec<Range<usize>>, kept: usize) -> Vec<Range<usize>> {
    regions.sort_by_key(|region| std::cmp::Reverse(region.len()));
    let mut left = kept;
    let mut surplus = Vec::new();
    for (number, region) in regions.into_iter().enumerate() {
        let keeps = match number < REGIONS {
            true if region.len() <= left => region.len(),
            true => left / WHOLE * WHOLE,
            false => 0,
        };
        left -= keeps;
        if keeps < region.len() {
            surplus.push(region.start + keeps..region.end);
        }
    }
    surplus
}

/// Makes each page one of this process's own, with the content that it has.
fn write_to(pages: &mut [u8]) {
    for page in pages.chunks_mut(SMALLEST_PAGE) {
        page[0] = black_box(page[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many regions as are left to the engine, of two pages each, with gaps of eight.
    fn many() -> Vec<Range<usize>> {
        (0..REGIONS)
            .map(|number| number * 10..number * 10 + 2)
            .collect()
    }

    #[test]
    fn what_the_engine_can_clear_is_left_to_it() {
        assert_eq!(Plan::of(vec![0..10, 20..30], 20), Plan::default());
        assert_eq!(Plan::of(many(), 1000), Plan::default());
    }

    #[test]
    fn the_smallest_gaps_are_filled_where_there_is_room() {
        let end = REGIONS * 10;
        let mut written = many();
        written.extend([end..end + 1, end + 4..end + 5]);
        let plan = |kept| Plan::of(written.clone(), kept);
        let filled = Plan {
            fill: vec![end + 1..end + 4, 2..10],
            give_back: Vec::new(),
        };
        assert_eq!(plan(1000), filled);
        let full = Plan {
            fill: Vec::new(),
            give_back: vec![end..end + 1, end + 4..end + 5],
        };
        assert_eq!(plan(2 * REGIONS + 2), full);
    }

    #[test]
    fn the_largest_regions_are_kept() {
        let large = [0..2, 10..10 + 3 * WHOLE];
        let part = 10 + 2 * WHOLE..10 + 3 * WHOLE;
        assert_eq!(surplus(large.to_vec(), 3 * WHOLE - 1), vec![part]);
        assert_eq!(surplus(vec![0..2, 10..20, 30..35], 15), vec![0..2]);
    }

    #[test]
    fn pages_keep_what_they_hold() {
        let mut memory = vec![7; 3 * SMALLEST_PAGE + 1];
        write_to(&mut memory);
        assert!(memory.iter().all(|&byte| byte == 7));
    }

    #[test]
    fn a_module_without_scattered_pages_is_looked_at_now_and_then() {
        let module = ScatteredPages::default();
        assert!(!module.pauses());
        module.pause.store(PAUSE, Ordering::Relaxed);
        let pauses = (0..=PAUSE).filter(|_| module.pauses()).count();
        assert_eq!(pauses, PAUSE as usize);
    }
}
