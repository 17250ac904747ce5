//! `cargo xtask services`: finds or installs the servers, clients and tools that tests use.

mod chromium;
mod clients;
mod contracts;
mod installation;
mod nats;
mod node;
mod npm;
mod pip;
mod postgres;
mod suite;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use event_sdk_test_programs::Program;

use crate::metadata::Metadata;

/// Finds the services, installs what is missing, and says what there is; or runs a server.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Metadata::workspace()?;
    if args.run {
        let nats = nats::current(&services_folder(&workspace))?;
        return nats::serve(&nats, args.port, args.store.as_deref());
    }
    let services = Services::ready(&workspace)?;
    println!("nats-server         {}", shown(&services.nats));
    println!("oldest nats-server  {}", shown(&services.oldest_nats));
    println!("postgres            {}", shown(&services.postgres));
    if let Some(others) = &services.others {
        println!("python              {}", shown(&others.python));
        println!("node                {}", shown(&others.node));
        println!("chromium            {}", shown(&others.chromium));
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
    oldest_nats: Program,
    postgres: Program,
    /// `None` where their tests are left out on purpose.
    others: Option<Others>,
}

/// What tests of other languages and of the catalogue page start.
struct Others {
    python: Program,
    node: Program,
    chromium: Program,
}

impl Services {
    /// Finds them, and installs what is missing into `target/services` and `target/clients`. What
    /// cannot be had is an error, since tests without it would leave something out.
    pub(crate) fn ready(workspace: &Metadata) -> Result<Self> {
        let services = services_folder(workspace);
        let packages = workspace.target_directory.join("clients");
        let python = event_sdk_test_programs::clients::python_program()?;
        let node = node::ready(&services)?;
        clients::ready(&packages, &node.npm)?;
        contracts::ready(&packages, &python, &node.npm)?;
        suite::ready(&packages, &python)?;
        Ok(Self {
            others: Some(Others {
                chromium: chromium::ready(&services, &node)?,
                python,
                node: node.program,
            }),
            ..Self::servers_only(workspace)?
        })
    }

    /// The same for the servers alone, where other tests are left out on purpose.
    pub(crate) fn servers_only(workspace: &Metadata) -> Result<Self> {
        let services = services_folder(workspace);
        Ok(Self {
            nats: nats::current(&services)?,
            oldest_nats: nats::oldest(&services)?,
            postgres: postgres::ready(&services)?,
            others: None,
        })
    }

    /// Tells a command, through its environment, which programs its tests are to start.
    pub(crate) fn tell(&self, command: &mut Command) {
        use event_sdk_test_programs::{chromium, clients, nats, node, postgres};
        command
            .env(nats::CURRENT_VARIABLE, self.nats.path())
            .env(nats::OLDEST_VARIABLE, self.oldest_nats.path())
            .env(postgres::VARIABLE, self.postgres.path());
        if let Some(others) = &self.others {
            command
                .env(clients::PYTHON_VARIABLE, others.python.path())
                .env(node::VARIABLE, others.node.path())
                .env(chromium::VARIABLE, others.chromium.path());
        }
    }
}

fn services_folder(workspace: &Metadata) -> PathBuf {
    workspace.target_directory.join("services")
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
