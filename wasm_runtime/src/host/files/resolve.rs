//! From a path of the guest to a file of the host: beneath a folder, whatever links and `..` say. The one place where the
//! sandbox of files is kept closed.

use crate::host::abi::Errno;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno as HostErrno;
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// The kernel gives up (`EAGAIN`) when somebody renames folders while it resolves a path.
const MAX_TRIES: usize = 64;

/// Folders in one another that the walk can go through: it has all of them open.
const MAX_DEPTH: usize = 64;

/// Links on the way of one path, as in the kernel.
const MAX_LINKS: usize = 40;

/// Opens what `path` names beneath `folder`. What leads out of it is refused with [`Errno::NOT_PERMITTED`].
pub(super) fn open_beneath(
    folder: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let open = if kernel_resolves() { in_kernel } else { walk };
    for _ in 0..MAX_TRIES {
        match open(folder, path, flags, mode) {
            Err(HostErrno::AGAIN) => {}
            Err(HostErrno::XDEV) => return Err(Errno::NOT_PERMITTED),
            opened => return Ok(opened?),
        }
    }
    Err(Errno::AGAIN)
}

/// Whether there is `openat2`: Linux 5.6, and no filter of a container in its way.
fn kernel_resolves() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let probe = openat2(
            CWD,
            ".",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::empty(),
        );
        !matches!(probe, Err(HostErrno::NOSYS | HostErrno::PERM))
    })
}

type Opened = rustix::io::Result<OwnedFd>;

fn in_kernel(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> Opened {
    // File systems that are mounted beneath a mount are wanted.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat2(folder, path, flags, mode, resolve)
}

/// The same, component by component, for kernels without `openat2`. No component is ever followed by the kernel, so
/// that nobody can exchange one for a link meanwhile.
fn walk(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> Opened {
    let mut walk = Walk {
        folder,
        way: Vec::new(),
        rest: VecDeque::new(),
        links: 0,
    };
    if path.is_empty() {
        return Err(HostErrno::NOENT);
    }
    walk.go_on_with(path)?;
    while let Some(name) = walk.rest.pop_front() {
        match name.as_slice() {
            b"" | b"." => {}
            b".." => walk.up()?,
            name if walk.rest.is_empty() => {
                if let Some(opened) = walk.open_last(name, flags, mode)? {
                    return Ok(opened);
                }
            }
            // Nothing but a directory could be named so, and none is made by opening.
            _ if flags.contains(OFlags::CREATE) && walk.rest.iter().all(Vec::is_empty) => {
                return Err(HostErrno::ISDIR);
            }
            name => walk.enter(name)?,
        }
    }
    // The path ended in a slash or a dot: the folder that was reached is meant.
    if flags.contains(OFlags::CREATE) {
        let exclusive = flags.contains(OFlags::EXCL);
        return Err(if exclusive {
            HostErrno::EXIST
        } else {
            HostErrno::ISDIR
        });
    }
    openat(walk.here(), ".", flags - OFlags::NOFOLLOW, mode)
}

struct Walk<'a> {
    folder: BorrowedFd<'a>,
    /// The folders from `folder` to here.
    way: Vec<OwnedFd>,
    rest: VecDeque<Vec<u8>>,
    links: usize,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.way.last().map_or(self.folder, |folder| folder.as_fd())
    }

    fn go_on_with(&mut self, path: &[u8]) -> rustix::io::Result<()> {
        if path.first() == Some(&b'/') {
            return Err(HostErrno::XDEV);
        }
        for name in path.split(|byte| *byte == b'/').rev() {
            self.rest.push_front(name.to_vec());
        }
        Ok(())
    }

    fn up(&mut self) -> rustix::io::Result<()> {
        self.way.pop().map(drop).ok_or(HostErrno::XDEV)
    }

    fn enter(&mut self, name: &[u8]) -> rustix::io::Result<()> {
        if self.way.len() == MAX_DEPTH {
            return Err(HostErrno::NAMETOOLONG);
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(self.here(), name, flags, Mode::empty()) {
            Ok(folder) => {
                self.way.push(folder);
                Ok(())
            }
            Err(HostErrno::NOTDIR | HostErrno::LOOP) => self.follow(name),
            Err(errno) => Err(errno),
        }
    }

    /// Goes where the link `name` leads; `NOTDIR` when it is none.
    fn follow(&mut self, name: &[u8]) -> rustix::io::Result<()> {
        let target = match readlinkat(self.here(), name, Vec::new()) {
            Err(HostErrno::INVAL) => return Err(HostErrno::NOTDIR),
            target => target?,
        };
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(HostErrno::LOOP);
        }
        self.go_on_with(target.as_bytes())
    }

    /// `None`: it is a link, and the way goes on.
    fn open_last(
        &mut self,
        name: &[u8],
        flags: OFlags,
        mode: Mode,
    ) -> rustix::io::Result<Option<OwnedFd>> {
        let exclusive = flags.contains(OFlags::CREATE | OFlags::EXCL);
        if !flags.contains(OFlags::NOFOLLOW) && !exclusive {
            match self.follow(name) {
                Ok(()) => return Ok(None),
                Err(HostErrno::NOTDIR | HostErrno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        match openat(self.here(), name, flags | OFlags::NOFOLLOW, mode) {
            // It became a link since: tried again as a whole.
            Err(HostErrno::LOOP) if !flags.contains(OFlags::NOFOLLOW) => Err(HostErrno::AGAIN),
            opened => opened.map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{open, symlinkat};
    use std::fs;
    use std::os::unix::fs::symlink;

    /// What both ways of resolving say about a path.
    fn both(folder: &OwnedFd, path: &str, flags: OFlags) -> Result<u64, HostErrno> {
        let inode = |opened: Opened| Ok(rustix::fs::fstat(opened?)?.st_ino);
        let kernel = inode(in_kernel(
            folder.as_fd(),
            path.as_bytes(),
            flags,
            Mode::empty(),
        ));
        let walked = inode(walk(folder.as_fd(), path.as_bytes(), flags, Mode::empty()));
        assert_eq!(kernel, walked, "{path} {flags:?}");
        kernel
    }

    #[test]
    fn the_kernel_and_the_walk_agree() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "x").unwrap();
        fs::write(place.path().join("secret"), "x").unwrap();
        for (name, target) in [
            ("to_file", "a/file"),
            ("to_folder", "a/b"),
            ("up_and_down", "a/../a/file"),
            ("out", "../secret"),
            ("absolute", "/etc/passwd"),
            ("dangling", "nowhere"),
            ("loop", "loop"),
            ("chain", "to_folder/../file"),
            ("slash", "a/"),
            ("a/up", "../to_file"),
            ("a/b/far", "../../../secret"),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        let folder = open(&root, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let paths = [
            "",
            ".",
            "..",
            "/",
            "/etc",
            "a",
            "a/",
            "a/.",
            "a/..",
            "a/../..",
            "a//b",
            "./a/./b/",
            "a/file",
            "a/file/",
            "a/file/.",
            "a/file/x",
            "nowhere",
            "nowhere/x",
            "nowhere/",
            "to_file",
            "to_file/",
            "to_folder",
            "to_folder/",
            "to_folder/.",
            "to_folder/..",
            "up_and_down",
            "out",
            "out/x",
            "absolute",
            "dangling",
            "dangling/",
            "loop",
            "loop/",
            "loop/x",
            "chain",
            "slash",
            "slash/b",
            "a/up",
            "a/b/far",
            "to_folder/far",
            "a/b/../../../root/a",
        ];
        for path in paths {
            for flags in [
                OFlags::PATH,
                OFlags::PATH | OFlags::NOFOLLOW,
                OFlags::RDONLY,
                OFlags::RDONLY | OFlags::NOFOLLOW,
                OFlags::RDONLY | OFlags::DIRECTORY,
            ] {
                let _ = both(&folder, path, flags);
            }
        }
        assert!(both(&folder, "a/up", OFlags::RDONLY).is_ok());
        for out in ["..", "a/../..", "out", "absolute", "a/b/far", "/etc"] {
            assert_eq!(
                both(&folder, out, OFlags::PATH),
                Err(HostErrno::XDEV),
                "{out}"
            );
        }
    }

    #[test]
    fn files_are_created_beneath_or_not_at_all() {
        for open in [in_kernel, walk] {
            let place = tempfile::tempdir().unwrap();
            let root = place.path().join("root");
            fs::create_dir(&root).unwrap();
            let folder = rustix::fs::open(&root, OFlags::PATH, Mode::empty()).unwrap();
            symlinkat("../outside", &folder, "out").unwrap();
            symlinkat("inside", &folder, "in").unwrap();
            let create = OFlags::CREATE | OFlags::WRONLY;
            let new = |path: &str, flags| {
                open(folder.as_fd(), path.as_bytes(), flags, Mode::from(0o644)).map(drop)
            };
            assert_eq!(new("out", create), Err(HostErrno::XDEV));
            assert!(!place.path().join("outside").exists());
            assert_eq!(new("in", create | OFlags::EXCL), Err(HostErrno::EXIST));
            assert_eq!(new("in", create), Ok(()));
            assert!(root.join("inside").exists());
            assert_eq!(new("new/", create), Err(HostErrno::ISDIR));
            assert_eq!(new("new", create), Ok(()));
        }
    }
}
