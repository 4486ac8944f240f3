//! Compression of what is long in a file of a cache: machine code and snapshots become a third of their size, and are read in
//! less time than it takes a disk to deliver the rest.

use std::io::{self, Read, Write};

/// Of zstd: takes no time beside compiling, and makes files little larger than the best levels do.
const LEVEL: i32 = 3;

/// Bytes that come out at most: a damaged file may promise any number.
const MOST: u64 = 4 << 30;

/// Compresses all of `content`.
pub(super) fn pack(content: &mut impl Read, packed: impl Write) -> io::Result<()> {
    zstd::stream::copy_encode(content, packed, LEVEL)
}

/// What was compressed; an error where `packed` is cut short or anything else.
pub(super) fn unpack(packed: impl Read) -> io::Result<impl Read> {
    Ok(zstd::stream::Decoder::new(packed)?.take(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_nothing_else_is() {
        let content = b"code".repeat(100_000);
        let mut packed = Vec::new();
        pack(&mut content.as_slice(), &mut packed).unwrap();
        assert!(packed.len() < content.len() / 3);
        let unpacked = |packed: &[u8]| {
            let mut content = Vec::new();
            unpack(packed)?.read_to_end(&mut content).map(|_| content)
        };
        assert_eq!(unpacked(&packed).unwrap(), content);
        unpacked(&packed[..packed.len() / 2]).unwrap_err();
        unpacked(&content).unwrap_err();
    }
}
