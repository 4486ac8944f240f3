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

/// Compiled code lies in memory files of this name.
const CODE: &str = "/memfd:mod_wasm";
const LIBRARY: &str = "libwasm_runtime.so";
const KERNEL: &str = "[kernel";

pub(crate) fn read(recording: &Path) -> Result<Vec<Place>> {
    let mut perf = command("perf", ["script", "--fields=ip,sym,dso", "--input"]);
    let text = printed(perf.arg(recording))?;
    Ok(text.split("\n\n").filter_map(sample).collect())
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// A stack, innermost frame first: `  7f00 function (file)` each. What has no symbols is told as an offset of its file.
fn sample(block: &str) -> Option<Place> {
    let frames: Vec<&str> = block
        .lines()
        .filter(|line| line.trim_end().ends_with(')'))
        .collect();
    let inner = frames.first()?;
    let address = hex(inner.split_whitespace().next()?)?;
    Some(if inner.contains(KERNEL) {
        in_kernel(&frames)
    } else if inner.contains(CODE) {
        Place::Code(address)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_has_a_place() {
        let library = "  7 write (/lib/libc.so.6)\n  9 call (/modules/libwasm_runtime.so)\n";
        let fault = "  f copy ([kernel.kallsyms])\n  f exc_page_fault ([kernel.kallsyms])\n";
        let call = "  f read ([kernel.kallsyms])\n  f do_syscall_64 ([kernel.kallsyms])\n";
        for (block, expected) in [
            (
                "  7f10 [unknown] (/memfd:mod_wasm (deleted))\n",
                Some(Place::Code(0x7f10)),
            ),
            (library, Some(Place::Library)),
            (fault, Some(Place::PageFault)),
            (call, Some(Place::SystemCall)),
            ("  f irq ([kernel.kallsyms])\n", Some(Place::Kernel)),
            ("  7 poll (/lib/libc.so.6)\n", Some(Place::Server)),
            ("", None),
        ] {
            assert_eq!(sample(block), expected, "{block}");
        }
    }
}
