//! What `/proc` tells about a process.

use std::fs;

/// Minor and major page faults of a living process, those of its threads that have ended included.
pub(crate) fn page_faults(pid: u32) -> Option<u64> {
    faults(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn faults(stat: &str) -> Option<u64> {
    // The name in parentheses may hold anything; what follows the last one is regular.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(field(10)? + field(12)?)
}

/// Whether each thread of a process is traced; a process that has gone counts as one.
pub(crate) fn is_traced(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        fs::read_to_string(thread.path().join("status"))
            .is_ok_and(|status| tracer(&status) != Some(0))
    })
}

fn tracer(status: &str) -> Option<u32> {
    let pid = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))?;
    pid.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_faults_are_minor_and_major_ones() {
        let stat = "471 (a) b) S 1 471 471 0 -1 4194624 327 7 2 1 5 4 5 6 20 0 1 0 64 9 7";
        assert_eq!(faults(stat), Some(329));
        assert_eq!(faults("471 (short) S 1"), None);
    }

    #[test]
    fn this_process_faults() {
        assert!(page_faults(std::process::id()) > Some(0));
        assert_eq!(page_faults(u32::MAX), None);
    }

    #[test]
    fn a_tracer_is_a_process() {
        assert_eq!(tracer("Name:\tx\nTracerPid:\t17\n"), Some(17));
        assert!(!is_traced(std::process::id()));
    }
}
