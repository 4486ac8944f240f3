//! Archives made byte by byte where need be: the libraries' own writers refuse what an attacker would write.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use tar::{EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// When the files of a tar archive were changed, in seconds since 1970.
pub(crate) const MODIFIED: u64 = 1_234_567_890;

/// One entry of a tar archive.
pub(crate) struct Tar<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: EntryType,
    pub(crate) link: &'a str,
    pub(crate) content: &'a [u8],
    pub(crate) mode: u32,
}

impl<'a> Tar<'a> {
    pub(crate) fn file(name: &'a str, content: &'a [u8]) -> Self {
        Self {
            name,
            kind: EntryType::Regular,
            link: "",
            content,
            mode: 0o644,
        }
    }

    pub(crate) fn link(name: &'a str, target: &'a str) -> Self {
        Self {
            link: target,
            ..Self::special(name, EntryType::Symlink)
        }
    }

    pub(crate) fn special(name: &'a str, kind: EntryType) -> Self {
        Self {
            kind,
            ..Self::file(name, b"")
        }
    }
}

pub(crate) fn tar_gz(entries: &[Tar<'_>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&tar(entries)).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar_xz(entries: &[Tar<'_>]) -> Vec<u8> {
    xz(&tar(entries))
}

/// One stream.
pub(crate) fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar(entries: &[Tar<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        // Straight into the field, since `set_path` would refuse `..`.
        let field = &mut header.as_old_mut().name;
        field[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.content.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(MODIFIED);
        header.set_cksum();
        builder.append(&header, entry.content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A zip of files, all compressed; a name that ends with `/` is a folder.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn zip_with_link(name: &str, target: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink(name, target, SimpleFileOptions::default())
        .unwrap();
    writer.finish().unwrap().into_inner()
}
