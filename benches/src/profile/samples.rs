//! What perf has recorded: one place of each sample.

use std::path::Path;

use anyhow::Result;

use crate::dirs::{command, printed};

/// Where a processor was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In machine code of a module, at this offset of its file.
    Code(u64),
    PageFault,
    SystemCall,
    /// Interrupts and what else is done for nobody in particular.
    Kernel,
    /// In the library, and in what it calls of the C library.
    Library,
    Server,
}

/// A mapping of compiled code: it begins at `start`, with the byte `offset` of the file.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: u64,
    length: u64,
    offset: u64,
}

/// Compiled code lies in memory files of this name.
const CODE: &str = "/memfd:mod_wasm";
const LIBRARY: &str = "libwasm_runtime.so";
const KERNEL: &str = "[kernel";

pub(crate) fn read(recording: &Path) -> Result<Vec<Place>> {
    let mut perf = command(
        "perf",
        [
            "script",
            "--show-mmap-events",
            "--fields=ip,sym,dso",
            "--input",
        ],
    );
    let text = printed(perf.arg(recording))?;
    let mappings: Vec<Mapping> = text.lines().filter_map(mapping).collect();
    let samples = text
        .split("\n\n")
        .filter_map(|block| sample(block, &mappings));
    Ok(samples.collect())
}

/// `… PERF_RECORD_MMAP2 1/1: [0x7f00(0x10) @ 0x1000 00:01 5 0]: r-xp /memfd:mod_wasm (deleted)`
fn mapping(line: &str) -> Option<Mapping> {
    let (_, rest) = line.split_once("PERF_RECORD_MMAP2")?;
    if !rest.contains(CODE) {
        return None;
    }
    let (start, rest) = rest.split_once("[0x")?.1.split_once("(0x")?;
    let (length, rest) = rest.split_once(") @ ")?;
    let offset = rest.split_whitespace().next()?;
    Some(Mapping {
        start: hex(start)?,
        length: hex(length)?,
        offset: hex(offset)?,
    })
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// A stack, innermost frame first: `  7f00 function (file)` each.
fn sample(block: &str, mappings: &[Mapping]) -> Option<Place> {
    let frames: Vec<&str> = block
        .lines()
        .filter(|line| !line.contains("PERF_RECORD_"))
        .filter(|line| line.trim_end().ends_with(')'))
        .collect();
    let inner = frames.first()?;
    let ip = hex(inner.split_whitespace().next()?)?;
    Some(if inner.contains(KERNEL) {
        in_kernel(&frames)
    } else if inner.contains(CODE) {
        code(ip, mappings)?
    } else if frames.iter().any(|frame| frame.contains(LIBRARY)) {
        Place::Library
    } else {
        Place::Server
    })
}

fn in_kernel(frames: &[&str]) -> Place {
    let has = |name: &str| frames.iter().any(|frame| frame.contains(name));
    if has("exc_page_fault") {
        return Place::PageFault;
    }
    if has("do_syscall_64") || has("el0_svc") {
        return Place::SystemCall;
    }
    Place::Kernel
}

fn code(ip: u64, mappings: &[Mapping]) -> Option<Place> {
    let around = |mapping: &&Mapping| (mapping.start..mapping.start + mapping.length).contains(&ip);
    let mapping = mappings.iter().find(around)?;
    Some(Place::Code(ip - mapping.start + mapping.offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPED: &str = " apache2 0 0.0: PERF_RECORD_MMAP2 1/1: [0x7f00(0x100) @ 0x1000 00:01 5 0]: r-xp /memfd:mod_wasm (deleted)";

    #[test]
    fn mappings_of_code_are_found() {
        let expected = Mapping {
            start: 0x7f00,
            length: 0x100,
            offset: 0x1000,
        };
        assert_eq!(mapping(MAPPED), Some(expected));
        assert_eq!(mapping(&MAPPED.replace("memfd:mod_wasm", "lib")), None);
    }

    #[test]
    fn each_sample_has_a_place() {
        let mappings = [mapping(MAPPED).expect("it is one")];
        let place = |block: &str| sample(block, &mappings);
        let library = "  7 write (/lib/libc.so.6)\n  9 call (/modules/libwasm_runtime.so)\n";
        let fault = "  f copy ([kernel.kallsyms])\n  f exc_page_fault ([kernel.kallsyms])\n";
        let call = "  f read ([kernel.kallsyms])\n  f do_syscall_64 ([kernel.kallsyms])\n";
        for (block, expected) in [
            (
                "  7f10 [unknown] (/memfd:mod_wasm (deleted))\n",
                Some(Place::Code(0x1010)),
            ),
            ("  1 [unknown] (/memfd:mod_wasm (deleted))\n", None),
            (library, Some(Place::Library)),
            (fault, Some(Place::PageFault)),
            (call, Some(Place::SystemCall)),
            ("  f irq ([kernel.kallsyms])\n", Some(Place::Kernel)),
            ("  7 poll (/lib/libc.so.6)\n", Some(Place::Server)),
            (MAPPED, None),
        ] {
            assert_eq!(place(block), expected, "{block}");
        }
    }
}
