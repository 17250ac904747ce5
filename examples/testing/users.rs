//! Runs a program under the users that its topology gives it, and without single ones of their permissions: then
//! something fails, and names the subject. The tests of several examples include this file.
//!
//! One server has an account for each case, with the whole program in it: for each role one case has all permissions,
//! each other one lacks a line. A case runs on a thread of its own, so that its log is known.
//!
//! `cargo test` takes a sample of the lines, `cargo xtask long permissions` all of them.

mod logs;

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use event_sdk::config::{Config, ConfigLoader};
use event_sdk_test_servers::Server;
use event_sdk_topology::permissions::{Login, Permissions, Role, User};

use logs::Logs;

/// Cases that run at the same time.
const THREADS: usize = 6;

/// How long a case may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A program, and its users with all of their permissions.
pub(crate) struct Program {
    pub(crate) users: Permissions,
    pub(crate) loader: fn() -> ConfigLoader,
}

/// The program in an account of its own.
struct Case<'a> {
    program: &'a Program,
    number: usize,
    permissions: Permissions,
    /// What is done.
    role: Role,
    /// The user that lacks a line, and its subject.
    missing: Option<(String, String)>,
}

/// Where a case runs.
pub(crate) struct Place<'a> {
    case: &'a Case<'a>,
    url: &'a str,
}

impl Program {
    /// Runs all cases; `is_in_sample` selects the lines of which `cargo test` takes each away. `scene` does what users of
    /// a role do, until a permission is denied.
    pub(crate) fn assert_lines_are_needed(
        &self,
        mut is_in_sample: impl FnMut(&User, &str) -> bool,
        scene: impl AsyncFn(Role, &Place<'_>) -> anyhow::Result<()> + Sync,
    ) {
        let all = std::env::var("PERMISSIONS_LINES").is_ok_and(|lines| lines == "all");
        let cases = self.cases(|user, line| all || is_in_sample(user, line));
        let text: String = cases.iter().map(Case::account).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let text = format!("{}accounts {{\n{text}}}\n", self.passwords());
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
                        if let Err(why) = case.run(&url, &scene) {
                            lock(&failures).push(format!("{}: {why}", case.title()));
                        }
                    }
                });
            }
        });
        let failures = lock(&failures);
        let text = failures.join("\n");
        assert!(failures.is_empty(), "{number} cases\n{text}");
        println!("{}", self.summary(number));
    }

    /// How much was shown.
    fn summary(&self, cases: usize) -> String {
        let users = &self.users.users;
        let lines = |user: &User| user.publish.len() + user.subscribe.len();
        let all: usize = users.iter().map(lines).sum();
        let roles: HashSet<_> = users.iter().map(|user| user.role).collect();
        let (shown, users) = (cases - roles.len(), users.len());
        format!("each of {shown} lines is needed, of {all} lines of {users} users")
    }

    fn cases(&self, mut is_checked: impl FnMut(&User, &str) -> bool) -> Vec<Case<'_>> {
        let case = |number, permissions, role, missing| Case {
            program: self,
            number,
            permissions,
            role,
            missing,
        };
        let mut cases: Vec<Case<'_>> = Vec::new();
        for user in &self.users.users {
            if cases.iter().all(|case| case.role != user.role) {
                cases.push(case(cases.len(), self.users.clone(), user.role, None));
            }
        }
        for (index, user) in self.users.users.iter().enumerate() {
            let lines = user.publish.iter().chain(&user.subscribe);
            for line in lines.filter(|line| is_checked(user, &line.subject)) {
                let mut permissions = self.users.clone();
                let lacking = &mut permissions.users[index];
                for list in [&mut lacking.publish, &mut lacking.subscribe] {
                    list.retain(|it| it.subject != line.subject);
                }
                let missing = Some((user.name.clone(), line.subject.clone()));
                cases.push(case(cases.len(), permissions, user.role, missing));
            }
        }
        cases
    }

    /// The password of everyone: a variable of the configuration in place of one of the environment.
    fn passwords(&self) -> String {
        let variable = |user: &User| match &user.login {
            Login::PasswordVariable(name) => format!("{name}: pw\n"),
            other => panic!("{other:?}"),
        };
        self.users.users.iter().map(variable).collect()
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Case<'_> {
    fn title(&self) -> String {
        match &self.missing {
            None => format!("{:?} with all permissions", self.role),
            Some((user, subject)) => format!("{user} without {subject}"),
        }
    }

    /// The account in the configuration of the server: as it is generated, but for names.
    fn account(&self) -> String {
        let mut permissions = self.permissions.clone();
        permissions.account = Some(format!("CASE{}", self.number));
        permissions.passwords_file = None;
        let mut admin = self.program.users.users[0].clone();
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
    fn run(
        &self,
        url: &str,
        scene: &impl AsyncFn(Role, &Place<'_>) -> anyhow::Result<()>,
    ) -> Result<(), String> {
        let logs = Logs::default();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let place = Place { case: self, url };
        let named = self.missing.as_ref().map(|(_, subject)| {
            let exact = subject.split(['*', '>']).next();
            let exact = exact.unwrap_or_default().to_owned();
            assert!(!exact.is_empty(), "any error names {subject}");
            exact
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
                    ended = Box::pin(scene(self.role, &place)) => Some(ended),
                    () = logged => Some(Ok(())),
                    () = tokio::time::sleep(PATIENCE) => None,
                }
            })
        });
        let ended = ended.ok_or_else(|| format!("it takes too long\n{logs}"))?;
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

impl Place<'_> {
    /// The configuration of a user, as its service would be configured. `admin` may do everything.
    pub(crate) fn config(&self, user: &str) -> Config {
        let name = self.case.user(user);
        let variables = [
            ("EVENT_SDK_TRANSPORT", "nats"),
            ("EVENT_SDK_PREFIX", &self.case.permissions.prefix),
            ("EVENT_SDK_NATS__URL", self.url),
            ("EVENT_SDK_NATS__USER", &name),
            ("EVENT_SDK_NATS__PASSWORD", "pw"),
            ("EVENT_SDK_NATS__INBOX_PREFIX", self.case.inbox_prefix(user)),
        ];
        let loader = (self.case.program.loader)();
        loader.variables(variables.to_vec()).load().unwrap()
    }
}
