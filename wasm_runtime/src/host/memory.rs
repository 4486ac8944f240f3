//! The guest's linear memory, as host functions use it: whatever a guest points to is looked at before it is used.

use super::abi::Errno;
use std::ops::Range;

/// Vectors in one call, as on the host (`IOV_MAX`).
const MAX_VECTORS: u32 = 1024;

/// Bytes in one call, as on the host (`MAX_RW_COUNT`): pieces may overlap, and together be longer than any memory.
const MAX_BYTES: usize = 0x7fff_f000;

/// Bytes of a path, its end included, as on the host (`PATH_MAX`).
pub(crate) const MAX_PATH: usize = 4096;

/// All bytes of a guest's memory. Each function fails with [`Errno::FAULT`] where the guest points outside.
pub(crate) struct Memory<'a>(pub(crate) &'a mut [u8]);

impl Memory<'_> {
    fn range(&self, start: u32, length: usize) -> Result<Range<usize>, Errno> {
        let start = start as usize;
        let end = start.checked_add(length).ok_or(Errno::FAULT)?;
        if end > self.0.len() {
            return Err(Errno::FAULT);
        }
        Ok(start..end)
    }

    pub(crate) fn bytes(&self, start: u32, length: u32) -> Result<&[u8], Errno> {
        let range = self.range(start, length as usize)?;
        Ok(&self.0[range])
    }

    pub(crate) fn bytes_mut(&mut self, start: u32, length: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(start, length as usize)?;
        Ok(&mut self.0[range])
    }

    pub(crate) fn write(&mut self, start: u32, value: &[u8]) -> Result<(), Errno> {
        let range = self.range(start, value.len())?;
        self.0[range].copy_from_slice(value);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, start: u32, value: u32) -> Result<(), Errno> {
        self.write(start, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, start: u32, value: u64) -> Result<(), Errno> {
        self.write(start, &value.to_le_bytes())
    }

    /// A path or a name: bytes, as on the host.
    pub(crate) fn path(&self, start: u32, length: u32) -> Result<&[u8], Errno> {
        if length as usize >= MAX_PATH {
            return Err(Errno::NAME_TOO_LONG);
        }
        let path = self.bytes(start, length)?;
        if path.contains(&0) {
            return Err(Errno::INVALID);
        }
        Ok(path)
    }

    /// The pieces that an array of `iovec` or `ciovec` describes, empty ones left out.
    pub(crate) fn vectors(&self, start: u32, count: u32) -> Result<Vec<Range<usize>>, Errno> {
        if count > MAX_VECTORS {
            return Err(Errno::INVALID);
        }
        let count = count as usize;
        let array = self.range(start, count * 8)?;
        let mut pieces = Vec::with_capacity(count);
        let mut room = MAX_BYTES;
        for vector in self.0[array].chunks_exact(8) {
            let field = |at: usize| {
                u32::from_le_bytes([vector[at], vector[at + 1], vector[at + 2], vector[at + 3]])
            };
            let piece = self.range(field(0), field(4) as usize)?;
            let piece = piece.start..piece.end.min(piece.start + room);
            room -= piece.len();
            if !piece.is_empty() {
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_a_fault() {
        let mut bytes = vec![0; 16];
        let mut memory = Memory(&mut bytes);
        assert!(memory.bytes(8, 8).is_ok());
        assert!(memory.bytes(16, 0).is_ok());
        for (start, length) in [(8, 9), (17, 0), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
            assert_eq!(memory.bytes(start, length), Err(Errno::FAULT));
        }
        assert_eq!(memory.write_u64(12, 1), Err(Errno::FAULT));
        assert_eq!(memory.vectors(8, 2), Err(Errno::FAULT));
    }

    #[test]
    fn vectors_are_pieces_of_memory() {
        let mut bytes = vec![0; 64];
        let mut memory = Memory(&mut bytes);
        for (at, value) in [(0, 32), (4, 8), (8, 40), (12, 0), (16, 32), (20, 4)] {
            memory.write_u32(at, value).unwrap();
        }
        assert_eq!(memory.vectors(0, 3), Ok(vec![32..40, 32..36]));
        memory.write_u32(4, 33).unwrap();
        assert_eq!(memory.vectors(0, 3), Err(Errno::FAULT));
        assert_eq!(memory.vectors(0, 1025), Err(Errno::INVALID));
    }

    #[test]
    fn a_path_has_an_end_and_no_nul() {
        let mut bytes = vec![b'a'; 8192];
        bytes[100] = 0;
        let memory = Memory(&mut bytes);
        assert_eq!(memory.path(0, 3), Ok(&b"aaa"[..]));
        assert_eq!(memory.path(0, 101), Err(Errno::INVALID));
        assert_eq!(memory.path(200, 4096), Err(Errno::NAME_TOO_LONG));
        assert!(memory.path(200, 4095).is_ok());
    }
}
