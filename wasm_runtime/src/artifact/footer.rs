//! What follows the machine code in an artifact file: metadata as JSON, its length, a magic number.
//!
//! At the end rather than at the start, so that the code begins at offset 0 and can be mapped as it is. In a cache the code
//! before it is compressed.

use super::key::ArtifactKey;
use super::places::Places;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Ends every artifact file. Its last character is counted up when [`Metadata`] changes.
pub(crate) const FORMAT: [u8; 8] = *b"MODWASM6";
pub(super) const TRAILER: u64 = 4 + 8;
/// Bytes of metadata.
pub(super) const MAX_METADATA: u32 = 16 << 20;

/// What the pool of a child has to offer for a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    pub memories: u32,
    pub tables: u32,
    /// Elements of the largest table at the start.
    pub table_elements: usize,
}

impl Needs {
    /// What is enough for both.
    pub fn or(&self, other: &Needs) -> Needs {
        Needs {
            memories: self.memories.max(other.memories),
            tables: self.tables.max(other.tables),
            table_elements: self.table_elements.max(other.table_elements),
        }
    }
}

/// What a server has to know about a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub needs: Needs,
    /// Bytes of linear memory that the module has before it starts, all its memories together.
    pub minimum_memory: u64,
    /// Exported functions without parameters and results.
    pub entry_points: Vec<String>,
}

/// What the checks of a module found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub key: ArtifactKey,
    pub facts: Facts,
}

/// What code has beyond its module where runs are ended by a page that is taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The exported memory with that page.
    pub page: String,
    /// The exported function that is to be called first of all: what the module says its start is.
    pub start: Option<String>,
    /// Where in the module's file the addresses are that the code has.
    pub places: Places,
}

/// What stands behind the code in an artifact file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub key: ArtifactKey,
    /// What the engine that compiled it says about itself: the engine of a child has to say the same.
    pub compatibility: String,
    /// CRC-32 of the machine code: against damage, not against people. Who can write into the cache can write a checksum too.
    pub code_crc32: u32,
    pub facts: Facts,
    /// `None`: its runs are ended by epochs.
    pub checks: Option<Checks>,
}

/// Turns machine code into the content of an artifact file.
pub fn append_footer(code: Vec<u8>, metadata: &Metadata) -> Vec<u8> {
    append(code, metadata, FORMAT)
}

/// Reads the metadata and the length of what stands before it. `None`: the file is no artifact, or was cut.
pub(super) fn read_footer(file: &File) -> io::Result<Option<(Metadata, u64)>> {
    read(file, FORMAT)
}

pub(super) fn append(mut content: Vec<u8>, metadata: &impl Serialize, magic: [u8; 8]) -> Vec<u8> {
    let json = serde_json::to_vec(metadata).expect("metadata is plain data");
    let length = u32::try_from(json.len()).expect("what is in it is bounded");
    content.extend_from_slice(&json);
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(&magic);
    content
}

pub(super) fn read<T: DeserializeOwned>(
    file: &File,
    magic: [u8; 8],
) -> io::Result<Option<(T, u64)>> {
    let size = file.metadata()?.len();
    if size < TRAILER {
        return Ok(None);
    }
    let mut trailer = [0; TRAILER as usize];
    file.read_exact_at(&mut trailer, size - TRAILER)?;
    let (length, found) = trailer.split_at(4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
    let Some(content_length) = (size - TRAILER).checked_sub(u64::from(length)) else {
        return Ok(None);
    };
    if found != magic || length > MAX_METADATA {
        return Ok(None);
    }
    let mut json = vec![0; length as usize];
    file.read_exact_at(&mut json, content_length)?;
    let metadata = serde_json::from_slice(&json).ok();
    Ok(metadata.map(|metadata| (metadata, content_length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::{Settings, Target};
    use std::io::Write;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn metadata(code: &[u8]) -> Metadata {
        Metadata {
            key: ArtifactKey::new("m", &Settings::of_this_process(), Target::Native),
            compatibility: String::new(),
            code_crc32: crc32fast::hash(code),
            facts: Facts {
                entry_points: vec!["_start".into()],
                ..Facts::default()
            },
            checks: None,
        }
    }

    #[test]
    fn what_was_appended_is_read_again() {
        let content = append_footer(b"code".to_vec(), &metadata(b"code"));
        let (read, length) = read_footer(&file(&content)).unwrap().unwrap();
        assert_eq!(length, 4);
        assert_eq!(read.code_crc32, crc32fast::hash(b"code"));
        assert_eq!(read.facts.entry_points, ["_start"]);
    }

    #[test]
    fn anything_else_is_no_artifact() {
        let content = append_footer(b"code".to_vec(), &metadata(b"code"));
        let mut huge = content.clone();
        let at = huge.len() - TRAILER as usize;
        huge[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        for bytes in [
            b"".as_slice(),
            b"short",
            &content[..content.len() - 1],
            &huge,
        ] {
            assert_eq!(read_footer(&file(bytes)).unwrap(), None);
        }
    }
}
