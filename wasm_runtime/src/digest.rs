//! SHA-256 of files, and of values; CRC-32 where damage is to be noticed.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};

const CHUNK: usize = 256 << 10;

/// Copies all of `reader` to `writer` and returns the digest of what was copied, as lower-case hex.
pub(crate) fn copy_hashed(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<String> {
    let mut hasher = Sha256::new();
    copy(reader, writer, |bytes| hasher.update(bytes))?;
    Ok(hex(&hasher.finalize()))
}

/// As [`copy_hashed`], and returns the CRC-32, which costs a tenth.
pub(crate) fn copy_summed(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<u32> {
    let mut hasher = crc32fast::Hasher::new();
    copy(reader, writer, |bytes| hasher.update(bytes))?;
    Ok(hasher.finalize())
}

fn copy(
    reader: &mut impl Read,
    writer: &mut impl Write,
    mut observe: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                observe(&buffer[..count]);
                writer.write_all(&buffer[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Digest of whatever a value feeds to a hasher, as 32 hex digits: long enough that no two differ in nothing else.
pub(crate) fn digest_of(value: &impl Hash) -> String {
    let mut hasher = DigestHasher(Sha256::new());
    value.hash(&mut hasher);
    hex(&hasher.0.finalize()[..16])
}

struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(std::array::from_fn(|index| digest[index]))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one_of_abc() {
        // FIPS 180-2, appendix B.1
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected);
        let mut copy = Vec::new();
        assert_eq!(copy_hashed(&mut &b"abc"[..], &mut copy).unwrap(), expected);
        assert_eq!(copy, b"abc");
    }

    #[test]
    fn the_checksum_is_the_published_one_of_the_digits() {
        // The catalogue's CRC-32/ISO-HDLC
        let mut copy = Vec::new();
        let sum = copy_summed(&mut &b"123456789"[..], &mut copy).unwrap();
        assert_eq!(sum, 0xcbf4_3926);
        assert_eq!(copy, b"123456789");
    }

    #[test]
    fn values_have_digests() {
        let digest = digest_of(&("a", 1_u8));
        assert_eq!(digest.len(), 32);
        assert_eq!(digest, digest_of(&("a", 1_u8)));
        assert_ne!(digest, digest_of(&("a", 2_u8)));
    }
}
