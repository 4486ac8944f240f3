//! Bounds of the compiling process.

use crate::error::{Error, Result};
use rustix::process::{Gid, Resource, Rlimit, Uid, setrlimit};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// CPU time that compiling one module may take.
pub const MAX_CPU_SECONDS: u64 = 600;

/// Address space that compiling may take, in bytes.
const MAX_MEMORY: u64 = 16 << 30;

/// Bounds this process: a module from elsewhere must not be able to wear the machine out while it is compiled.
pub fn limit_this_process() -> std::io::Result<()> {
    limit(Resource::Cpu, MAX_CPU_SECONDS)?;
    limit(Resource::As, MAX_MEMORY)?;
    limit(Resource::Core, 0)
}

/// Makes this process, which must have one thread only, a user without any right of root. `numbers` is those of user, group and all
/// groups, between colons.
pub fn become_user(numbers: &str) -> Result<()> {
    let wrong =
        Error::InvalidArgument("a user is the numbers of user, group and groups, between colons");
    let parsed: std::result::Result<Vec<u32>, _> = numbers.split(':').map(str::parse).collect();
    let Some([user, group, groups @ ..]) = parsed.as_deref().ok() else {
        return Err(wrong);
    };
    let groups: Vec<Gid> = groups.iter().map(|group| Gid::from_raw(*group)).collect();
    let (user, group) = (Uid::from_raw(*user), Gid::from_raw(*group));
    let changed = set_thread_groups(&groups)
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user));
    changed.map_err(|error| Error::Compile(format!("cannot become user {numbers}: {error}")))
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| hard.min(most));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}
