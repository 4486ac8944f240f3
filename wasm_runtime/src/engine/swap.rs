//! Whether memory of this process may be written to a disk. The kernel's record of written pages says nothing of a page that is there, so the
//! engine would hand it to the next run as it is.

use std::fs;
use std::path::Path;

const SWAPS: &str = "/proc/swaps";
const GROUPS: &str = "/proc/self/cgroup";
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Not where there is no place for it, or where a control group of version 2 around this process may use none. What cannot be read
/// counts as yes.
pub(super) fn is_possible() -> bool {
    let places = fs::read_to_string(SWAPS);
    if places.is_ok_and(|places| !has_places(&places)) {
        return false;
    }
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    let Some(group) = group_of(&groups) else {
        return true;
    };
    let mut around = Path::new(group).ancestors();
    !around.any(|group| forbids(&Path::new(CONTROL_GROUPS).join(group)))
}

/// A line of headings, then one for each place.
fn has_places(swaps: &str) -> bool {
    swaps.lines().count() != 1
}

fn group_of(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::/"))
}

fn forbids(group: &Path) -> bool {
    let most = fs::read_to_string(group.join("memory.swap.max"));
    most.is_ok_and(|most| most.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_without_places_says_no() {
        let headings = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(!has_places(headings));
        assert!(has_places(&format!(
            "{headings}/swapfile file 1048572 0 -2\n"
        )));
        assert!(has_places(""), "nothing is known");
    }

    #[test]
    fn the_group_is_that_of_version_2() {
        let groups = "4:memory:/a\n0::/system.slice/apache2.service\n";
        assert_eq!(group_of(groups), Some("system.slice/apache2.service"));
        assert_eq!(group_of("4:memory:/a\n"), None);
    }

    #[test]
    fn a_group_with_room_for_nothing_forbids_it() {
        let group = tempfile::tempdir().unwrap();
        assert!(!forbids(group.path()));
        for (most, expected) in [("max\n", false), ("0\n", true), ("4096\n", false)] {
            fs::write(group.path().join("memory.swap.max"), most).unwrap();
            assert_eq!(forbids(group.path()), expected, "{most}");
        }
    }
}
