//! Child processes of a server on Linux, to kill all of them at once.

use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

/// The numbers of the processes that this one has started.
pub(super) fn of(parent: u32) -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        // What has ended in the meantime has no such file.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if parent_in(&stat) == Some(parent)
            && let Some(number) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            && let Some(pid) = Pid::from_raw(number)
        {
            children.push(pid);
        }
    }
    Ok(children)
}

/// Kills it, unless it has ended.
pub(super) fn kill(child: Pid) -> io::Result<()> {
    match kill_process(child, Signal::KILL) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// `<number> (<name>) <state> <parent> …`, where the name may have any character.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{self, Command};

    #[test]
    fn the_name_of_a_process_does_not_hide_its_parent() {
        assert_eq!(parent_in("12 (a) S 7) S 34 12 12"), Some(34));
        assert_eq!(parent_in(""), None);
    }

    #[test]
    fn a_child_is_found_and_killed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(of(process::id()).unwrap().contains(&pid));
        kill(pid).unwrap();
        assert!(!child.wait().unwrap().success());
        kill(pid).unwrap();
    }
}
