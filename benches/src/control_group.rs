//! A control group (version 2) for the processes of one server: the kernel's own account of what all of them used, those
//! that have ended included. mod_cgid does not wait for its programs, so no process of httpd's knows what they used.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::proc;

/// Ended with everything in it when it is dropped.
pub(crate) struct ControlGroup {
    folder: PathBuf,
}

impl ControlGroup {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let own = own_group(
            &fs::read_to_string("/proc/self/mounts")?,
            &fs::read_to_string("/proc/self/cgroup")?,
        )
        .context("this kernel shows no control groups of version 2")?;
        let folder = own.join(format!("mod_wasm-bench-{}-{name}", std::process::id()));
        fs::create_dir(&folder).with_context(|| {
            format!(
                "cannot make the control group {}: run it as root, or with \
                 `systemd-run --user --scope --property Delegate=yes`",
                folder.display()
            )
        })?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Processor time that was used in it until now, by user and by system.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let text = fs::read_to_string(self.folder.join("cpu.stat"))?;
        usage(&text).context("cpu.stat has no usage_usec")
    }

    /// The processes that are in it now.
    pub(crate) fn processes(&self) -> Result<Vec<u32>> {
        let text = fs::read_to_string(self.folder.join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Page faults of the processes that are in it now, since each began.
    pub(crate) fn page_faults(&self) -> Result<u64> {
        Ok(self
            .processes()?
            .into_iter()
            .filter_map(proc::page_faults)
            .sum())
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
        let limit = Instant::now() + Duration::from_secs(5);
        // It can be removed once the last process in it has gone.
        while fs::remove_dir(&self.folder).is_err() && Instant::now() < limit {
            sleep(Duration::from_millis(10));
        }
    }
}

/// This process's own group: below it there may be more.
fn own_group(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (folder, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then_some(folder)
    })?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(mount).join(path))
}

fn usage(text: &str) -> Option<Duration> {
    let microseconds = text
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "))?;
    Some(Duration::from_micros(microseconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_lies_below_the_mount_of_version_2() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let group = |groups| own_group(mounts, groups);
        assert_eq!(
            group("1:cpu:/a\n0::/\n"),
            Some("/sys/fs/cgroup/unified/".into())
        );
        assert_eq!(
            group("0::/user.slice/x.scope\n"),
            Some("/sys/fs/cgroup/unified/user.slice/x.scope".into())
        );
        assert_eq!(group("1:cpu:/a\n"), None);
        assert_eq!(
            own_group("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n", "0::/\n"),
            None
        );
    }

    #[test]
    fn processor_time_is_told_in_microseconds() {
        let text = "usage_usec 133855\nuser_usec 40156\nsystem_usec 93698\n";
        assert_eq!(usage(text), Some(Duration::from_micros(133_855)));
        assert_eq!(usage("user_usec 1\n"), None);
    }
}
