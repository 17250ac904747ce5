//! `cargo xtask services`: the real servers that tests use, found on the system or installed.

mod nats;
mod pip;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use event_sdk_test_programs::Program;

use crate::metadata::Metadata;

/// Finds the services, installs what is missing, and says what there is; or runs a server.
pub(crate) fn run(args: &Args) -> Result<()> {
    let services = Services::ready(&Metadata::workspace()?)?;
    if args.run {
        return nats::serve(&services.nats, args.port, args.store.as_deref());
    }
    println!("nats-server      {}", shown(&services.nats));
    match &services.old_nats {
        Some(program) => println!("an old one       {}", shown(program)),
        None => println!("notice: {}", nats::NO_OLD_SERVER),
    }
    Ok(())
}

/// What `cargo xtask services` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Run a NATS server with JetStream on 127.0.0.1 until Ctrl-C
    #[arg(long)]
    run: bool,
    /// The port to run it on; a free one unless given
    #[arg(long, requires = "run")]
    port: Option<u16>,
    /// The folder to keep its streams in; a temporary one unless given
    #[arg(long, requires = "run", value_name = "FOLDER")]
    store: Option<PathBuf>,
}

/// The programs of the services, each known to be there.
pub(crate) struct Services {
    nats: Program,
    old_nats: Option<Program>,
}

impl Services {
    /// Finds them, and installs what is missing into `target/services`.
    pub(crate) fn ready(workspace: &Metadata) -> Result<Self> {
        let folder = workspace.target_directory.join("services");
        Ok(Self {
            nats: nats::ready(&folder)?,
            old_nats: event_sdk_test_programs::nats::old()?,
        })
    }

    /// Tells a command, through its environment, which programs its tests are to start.
    pub(crate) fn tell(&self, command: &mut Command) {
        use event_sdk_test_programs::nats::{CURRENT_VARIABLE, OLD_VARIABLE};
        command.env(CURRENT_VARIABLE, self.nats.path());
        if let Some(old) = &self.old_nats {
            command.env(OLD_VARIABLE, old.path());
        }
    }

    /// What cannot be tested with them, and what to install for it.
    pub(crate) fn notice(&self) -> Option<&'static str> {
        self.old_nats.is_none().then_some(nats::NO_OLD_SERVER)
    }
}

fn shown(program: &Program) -> String {
    let path: &Path = program.path();
    format!(
        "{}  {}  ({})",
        program.version(),
        path.display(),
        program.origin()
    )
}
