//! Bounds of the compiling process.

use rustix::process::{Resource, Rlimit, setrlimit};

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

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| hard.min(most));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}
