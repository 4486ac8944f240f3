//! Bounds of the compiling process, and of the one that runs an initialiser.

use crate::artifact::{MAX_SNAPSHOT, User};
use crate::error::{Error, Result};
use rustix::process::{
    Gid, Resource, Rlimit, Signal, Uid, geteuid, getuid, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// CPU time that compiling one module may take.
pub const MAX_CPU_SECONDS: u64 = 600;

/// Address space that compiling may take, in bytes.
const MAX_MEMORY: u64 = 16 << 30;

/// Bounds this process: a module from elsewhere must not be able to wear the machine out while it is compiled.
pub fn limit_this_process() -> Result<()> {
    limit(Resource::Cpu, MAX_CPU_SECONDS)?;
    limit(Resource::As, MAX_MEMORY)?;
    limit(Resource::Core, 0)
}

/// Bounds what this process can write: it runs a guest, and its output is memory.
pub fn limit_size_of_files() -> Result<()> {
    limit(Resource::Fsize, MAX_SNAPSHOT)
}

/// This process ends with the one that started it: nobody would take what an initialiser leads to. To be called once it has become
/// the user that it stays, which undoes that.
pub fn end_with_parent() -> Result<()> {
    let failed = |error: rustix::io::Errno| Error::Compile(format!("prctl: {error}"));
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)
}

/// Makes this process, which must have one thread only, this user. Only root can become another; whoever else starts a server
/// runs everything as who they are.
pub fn become_user(user: &User) -> Result<()> {
    let failed = |error: rustix::io::Errno| {
        Error::Compile(format!("cannot become user {}: {error}", user.user))
    };
    if geteuid().is_root() {
        change_user(user).map_err(failed)?;
        // The number that is none leaves everything as it is.
        if [getuid(), geteuid()].map(Uid::as_raw) != [user.user; 2] {
            return Err(failed(rustix::io::Errno::INVAL));
        }
    }
    set_no_new_privs(true).map_err(failed)
}

fn change_user(user: &User) -> rustix::io::Result<()> {
    let nobody = u32::MAX;
    if user.user == nobody || user.group == nobody {
        return Err(rustix::io::Errno::INVAL);
    }
    let groups = user.groups.iter().filter(|group| **group != nobody);
    let groups: Vec<Gid> = groups.map(|group| Gid::from_raw(*group)).collect();
    let (user, group) = (Uid::from_raw(user.user), Gid::from_raw(user.group));
    set_thread_groups(&groups)?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)
}

fn limit(resource: Resource, most: u64) -> Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| hard.min(most));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(resource, limit).map_err(|error| Error::Compile(format!("setrlimit: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `-1` stands for in the system calls is "as it is": a process would stay root.
    #[test]
    fn nobody_becomes_the_number_that_is_none() {
        for user in [
            User::new(u32::MAX, 33, vec![33]),
            User::new(33, u32::MAX, vec![33]),
        ] {
            assert_eq!(change_user(&user), Err(rustix::io::Errno::INVAL));
        }
    }
}
