//! The shop runs under the users that its topology gives it, and without any one of their permissions
//! something fails, and names the subject.
//!
//! One server has an account for each case, with the whole shop in it: one case has all permissions,
//! each other one lacks a line. A case runs on a thread of its own, so that its log is known.

mod logs;
mod scenes;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::config::Config;
use event_sdk_test_servers::Server;
use event_sdk_topology::permissions::{Login, Permissions, Role, User};

use crate::topology::{PARTITIONS, PREFIX, SINGLE, users};
use crate::{config, open};
use logs::Logs;

/// Cases that run at the same time.
const THREADS: usize = 6;

/// How long a case may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn each_line_is_needed_and_all_of_them_suffice() {
    let cases = cases();
    let text: String = cases.iter().map(Case::account).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = format!("{}accounts {{\n{text}}}\n", passwords());
    let server = Server::options().config(&text).start();
    let server = runtime.block_on(server).unwrap();
    let (url, number) = (server.url(), cases.len());
    let cases = Mutex::new(VecDeque::from(cases));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = lock(&cases).pop_front();
                    let Some(case) = next else { break };
                    if let Err(why) = case.run(&url) {
                        lock(&failures).push(format!("{}: {why}", case.title()));
                    }
                }
            });
        }
    });
    let failures = lock(&failures);
    assert!(
        failures.is_empty(),
        "{number} cases\n{}",
        failures.join("\n")
    );
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shop in an account of its own.
pub(super) struct Case {
    number: usize,
    permissions: Permissions,
    /// What is done.
    role: Role,
    /// The user that lacks a line, and its subject.
    missing: Option<(String, String)>,
}

fn cases() -> Vec<Case> {
    let all = users(&SINGLE).build().unwrap();
    let roles = [
        Role::Deployment,
        Role::Service,
        Role::Operator,
        Role::Monitor,
    ];
    let complete = roles.into_iter().enumerate().map(|(number, role)| Case {
        number,
        permissions: all.clone(),
        role,
        missing: None,
    });
    let mut cases: Vec<_> = complete.collect();
    for (index, user) in all.users.iter().enumerate() {
        let lines = user.publish.iter().chain(&user.subscribe);
        for line in lines.filter(|line| !is_of_another_partition(&line.subject)) {
            let mut permissions = all.clone();
            let lacking = &mut permissions.users[index];
            for list in [&mut lacking.publish, &mut lacking.subscribe] {
                list.retain(|it| it.subject != line.subject);
            }
            cases.push(Case {
                number: cases.len(),
                permissions,
                role: user.role,
                missing: Some((user.name.clone(), line.subject.clone())),
            });
        }
    }
    cases
}

/// Partitions are alike: the lines of the first and the last one are taken away, each in turn.
fn is_of_another_partition(subject: &str) -> bool {
    (1..PARTITIONS - 1).any(|number| subject.contains(&format!("orders-p{number}")))
}

/// The password of everyone: a variable of the configuration in place of one of the environment.
fn passwords() -> String {
    let all = users(&SINGLE).build().unwrap();
    let variable = |user: &User| match &user.login {
        Login::PasswordVariable(name) => format!("{name}: pw\n"),
        other => panic!("{other:?}"),
    };
    all.users.iter().map(variable).collect()
}

impl Case {
    fn title(&self) -> String {
        match &self.missing {
            None => format!("{:?} with all permissions", self.role),
            Some((user, subject)) => format!("{user} without {subject}"),
        }
    }

    /// The account in the configuration of the server: as it is generated, but for names.
    fn account(&self) -> String {
        let mut permissions = self.permissions.clone();
        permissions.account = Some(format!("SHOP{}", self.number));
        permissions.passwords_file = None;
        let mut admin = users(&SINGLE).build().unwrap().users.remove(0);
        "admin".clone_into(&mut admin.name);
        for list in [&mut admin.publish, &mut admin.subscribe] {
            list.truncate(1);
            ">".clone_into(&mut list[0].subject);
        }
        permissions.users.push(admin);
        for user in &mut permissions.users {
            user.name = self.user(&user.name);
        }
        let text = permissions.to_string();
        let inner = text.split_once("accounts {\n").unwrap().1;
        inner.strip_suffix("}\n").unwrap().to_owned()
    }

    /// Users of all accounts have different names.
    fn user(&self, name: &str) -> String {
        format!("{name}-{}", self.number)
    }

    fn inbox_prefix(&self, name: &str) -> &str {
        let mut users = self.permissions.users.iter();
        let user = users.find(|user| user.name == name);
        user.map_or("_INBOX", |user| &user.inbox_prefix)
    }

    /// Runs what the user who lacks a line does; or everything.
    fn run(&self, url: &str) -> Result<(), String> {
        let logs = Logs::default();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let place = Place { case: self, url };
        let scene = async {
            match self.role {
                Role::Deployment => scenes::deploys(&place).await,
                Role::Service => Box::pin(scenes::serves(&place)).await,
                Role::Operator => scenes::operates(&place).await,
                _ => scenes::monitors(&place).await,
            }
        };
        let named = self.missing.as_ref().map(|(_, subject)| {
            let exact = subject.split(['*', '>']).next();
            exact.unwrap_or_default().to_owned()
        });
        let logged = async {
            match &named {
                Some(named) => logs.until_denied(named).await,
                None => std::future::pending().await,
            }
        };
        let ended = tracing::subscriber::with_default(logs.subscriber(), || {
            runtime.block_on(async {
                tokio::select! {
                    ended = Box::pin(scene) => ended,
                    () = logged => Ok(()),
                    () = tokio::time::sleep(PATIENCE) => Err(anyhow::anyhow!("it takes too long")),
                }
            })
        });
        let told = ended
            .as_ref()
            .map_or_else(|error| format!("{error:#}"), |()| String::new());
        match named {
            None if ended.is_err() || logs.has_denial_of("") => Err(format!("{told}\n{logs}")),
            // Its error says so, or the log does.
            Some(named) if !told.contains(&named) && !logs.has_denial_of(&named) => {
                Err(format!("nothing needs it: {told}\n{logs}"))
            }
            _ => Ok(()),
        }
    }
}

/// Where a case runs.
pub(super) struct Place<'a> {
    case: &'a Case,
    url: &'a str,
}

impl Place<'_> {
    /// The bus of a user, configured as its service would be.
    pub(super) async fn bus(&self, user: &str) -> anyhow::Result<EventBus> {
        let bus = open(&self.config(user), &SINGLE).await;
        bus.map_err(|error| error.context(format!("the bus of {user}")))
    }

    fn config(&self, user: &str) -> Config {
        let name = self.case.user(user);
        let variables = [
            ("EVENT_SDK_TRANSPORT", "nats"),
            ("EVENT_SDK_PREFIX", PREFIX),
            ("EVENT_SDK_NATS__URL", self.url),
            ("EVENT_SDK_NATS__USER", &name),
            ("EVENT_SDK_NATS__PASSWORD", "pw"),
            ("EVENT_SDK_NATS__INBOX_PREFIX", self.case.inbox_prefix(user)),
        ];
        config().variables(variables.to_vec()).load().unwrap()
    }
}
