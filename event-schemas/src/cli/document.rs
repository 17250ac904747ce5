//! Shared by `schemas asyncapi` and `schemas page`: writes a document, or with `--check`
//! compares it with the file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::paint::{self, BAD, GOOD, NAME, styled};
use super::{CliError, Context, Outcome};

/// Where a document goes.
#[derive(clap::Args)]
pub(super) struct Target {
    /// The file to write, instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing: end with 1 if the file is not as it would be written
    #[arg(long, requires = "output")]
    check: bool,
}

impl Target {
    /// Whether it goes to the standard output.
    pub(super) fn is_output(&self) -> bool {
        self.output.is_none()
    }
}

/// Writes or checks the document that `render` makes, for the command of this name. Of a catalogue
/// with faults nothing is made.
pub(super) fn run(
    context: &mut Context<'_>,
    command: &str,
    target: &Target,
    render: impl FnOnce(&Context<'_>) -> Result<String, CliError>,
) -> Result<Outcome, CliError> {
    let faults = context.catalogue.faults();
    paint::faults(context.out, &faults)?;
    if !faults.is_empty() {
        return Ok(Outcome::Found);
    }
    let text = render(context)?;
    let Some(file) = &target.output else {
        context.out.write_all(text.as_bytes())?;
        return Ok(Outcome::Done);
    };
    let shown = styled(NAME, file.display());
    if !target.check {
        write(file, &text).map_err(|source| failed(file, "cannot be written", source))?;
        writeln!(context.out, "{} {shown}", styled(GOOD, "wrote"))?;
        return Ok(Outcome::Done);
    }
    let there = match fs::read_to_string(file) {
        // Git may have changed how lines end.
        Ok(there) => Some(there.replace("\r\n", "\n")),
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        // No text is another text.
        Err(why) if why.kind() == io::ErrorKind::InvalidData => Some(String::new()),
        Err(source) => return Err(failed(file, "cannot be read", source)),
    };
    if there.as_ref() == Some(&text) {
        writeln!(
            context.out,
            "{}: {shown} is as the code says",
            styled(GOOD, "ok")
        )?;
        return Ok(Outcome::Done);
    }
    let what = if there.is_some() {
        "differs"
    } else {
        "missing"
    };
    let path = file.display();
    writeln!(
        context.out,
        "{} {shown}\nThe file is not as the code says; run `schemas {command} --output {path}` and commit it.",
        styled(BAD, what)
    )?;
    Ok(Outcome::Found)
}

/// All of it or nothing: beside its place first.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut new = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As other files are made, which the user's own mask narrows.
        new.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut new = new.tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.persist(file)?;
    Ok(())
}

fn failed(file: &Path, what: &str, source: io::Error) -> CliError {
    CliError::Failed {
        what: format!("{} {what}", file.display()),
        source: source.into(),
    }
}
