//! Directories that are read side by side: of one at a time more is remembered than where reading it has come to.

use super::*;
use crate::host::RunIo;
use crate::host::abi::DIRENT_SIZE;
use crate::host::calls::Failure;
use crate::host::streams::tests::{Recorder, io};
use std::collections::BTreeSet;
use std::time::Duration;

/// Names of what is read, and where that has come to.
#[derive(Default)]
struct Reader {
    names: BTreeSet<Vec<u8>>,
    cookie: u64,
}

impl Reader {
    /// Reads one entry; false at the end.
    fn step(&mut self, files: &mut Files, fd: u32, io: &mut RunIo) -> bool {
        let mut buffer = [0; DIRENT_SIZE + 10];
        let used = match files.list(fd, &mut buffer, self.cookie, io) {
            Ok(used) => used,
            Err(Failure::Errno(errno)) => panic!("{errno:?}"),
            Err(Failure::Stop(stop)) => panic!("{stop:?}"),
        };
        if used == 0 {
            return false;
        }
        let length = u32::from_le_bytes(buffer[16..20].try_into().unwrap()) as usize;
        self.cookie = u64::from_le_bytes(buffer[..8].try_into().unwrap());
        let name = buffer[DIRENT_SIZE..DIRENT_SIZE + length].to_vec();
        assert!(self.names.insert(name), "an entry was told twice");
        true
    }
}

#[test]
fn directories_are_read_side_by_side() {
    let mut place = Place::new(false);
    for number in 0..200 {
        fs::write(place.root().join(format!("folder/{number}")), "").unwrap();
    }
    let mut io = io(&Recorder::default(), Duration::MAX);
    let files = &mut place.files;
    let open = |files: &mut Files| files.open(MOUNT, b"folder", how(0, READ), &mut budget());
    let (one, two) = (open(files).unwrap(), open(files).unwrap());
    let mut readers = [one, two, MOUNT].map(|fd| (fd, Reader::default()));
    let mut steps = 0;
    while readers
        .iter_mut()
        .map(|(fd, reader)| reader.step(files, *fd, &mut io))
        .fold(false, |any, more| any | more)
    {
        steps += 1;
        // Its place goes with a directory to another number.
        if steps == 50 {
            let file = files.open(MOUNT, b"file", how(0, READ), &mut budget());
            let number = file.unwrap();
            files.renumber(one, number).unwrap();
            readers[0].0 = number;
        }
    }
    let [first, second, mount] = readers.map(|(_, reader)| reader.names.len());
    // The files, "inner", "empty", "." and "..".
    assert_eq!((first, second), (204, 204));
    assert_eq!(mount, fs::read_dir(place.root()).unwrap().count() + 2);
}

#[test]
fn a_mount_that_is_read_has_two_descriptors() {
    let mut place = Place::new(true);
    let mut io = io(&Recorder::default(), Duration::MAX);
    let files = &mut place.files;
    let before = files.used();
    for _ in 0..2 {
        Reader::default().step(files, MOUNT, &mut io);
        assert_eq!(files.used(), before + 1);
        let folder = files.open(MOUNT, b"folder", how(0, READ), &mut budget());
        let folder = folder.unwrap();
        Reader::default().step(files, folder, &mut io);
        files.close(folder).unwrap();
    }
    files.close(MOUNT).unwrap();
    assert_eq!(files.used(), before - 1);
}
