//! Searches a program of a suitable version: variable, `PATH`, `target/services`.

use std::ffi::OsString;
use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use crate::{Error, Origin, Program, Version};

/// What is searched for.
pub(crate) struct Wanted {
    /// The name of the file.
    pub(crate) file: &'static str,
    /// What its own answer begins with, one of these.
    pub(crate) says: &'static [&'static str],
    /// The environment variable that may name it.
    pub(crate) variable: &'static str,
    /// Which versions are fit, in words.
    pub(crate) needed: &'static str,
    pub(crate) fit: fn(Version) -> bool,
}

/// Where it may be.
#[derive(Default)]
pub(crate) struct Places {
    /// What the variable says.
    pub(crate) named: Option<OsString>,
    /// The files of its name on the system.
    pub(crate) system: Vec<PathBuf>,
    /// Where `cargo xtask services` puts it.
    pub(crate) installed: Vec<PathBuf>,
}

impl Wanted {
    /// The places on this machine, with those of installed programs given.
    pub(crate) fn places(&self, installed: Vec<PathBuf>) -> Places {
        Places {
            named: env::var_os(self.variable).filter(|path| !path.is_empty()),
            system: on_system(self.file),
            installed,
        }
    }

    /// The program that the variable names, which was chosen on purpose and must be fit; else
    /// the first fit one of the system, then of those installed. What does not tell its version
    /// is passed over there: it may be anything that happens to have the name.
    pub(crate) fn find(&self, places: Places) -> Result<Option<Program>, Error> {
        if let Some(path) = places.named {
            return self.named(path.into()).map(Some);
        }
        let system = places.system.into_iter().map(|path| (path, Origin::System));
        let installed = places
            .installed
            .into_iter()
            .map(|path| (path, Origin::Installed));
        Ok(system.chain(installed).find_map(|(path, origin)| {
            let version = self
                .ask(&path)
                .ok()
                .filter(|version| (self.fit)(*version))?;
            Some(Program {
                path,
                version,
                origin,
            })
        }))
    }

    /// Runs `program --version`, whose answer is its name and its version.
    fn ask(&self, path: &Path) -> io::Result<Version> {
        let output = Command::new(path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let text = format!("`{} --version` failed ({})", path.display(), output.status);
            return Err(io::Error::other(text));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        if !self.says.iter().any(|says| text.starts_with(says)) {
            let text = format!("it is no {}, and says: {}", self.file, text.trim());
            return Err(io::Error::other(text));
        }
        Version::first_in(&text).map_err(io::Error::other)
    }

    fn named(&self, path: PathBuf) -> Result<Program, Error> {
        let variable = self.variable;
        // Tests run in the folders of their packages: a relative path would change its meaning.
        let path = path::absolute(&path).unwrap_or(path);
        match self.ask(&path) {
            Ok(version) if (self.fit)(version) => Ok(Program {
                path,
                version,
                origin: Origin::Environment(variable),
            }),
            Ok(version) => Err(Error::WrongVersion {
                variable,
                path,
                version,
                needed: self.needed,
            }),
            Err(source) => Err(Error::Unusable {
                variable,
                path,
                source,
            }),
        }
    }
}

/// The files of this name in the folders of the `PATH`, and in those that systems keep servers
/// in and leave out of the `PATH` of a user who is not root.
fn on_system(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for folder in env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]) {
        let file = folder.join(name);
        if file.is_file() && !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted {
        file: "server",
        says: &["server: "],
        variable: "THE_SERVER",
        needed: "3 or newer",
        fit: |version| version >= Version::new(3, 0, 0),
    };

    /// Programs that print what is given and exit with what is given, in a folder of their own.
    struct Programs(tempfile::TempDir);

    impl Programs {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// Written by another process: one that this one wrote could not be run while another
        /// test starts a program, which has the file open for a moment too ("text file busy").
        fn make(&self, name: &str, prints: &str, exit: u8) -> PathBuf {
            let path = self.0.path().join(name);
            let script = format!("#!/bin/sh\necho '{prints}'\nexit {exit}\n");
            let written = Command::new("sh")
                .args(["-c", r#"printf %s "$2" >"$1" && chmod +x "$1""#, "make"])
                .arg(&path)
                .arg(script)
                .status()
                .unwrap();
            assert!(written.success());
            path
        }
    }

    #[test]
    fn the_first_fit_one_of_the_system_comes_before_an_installed_one() {
        let programs = Programs::new();
        let [old, broken, fit, installed] = [
            programs.make("old", "server: v2.9.10", 0),
            programs.make("broken", "server: v4.0.0", 1),
            programs.make("fit", "server: v3.0.0", 0),
            programs.make("installed", "server: v5.0.0", 0),
        ];
        let places = |system: &[&PathBuf]| Places {
            named: None,
            system: system.iter().copied().cloned().collect(),
            installed: vec![programs.0.path().join("gone"), installed.clone()],
        };
        let found = WANTED
            .find(places(&[&old, &broken, &fit]))
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.path(), found.version(), found.origin()),
            (fit.as_path(), Version::new(3, 0, 0), Origin::System)
        );
        let found = WANTED.find(places(&[&old, &broken])).unwrap().unwrap();
        assert_eq!(found.origin(), Origin::Installed);
        assert_eq!(found.path(), installed);
        assert_eq!(WANTED.find(Places::default()).unwrap(), None);
    }

    #[test]
    fn the_one_that_is_named_is_taken_or_refused_by_name() {
        let programs = Programs::new();
        let system = programs.make("fit", "server: v3.0.0", 0);
        let named = |path: &Path| {
            WANTED.find(Places {
                named: Some(path.into()),
                system: vec![system.clone()],
                installed: Vec::new(),
            })
        };
        let newer = programs.make("newer", "server: v3.1.0", 0);
        let found = named(&newer).unwrap().unwrap();
        assert_eq!(found.path(), newer);
        assert_eq!(found.origin(), Origin::Environment("THE_SERVER"));

        let old = named(&programs.make("old", "server: v2.9.10", 0)).unwrap_err();
        let text = old.to_string();
        assert!(text.starts_with("THE_SERVER names /"), "{text}");
        assert!(text.ends_with("is 2.9.10: it must be 3 or newer"), "{text}");

        for unusable in [
            programs.make("failing", "server: v3.0.0", 1),
            programs.make("silent", "", 0),
            programs.make("another", "true 9.1", 0),
            programs.0.path().join("gone"),
        ] {
            let error = named(&unusable).unwrap_err();
            assert!(matches!(error, Error::Unusable { .. }), "{error}");
        }
    }

    #[test]
    fn a_relative_name_is_made_absolute() {
        let error = WANTED
            .find(Places {
                named: Some("no/such/server".into()),
                ..Places::default()
            })
            .unwrap_err();
        let here = env::current_dir().unwrap().join("no/such/server");
        assert!(
            error.to_string().contains(&*here.to_string_lossy()),
            "{error}"
        );
    }

    #[test]
    fn the_path_is_searched_for_files() {
        assert!(on_system("sh").iter().all(|path| path.is_absolute()));
        assert!(!on_system("sh").is_empty());
        assert!(on_system("no-such-program-here").is_empty());
    }
}
