//! Where Chromium may be, which the test of the catalogue page opens it in.

use std::env;

use crate::search::Wanted;
use crate::{Error, Program, Version};

/// Names the program of the browser. `cargo xtask test` sets it where there is one.
pub const VARIABLE: &str = "EVENT_SDK_CHROMIUM";

/// Set by `cargo xtask test` where there is no browser: it says so itself, and the test need not
/// fail. Whoever runs the test without it is to hear that nothing was tested.
pub const WITHOUT_VARIABLE: &str = "EVENT_SDK_WITHOUT_CHROMIUM";

/// The Chromium to test with; `None` if `cargo xtask test` has already said that there is none.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that [`VARIABLE`] names.
pub fn chromium() -> Result<Option<Program>, Error> {
    if env::var_os(WITHOUT_VARIABLE).is_some() {
        return Ok(None);
    }
    program()?.map(Some).ok_or(Error::NotFound {
        program: "chromium",
        needed: NEEDED,
        advice: "install it (Debian: `apt-get install chromium`), or run the tests with `cargo \
                 xtask test`, which leaves out those that need it and says so",
    })
}

/// The one that [`VARIABLE`] names, else a fit one of the `PATH`; `None` if there is none.
///
/// # Errors
///
/// What is wrong with the one that the variable names.
pub fn program() -> Result<Option<Program>, Error> {
    for file in FILES {
        let wanted = wanted(file);
        if let Some(program) = wanted.find(wanted.places(Vec::new()))? {
            return Ok(Some(program));
        }
    }
    Ok(None)
}

/// As systems call it.
const FILES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const NEEDED: &str = "120 or newer";

fn wanted(file: &'static str) -> Wanted {
    Wanted {
        file,
        says: &["Chromium", "Google Chrome"],
        variable: VARIABLE,
        needed: NEEDED,
        fit: |version| version >= Version::new(120, 0, 0),
    }
}
