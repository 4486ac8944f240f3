//! zip archives.

use zip::ZipArchive;

use super::tree::{Kind, NewFile};
use super::{Archive, Selection, Tree};
use crate::error::Result;

const TYPE_MASK: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

/// Unpacks what is selected into the tree. Links are refused: no artifact has any in a zip.
pub(crate) fn unpack_zip(
    archive: Archive<'_>,
    selection: &Selection<'_>,
    tree: &mut Tree,
) -> Result<()> {
    let file = std::io::BufReader::new(archive.open()?);
    let mut zip = ZipArchive::new(file).map_err(|error| archive.broken(error))?;
    for index in 0..zip.len() {
        let raw = zip
            .by_index_raw(index)
            .map_err(|error| archive.broken(error))?;
        let name = raw.name_raw().to_vec();
        let (encrypted, mode) = (raw.encrypted(), raw.unix_mode().unwrap_or(0));
        let folder = raw.is_dir() || mode & TYPE_MASK == DIRECTORY;
        drop(raw);
        let mut content;
        let kind = match mode & TYPE_MASK {
            _ if encrypted => Kind::Other("encrypted file"),
            // Archives made elsewhere carry no type; the name tells folders from files.
            0 | REGULAR | DIRECTORY if folder => Kind::Folder,
            0 | REGULAR => {
                content = zip.by_index(index).map_err(|error| archive.broken(error))?;
                Kind::File(NewFile {
                    executable: mode & 0o100 != 0,
                    modified: None,
                    content: &mut content,
                })
            }
            SYMLINK => Kind::Other("symbolic link"),
            _ => Kind::Other("device or other special file"),
        };
        tree.take(archive, selection, &name, kind)?;
    }
    Ok(())
}
