//! Two things that the kernel does with the pages of a guest's memory, and that no crate wraps: it tells which of them were written to, and
//! gives some of them back.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `PAGEMAP_SCAN`: `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::c_ulong = 0xc060_6610;

// Categories of pages: `PAGE_IS_…`.
const WRITTEN: u64 = 1 << 1;
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const PFNZERO: u64 = 1 << 5;

/// Regions that are told.
const MOST: usize = 1024;

/// Where this process has pages of its own in `memory`: offsets, in order. `None`: in more regions than anybody wants to know.
///
/// # Errors
/// The kernel's, which knows the call since Linux 6.7. `page_map` has to be `/proc/self/pagemap`.
pub(crate) fn written(page_map: &File, memory: &[u8]) -> io::Result<Option<Vec<Range<usize>>>> {
    let start = memory.as_ptr().addr();
    let mut regions = [Region::default(); MOST];
    let mut scan = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        start: start as u64,
        end: (start + memory.len()) as u64,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: MOST as u64,
        // What is mapped from a file, or is the page of zeros, was not written to.
        category_inverted: FILE | PFNZERO,
        category_mask: WRITTEN | PRESENT | FILE | PFNZERO,
        ..ScanArguments::default()
    };
    // SAFETY: the kernel writes to `scan`, whose size it is told, and at most `MOST` regions to `regions`; both outlive the call. Of what
    // lies between `start` and `end` it reads the page table alone.
    let told = unsafe { libc::ioctl(page_map.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
    let count = usize::try_from(told).map_err(|_| io::Error::last_os_error())?;
    if scan.walk_end < scan.end {
        return Ok(None);
    }
    let offset = |address: u64| address as usize - start;
    let told = regions[..count].iter();
    Ok(Some(
        told.map(|region| offset(region.start)..offset(region.end))
            .collect(),
    ))
}

/// The calling thread's process, for calls that take one: `PIDFD_SELF_THREAD` of `linux/pidfd.h`.
const SELF: libc::c_int = -10000;

/// Gives pages of private memory back: they are what they were before anybody wrote to them, the pages of a file or zeros. One call for
/// all of them, so that other processors are interrupted once.
///
/// # Errors
/// The kernel's, where it does not know the call for one's own process (before about Linux 6.14), or does not permit it, as in many
/// containers: nothing was given back, or not all of it.
pub(crate) fn give_back(memory: &mut [u8], pages: &[Range<usize>]) -> io::Result<()> {
    let vectors: Vec<libc::iovec> = pages
        .iter()
        .map(|pages| {
            let pages = &mut memory[pages.clone()];
            libc::iovec {
                iov_base: pages.as_mut_ptr().cast(),
                iov_len: pages.len(),
            }
        })
        .collect();
    // SAFETY: the vectors lie in `memory`, which is borrowed mutably: nobody else refers to these bytes, of which all values are valid.
    let given = unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            SELF,
            vectors.as_ptr(),
            vectors.len(),
            libc::MADV_DONTNEED,
            0,
        )
    };
    match given {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
