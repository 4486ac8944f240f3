//! Numbers and layouts of WASI: `wasi_snapshot_preview1` and the older `wasi_unstable` (witx files of both).

use rustix::fs::{FileType, Stat};
use rustix::io::Errno as HostErrno;

/// An error number of WASI, what a guest's C library turns into `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(u16);

/// Each error number: its name here, its name in rustix, its value in WASI.
macro_rules! errnos {
    ($($name:ident $host:ident $value:literal),* $(,)?) => {
        impl Errno {
            $(pub(crate) const $name: Errno = Errno($value);)*
        }

        impl From<HostErrno> for Errno {
            /// The host's own error. What WASI has no number for is an I/O error.
            fn from(errno: HostErrno) -> Self {
                match errno {
                    $(HostErrno::$host => Errno::$name,)*
                    _ => Errno::IO,
                }
            }
        }
    };
}

errnos! {
    TOO_BIG TOOBIG 1,
    ACCESS ACCESS 2,
    AGAIN AGAIN 6,
    BAD_DESCRIPTOR BADF 8,
    BUSY BUSY 10,
    QUOTA DQUOT 19,
    EXISTS EXIST 20,
    FAULT FAULT 21,
    FILE_TOO_BIG FBIG 22,
    ILLEGAL_SEQUENCE ILSEQ 25,
    INTERRUPTED INTR 27,
    INVALID INVAL 28,
    IO IO 29,
    IS_DIRECTORY ISDIR 31,
    LOOP LOOP 32,
    TOO_MANY_FILES MFILE 33,
    TOO_MANY_LINKS MLINK 34,
    NAME_TOO_LONG NAMETOOLONG 37,
    TOO_MANY_FILES_IN_SYSTEM NFILE 41,
    NO_DEVICE NODEV 43,
    NO_ENTRY NOENT 44,
    NO_LOCKS NOLCK 46,
    NO_MEMORY NOMEM 48,
    NO_SPACE NOSPC 51,
    NOT_DIRECTORY NOTDIR 54,
    NOT_EMPTY NOTEMPTY 55,
    NOT_SOCKET NOTSOCK 57,
    NOT_SUPPORTED OPNOTSUPP 58,
    NO_SUCH_DEVICE NXIO 60,
    OVERFLOW OVERFLOW 61,
    NOT_PERMITTED PERM 63,
    READ_ONLY ROFS 69,
    NOT_SEEKABLE SPIPE 70,
    STALE STALE 72,
    TEXT_BUSY TXTBSY 74,
    CROSS_DEVICE XDEV 75,
}

impl Errno {
    #[cfg(test)]
    pub(crate) const NONE: Errno = Errno(0);

    /// The number as a WASI function returns it.
    pub(crate) fn code(self) -> i32 {
        i32::from(self.0)
    }
}

/// A number of the `filetype` enumeration.
pub(crate) fn file_type(of: FileType) -> u8 {
    match of {
        FileType::BlockDevice => 1,
        FileType::CharacterDevice => CHARACTER_DEVICE,
        FileType::Directory => DIRECTORY,
        FileType::RegularFile => REGULAR_FILE,
        FileType::Symlink => 7,
        // A FIFO has no number of its own.
        _ => 0,
    }
}

pub(crate) const UNKNOWN: u8 = 0;
pub(crate) const CHARACTER_DEVICE: u8 = 2;
pub(crate) const DIRECTORY: u8 = 3;
pub(crate) const REGULAR_FILE: u8 = 4;

/// Bits of `fdflags`.
pub(crate) mod fdflags {
    pub(crate) const APPEND: u16 = 1;
    pub(crate) const DSYNC: u16 = 1 << 1;
    pub(crate) const NONBLOCK: u16 = 1 << 2;
    pub(crate) const RSYNC: u16 = 1 << 3;
    pub(crate) const SYNC: u16 = 1 << 4;
    pub(crate) const ALL: u16 = (1 << 5) - 1;
}

/// Bits of `oflags`.
pub(crate) mod oflags {
    pub(crate) const CREATE: u16 = 1;
    pub(crate) const DIRECTORY: u16 = 1 << 1;
    pub(crate) const EXCLUSIVE: u16 = 1 << 2;
    pub(crate) const TRUNCATE: u16 = 1 << 3;
    pub(crate) const ALL: u16 = (1 << 4) - 1;
}

/// The bit of `lookupflags`: a link at the end of a path is followed.
pub(crate) const FOLLOW: u32 = 1;

/// Bits of `fstflags`: which times are set, and to what.
pub(crate) mod fstflags {
    pub(crate) const ACCESS: u16 = 1;
    pub(crate) const ACCESS_NOW: u16 = 1 << 1;
    pub(crate) const MODIFICATION: u16 = 1 << 2;
    pub(crate) const MODIFICATION_NOW: u16 = 1 << 3;
    pub(crate) const ALL: u16 = (1 << 4) - 1;
}

/// Bits of `rights`. Guests are told them because their C libraries ask; what decides is how a descriptor was opened and
/// whether its mount is read-only.
pub(crate) mod rights {
    pub(crate) const FD_READ: u64 = 1 << 1;
    pub(crate) const FD_WRITE: u64 = 1 << 6;
    const FD_SEEK: u64 = 1 << 2;
    const FD_ALLOCATE: u64 = 1 << 8;
    const FD_READDIR: u64 = 1 << 14;
    const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    const SOCK_SHUTDOWN: u64 = 1 << 28;
    const SOCK_ACCEPT: u64 = 1 << 29;
    const ALL: u64 = (1 << 30) - 1;

    /// What can be done with files that are opened below a directory.
    pub(crate) const INHERITED: u64 = ALL & !(SOCK_SHUTDOWN | SOCK_ACCEPT);
    /// What can be done with a directory. `FD_READ` and `FD_WRITE` stay out: they would make it a file to `fcntl(F_GETFL)`.
    pub(crate) const DIRECTORY: u64 = INHERITED
        & !(FD_READ
            | FD_WRITE
            | FD_SEEK
            | FD_ALLOCATE
            | PATH_FILESTAT_SET_SIZE
            | FD_FILESTAT_SET_SIZE);
    /// What can be done with a file that can be read and written. `FD_READDIR` would make one that can be written only readable to
    /// `fcntl(F_GETFL)`.
    pub(crate) const FILE: u64 = INHERITED & !FD_READDIR;
}

/// The generation of WASI that a guest was compiled for. They differ in a few layouts and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// `wasi_unstable`.
    Preview0,
    /// `wasi_snapshot_preview1`.
    Preview1,
}

/// Bytes of a `prestat`, an `fdstat` and a `dirent` in both generations.
pub(crate) const PRESTAT_SIZE: usize = 8;
pub(crate) const FDSTAT_SIZE: usize = 24;
pub(crate) const DIRENT_SIZE: usize = 24;

/// The `filestat` of a standard stream: nothing is known of it.
pub(crate) fn filestat_of_stream(generation: Generation) -> Vec<u8> {
    vec![
        0;
        match generation {
            Generation::Preview0 => 56,
            Generation::Preview1 => 64,
        }
    ]
}

/// A `filestat`.
pub(crate) fn filestat(stat: &Stat, generation: Generation) -> Vec<u8> {
    let nanoseconds = |seconds: i64, rest: u64| {
        // Times before 1970 have no representation.
        u64::try_from(seconds).map_or(0, |seconds| {
            seconds.saturating_mul(1_000_000_000).saturating_add(rest)
        })
    };
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&stat.st_dev.to_le_bytes());
    bytes.extend_from_slice(&stat.st_ino.to_le_bytes());
    let kind = file_type(FileType::from_raw_mode(stat.st_mode));
    #[allow(
        clippy::unnecessary_cast,
        reason = "it has 32 bits on other processors"
    )]
    let links = stat.st_nlink as u64;
    match generation {
        Generation::Preview0 => {
            bytes.extend_from_slice(&[kind, 0, 0, 0]);
            bytes.extend_from_slice(&u32::try_from(links).unwrap_or(u32::MAX).to_le_bytes());
        }
        Generation::Preview1 => {
            bytes.extend_from_slice(&[kind, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend_from_slice(&links.to_le_bytes());
        }
    }
    bytes.extend_from_slice(&u64::try_from(stat.st_size).unwrap_or(0).to_le_bytes());
    for (seconds, rest) in [
        (stat.st_atime, stat.st_atime_nsec),
        (stat.st_mtime, stat.st_mtime_nsec),
        (stat.st_ctime, stat.st_ctime_nsec),
    ] {
        bytes.extend_from_slice(&nanoseconds(seconds, rest).to_le_bytes());
    }
    bytes
}
