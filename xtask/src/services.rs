//! `cargo xtask services`: the real servers, clients and tools that tests use, found on the system
//! or installed.

mod chromium;
mod clients;
mod contracts;
mod installation;
mod nats;
mod npm;
mod pip;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use event_sdk_test_programs::Program;

use crate::metadata::Metadata;
use clients::Clients;
use contracts::Contracts;

/// Finds the services, installs what is missing, and says what there is; or runs a server.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Metadata::workspace()?;
    if args.run {
        let nats = nats::ready(&nats_folder(&workspace))?;
        return nats::serve(&nats, args.port, args.store.as_deref());
    }
    let services = Services::ready(&workspace)?;
    println!("nats-server      {}", shown(&services.nats));
    if let Some(program) = &services.old_nats {
        println!("an old one       {}", shown(program));
    }
    println!("python           {}", shown(&services.clients.python));
    if let Some(program) = &services.clients.node {
        println!("node             {}", shown(program));
    }
    if let Some(program) = &services.contracts.chromium {
        println!("chromium         {}", shown(program));
    }
    for notice in services.notices() {
        println!("notice: {notice}");
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
    clients: Clients,
    contracts: Contracts,
}

impl Services {
    /// Finds them, and installs what is missing into `target/services` and `target/clients`.
    pub(crate) fn ready(workspace: &Metadata) -> Result<Self> {
        let packages = workspace.target_directory.join("clients");
        let clients = clients::ready(&packages)?;
        Ok(Self {
            nats: nats::ready(&nats_folder(workspace))?,
            old_nats: event_sdk_test_programs::nats::old()?,
            contracts: contracts::ready(&packages, &clients.python)?,
            clients,
        })
    }

    /// Tells a command, through its environment, which programs its tests are to start.
    pub(crate) fn tell(&self, command: &mut Command) {
        use event_sdk_test_programs::chromium;
        use event_sdk_test_programs::clients::{
            NODE_VARIABLE, PYTHON_VARIABLE, WITHOUT_NODE_VARIABLE,
        };
        use event_sdk_test_programs::contracts::WITHOUT_TOOLS_VARIABLE;
        use event_sdk_test_programs::nats::{CURRENT_VARIABLE, OLD_VARIABLE};
        command.env(CURRENT_VARIABLE, self.nats.path());
        if let Some(old) = &self.old_nats {
            command.env(OLD_VARIABLE, old.path());
        }
        command.env(PYTHON_VARIABLE, self.clients.python.path());
        match &self.clients.node {
            Some(node) => command.env(NODE_VARIABLE, node.path()),
            None => command.env(WITHOUT_NODE_VARIABLE, "1"),
        };
        if self.contracts.node.is_none() {
            command.env(WITHOUT_TOOLS_VARIABLE, "1");
        }
        match &self.contracts.chromium {
            Some(program) => command.env(chromium::VARIABLE, program.path()),
            None => command.env(chromium::WITHOUT_VARIABLE, "1"),
        };
    }

    /// What cannot be tested with them, and what to install for it.
    pub(crate) fn notices(&self) -> impl Iterator<Item = &'static str> {
        let old_nats = self.old_nats.is_none().then_some(nats::NO_OLD_SERVER);
        let node = self.clients.node.is_none().then_some(clients::NO_NODE);
        let tools = self.contracts.node.is_none().then_some(contracts::NO_TOOLS);
        let no_chromium = self.contracts.chromium.is_none();
        let browser = no_chromium.then_some(chromium::NO_CHROMIUM);
        [old_nats, node, tools, browser].into_iter().flatten()
    }
}

fn nats_folder(workspace: &Metadata) -> PathBuf {
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
