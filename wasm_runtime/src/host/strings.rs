//! Arguments and environment in the form in which WASI hands them to a guest: NUL-terminated, one after the other. Kept
//! as bytes, because header values and paths need not be UTF-8.

/// A list of byte strings, stored back to back.
#[derive(Debug, Default)]
pub struct StringList {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl StringList {
    /// Appends one string made of `parts`.
    #[inline]
    pub fn push(&mut self, parts: &[&[u8]]) {
        self.starts.push(self.bytes.len());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.bytes.push(0);
    }

    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    /// All strings with their terminators.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Offset of each string in [`Self::bytes`].
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_terminated_and_found_by_offset() {
        let mut list = StringList::default();
        list.push(&[b"A", b"=", b"1"]);
        list.push(&[b"\xff"]);
        assert_eq!(list.count(), 2);
        assert_eq!(list.bytes(), b"A=1\0\xff\0");
        assert_eq!(list.starts(), [0, 4]);
    }
}
