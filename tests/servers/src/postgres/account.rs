//! `Account`: the user who runs PostgreSQL when the test program is root.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::{fs, io};

/// A user without rights, and the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Account {
    /// `nobody` if this process is root, else none.
    pub(super) fn needed() -> io::Result<Option<Self>> {
        if rustix::process::geteuid().is_root() {
            Self::in_file(&fs::read_to_string("/etc/passwd")?).map(Some)
        } else {
            Ok(None)
        }
    }

    /// PostgreSQL asks the system for the name of its user, so the number alone is not enough.
    fn in_file(passwd: &str) -> io::Result<Self> {
        let account = passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, user, group) = (
                fields.next()?,
                fields.next()?,
                fields.next()?,
                fields.next()?,
            );
            let (user, group) = (user.parse().ok()?, group.parse().ok()?);
            (name == "nobody" && user != 0).then_some(Self { user, group })
        });
        account.ok_or_else(|| {
            let text = "PostgreSQL does not run as root, and /etc/passwd has no user `nobody`: add \
                        one, or run the tests as another user";
            io::Error::new(io::ErrorKind::NotFound, text)
        })
    }

    /// Gives it the folder, with what is in it.
    pub(super) fn own(self, path: &Path) -> io::Result<()> {
        if fs::symlink_metadata(path)?.uid() != self.user {
            chown(path, Some(self.user), Some(self.group))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_found_by_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\
                      broken\n\
                      nobody:x:65534:65533:nobody:/:/usr/sbin/nologin\n";
        let nobody = Account {
            user: 65534,
            group: 65533,
        };
        assert_eq!(Account::in_file(passwd).unwrap(), nobody);
    }

    #[test]
    fn without_nobody_it_is_said_what_to_do() {
        let error = Account::in_file("root:x:0:0::/root:/bin/sh\nnobody:x:0:0::/:\n").unwrap_err();
        assert!(
            error.to_string().contains("has no user `nobody`"),
            "{error}"
        );
    }
}
