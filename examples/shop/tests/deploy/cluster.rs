//! Three servers with the configuration of `examples/deploy/nats`, as it is: ports are those of the test, and
//! certificates and passwords are made here.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use event_sdk::EventBus;
use event_sdk_test_servers::server_process::Port;
use event_sdk_test_servers::{Authority, programs};
use event_sdk_topology::permissions::Login;
use tempfile::TempDir;

use crate::tests::process::Process;
use crate::topology::{CLUSTERED, PREFIX, users};
use crate::{config, open};

pub(super) const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nats");

/// Passwords before and after, with their bcrypt hashes, which are made as quickly as bcrypt can.
const OLD: [&str; 2] = [
    "sesame",
    "$2a$04$VijQF6tzBEN/HiBOiIgk9u2/uCk.lRn/YqzA04.SYXEMDhFmhv/oO",
];
const NEW: [&str; 2] = [
    "open",
    "$2a$04$uInn.lS/zEaYDW.G/QTSjOlMisR9VWgpvNN7TQK0Rqusb9MC0vEsO",
];

/// The files of the deployment, with passwords beside them, as they are mounted.
pub(super) fn configuration(hash: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(FILES).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    passwords(folder.path(), hash);
    folder
}

/// Everyone has the same.
fn passwords(folder: &Path, hash: &str) {
    let users = users(&CLUSTERED).build().unwrap().users;
    let lines = users.into_iter().map(|user| match user.login {
        Login::PasswordVariable(name) => format!("{name}: \"{hash}\"\n"),
        other => panic!("{other:?}"),
    });
    fs::write(folder.join("passwords.conf"), lines.collect::<String>()).unwrap();
}

/// Another application: its user may do everything in its own account.
pub(super) const OTHER: &str = "crm";

/// Adds an account with the user [`OTHER`] beside that of the shop.
fn add_account(folder: &Path) -> anyhow::Result<()> {
    let file = folder.join("permissions.conf");
    let text = fs::read_to_string(&file)?;
    let beside = "\naccounts {\n";
    anyhow::ensure!(text.matches(beside).count() == 1, "{text}");
    let [_, hash] = OLD;
    let account = format!(
        "{beside}  \"CRM\" {{ jetstream: enabled, users: [ {{ user: {OTHER}, password: \"{hash}\" }} ] }}\n"
    );
    fs::write(file, text.replace(beside, &account))?;
    Ok(())
}

/// What differs between the servers.
pub(super) fn environment(command: &mut Command, node: &str, store: &Path, authority: &Authority) {
    let identity = authority
        .cluster_member(&["127.0.0.1", "localhost"])
        .unwrap();
    command
        .env("NATS_NODE", node)
        .env("NATS_STORE", store.join(node))
        .env("NATS_CERT", identity.certificate())
        .env("NATS_KEY", identity.key())
        .env("NATS_CA", authority.certificate());
}

/// The cluster; it ends when it is dropped.
pub(super) struct Secured {
    files: TempDir,
    servers: Vec<Child>,
    ports: Vec<Port>,
    authority: Authority,
    /// Held by the servers.
    others: Vec<Port>,
}

impl Secured {
    pub(super) fn start() -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let program = programs::nats::current()?;
        let three = || {
            (0..3)
                .map(|_| Port::reserve())
                .collect::<Result<Vec<_>, _>>()
        };
        let (ports, routes, monitoring) = (three()?, three()?, three()?);
        let known: Vec<_> = routes
            .iter()
            .map(|port| format!("nats-route://localhost:{}", port.number()))
            .collect();
        let mut secured = Self {
            files: configuration(OLD[1]),
            servers: Vec::new(),
            ports,
            authority,
            others: Vec::new(),
        };
        add_account(secured.files.path())?;
        for index in 0..3 {
            let node = format!("nats-{}", index + 1);
            let mut server = Command::new(program.path());
            server
                .arg("-c")
                .arg(secured.path("hardened.conf"))
                .args(["--addr", "127.0.0.1"])
                .args(["--port", &secured.ports[index].number().to_string()])
                .args(["-m", &monitoring[index].number().to_string()])
                .arg("--cluster")
                .arg(format!("nats://127.0.0.1:{}", routes[index].number()))
                .args(["--routes", &known.join(",")])
                .arg("--log")
                .arg(secured.path(&format!("{node}.log")))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            environment(&mut server, &node, secured.files.path(), &secured.authority);
            secured.servers.push(server.spawn()?);
        }
        secured.others.extend(routes.into_iter().chain(monitoring));
        for user in users(&CLUSTERED).build()?.users {
            fs::write(secured.path(&user.name), OLD[0])?;
        }
        fs::write(secured.path(OTHER), OLD[0])?;
        Ok(secured)
    }

    /// The bus of a user, by configuration alone.
    pub(super) async fn bus(&self, user: &str) -> anyhow::Result<EventBus> {
        self.bus_with(user, &self.path(user)).await
    }

    pub(super) async fn bus_with_old_password(&self, user: &str) -> anyhow::Result<EventBus> {
        let file = self.path("old.password");
        fs::write(&file, OLD[0])?;
        self.bus_with(user, &file).await
    }

    /// Writes new passwords for the services, and then tells the servers.
    pub(super) fn rotate(&self) -> anyhow::Result<()> {
        for user in users(&CLUSTERED).build()?.users {
            fs::write(self.path(&user.name), NEW[0])?;
        }
        passwords(self.files.path(), NEW[1]);
        for server in &self.servers {
            let program = programs::nats::current()?;
            let reload = format!("reload={}", server.id());
            let told = Command::new(program.path())
                .args(["--signal", &reload])
                .status()?;
            anyhow::ensure!(told.success(), "reload: {told}");
        }
        Ok(())
    }

    /// What the servers logged.
    pub(super) fn logs(&self) -> String {
        let nodes = (1..=3).map(|node| self.path(&format!("nats-{node}.log")));
        nodes
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect()
    }

    async fn bus_with(&self, user: &str, password: &Path) -> anyhow::Result<EventBus> {
        let config = config().variables(self.variables(user, password)).load()?;
        open(&config, &CLUSTERED).await
    }

    /// Starts a command of the shop as a process of this user, which its environment configures.
    pub(super) fn shop(&self, user: &str, listen: SocketAddr, command: &str) -> Process {
        let of_shop = [
            ("SHOP_REPLICAS", "3".to_owned()),
            ("SHOP_LISTEN", listen.to_string()),
            ("SHOP_SERVICE", user.to_owned()),
        ];
        let of_bus = self.variables(user, &self.path(user));
        Process::start(of_bus.into_iter().chain(of_shop), &[command])
    }

    fn variables(&self, user: &str, password: &Path) -> [(&'static str, String); 8] {
        let ports = self.ports.iter().map(Port::number);
        let urls: Vec<_> = ports
            .map(|port| format!("tls://127.0.0.1:{port}"))
            .collect();
        let text = |path: &Path| path.to_str().unwrap_or_default().to_owned();
        [
            ("EVENT_SDK_TRANSPORT", "nats".to_owned()),
            ("EVENT_SDK_PREFIX", PREFIX.to_owned()),
            ("EVENT_SDK_NATS__URL", urls.join(",")),
            (
                "EVENT_SDK_NATS__CA_FILE",
                text(self.authority.certificate()),
            ),
            ("EVENT_SDK_NATS__USER", user.to_owned()),
            ("EVENT_SDK_NATS__PASSWORD_FILE", text(password)),
            ("EVENT_SDK_NATS__INBOX_PREFIX", format!("_INBOX_{user}")),
            ("EVENT_SDK_NATS__CONNECT_WITHIN", "1m".to_owned()),
        ]
    }

    fn path(&self, file: &str) -> PathBuf {
        self.files.path().join(file)
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
