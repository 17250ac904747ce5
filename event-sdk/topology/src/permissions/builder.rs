//! `PermissionsBuilder`: names the users, and computes their permissions.

use event_sdk::subject::grammar::escape_key;
use event_sdk::transport::Error;

use super::grants::{Grants, Names};
use super::lines::{
    BINDS, CANCELS, COORDINATES, COUNTS_PARTITIONS, CREATES_AGAIN, GETS, HEARS_EXHAUSTED,
    KEEPS_IN_TABLES, KEEPS_LETTERS, KNOWS_ITSELF, Line, OWNS, PARKS, READS, READS_RECORDS,
    READS_RECORDS_OF_CLUSTER, RECEIVES_REDRIVEN, RECORDS, RELAYS, SCHEDULES, SUBSCRIBES_UNNAMED,
    TAKES,
};
use super::login::Login;
use super::roles::Sight;
use super::routes::{Durable, Routes};
use super::server::is_file_name;
use super::service::{By, Consumes, Extra, Service, Use};
use super::{Permission, Permissions, Role, User, invalid, listed};
use crate::durable::DurableSpec;
use crate::topology::Topology;

impl Topology {
    /// Begins to compute the least permissions of services and other users, as configuration of a
    /// server. `prefix` is the prefix of the bus. No server is asked; see
    /// [`permissions`](crate::permissions).
    pub fn permissions(&self, prefix: impl Into<String>) -> PermissionsBuilder {
        PermissionsBuilder::new(self, prefix.into())
    }
}

/// Which users a server has, for [`Topology::permissions`].
#[derive(Debug, Clone)]
#[must_use = "call `build`"]
pub struct PermissionsBuilder {
    topology: Topology,
    prefix: String,
    account: Option<String>,
    passwords_file: Option<String>,
    members: Vec<Member>,
    logins: Vec<(String, Login)>,
    private_inboxes: bool,
    clustered: bool,
}

#[derive(Debug, Clone)]
enum Member {
    Service(Service),
    Other(Role, String),
}

impl Member {
    fn name(&self) -> &str {
        match self {
            Self::Service(service) => &service.name,
            Self::Other(_, name) => name,
        }
    }
}

impl PermissionsBuilder {
    fn new(topology: &Topology, prefix: String) -> Self {
        let replicated = topology.bucket.is_some_and(|bucket| bucket.replicas > 1);
        Self {
            topology: *topology,
            prefix,
            account: None,
            passwords_file: None,
            members: Vec::new(),
            logins: Vec::new(),
            private_inboxes: false,
            clustered: replicated,
        }
    }

    /// Adds the user of a service.
    pub fn service(mut self, service: Service) -> Self {
        self.members.push(Member::Service(service));
        self
    }

    /// Adds the user of the deployment step, which plans, applies and verifies the topology. It may
    /// use no subject of events. But whoever may change streams and create durables can make a
    /// stream publish its events elsewhere, or have events delivered to any subject. So protect
    /// this login as if it could read everything.
    pub fn deployment(self, user: impl Into<String>) -> Self {
        self.other(Role::Deployment, user.into())
    }

    /// Adds a user for people and programs that operate the application. It reads, backs up,
    /// deletes and purges stored events; pauses and resets consumers; and lists, redrives and
    /// purges dead letters. It may not publish events.
    pub fn operator(self, user: impl Into<String>) -> Self {
        self.other(Role::Operator, user.into())
    }

    /// Adds a user that reads the state of streams and consumers, and may not read events.
    pub fn monitor(self, user: impl Into<String>) -> Self {
        self.other(Role::Monitor, user.into())
    }

    /// Puts the users into an account of this name. An account has its own streams. Default: the
    /// server has no accounts.
    pub fn account(mut self, name: impl Into<String>) -> Self {
        self.account = Some(name.into());
        self
    }

    /// Names the file, in the folder of the configuration, that defines the variables of passwords.
    /// It must have a line `BILLING_PASSWORD: "<bcrypt hash>"` for each user with a password, and
    /// no other lines. The server reads the file again when it reloads its configuration, so
    /// passwords change without a restart. Default: the environment of the server defines the
    /// variables. `name` may have letters, digits, `.`, `_`, `-` and `/`.
    pub fn passwords_file(mut self, name: impl Into<String>) -> Self {
        self.passwords_file = Some(name.into());
        self
    }

    /// Sets how a user proves its identity. Default: a password from the variable `<USER>_PASSWORD`.
    pub fn login(mut self, user: impl Into<String>, login: Login) -> Self {
        self.logins.push((user.into(), login));
        self
    }

    /// Gives each user its own inboxes, `_INBOX_<user>`, so that no user can read the replies to
    /// another user. The clients of a user have to set that prefix (`nats.inbox_prefix`). Default:
    /// all users share `_INBOX`.
    pub fn private_inboxes(mut self) -> Self {
        self.private_inboxes = true;
        self
    }

    /// Sets whether the servers form a cluster. In a cluster, entries are read from the leader of
    /// the bucket, which needs another subject. Default: `true` if the bucket has more than one
    /// replica.
    pub fn clustered(mut self, clustered: bool) -> Self {
        self.clustered = clustered;
        self
    }

    /// Computes the permissions.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](event_sdk::transport::ErrorKind::InvalidOption) for an invalid or unknown
    /// name; for a consumer or dead-letter stream that the topology does not declare; for a login
    /// that could be a secret; for two users with the same password variable; for a password file
    /// whose name has other characters than [allowed](Self::passwords_file); or for a consumer with
    /// one owner or partitions in a topology without a bucket.
    /// [`NoStream`](event_sdk::transport::ErrorKind::NoStream) for an event that no stream stores.
    pub fn build(&self) -> Result<Permissions, Error> {
        let routes = Routes::new(&self.topology, &self.prefix)?;
        self.check_names()?;
        let redriven = self.redriven(&routes)?;
        let kv = self.topology.bucket.map(|it| format!("KV_{}", it.name));
        let sight = Sight {
            routes: &routes,
            kv: kv.as_deref(),
            redriven: &redriven,
        };
        let mut users = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let (role, grants) = match member {
                Member::Service(service) => (Role::Service, self.of_service(&routes, service)?),
                Member::Other(role, _) => {
                    let grants = match role {
                        Role::Deployment => sight.deploys()?,
                        Role::Operator => sight.operates()?,
                        _ => sight.monitors()?,
                    };
                    (*role, grants)
                }
            };
            users.push(self.user(member.name(), role, grants.reduced()?));
        }
        Ok(Permissions {
            prefix: self.prefix.clone(),
            account: self.account.clone(),
            passwords_file: self.passwords_file.clone(),
            users,
        })
    }

    fn other(mut self, role: Role, user: String) -> Self {
        self.members.push(Member::Other(role, user));
        self
    }

    fn user(&self, name: &str, role: Role, grants: Grants) -> User {
        let inbox_prefix = if self.private_inboxes {
            format!("_INBOX_{name}")
        } else {
            "_INBOX".to_owned()
        };
        let mut subscribe = grants.subscribe;
        subscribe.push(Permission {
            subject: format!("{inbox_prefix}.>"),
            purposes: vec!["receives replies".to_owned()],
        });
        User {
            name: name.to_owned(),
            role,
            login: self.login_of(name),
            inbox_prefix,
            publish: grants.publish,
            subscribe,
        }
    }

    fn check_names(&self) -> Result<(), Error> {
        let mut known: Vec<&str> = Vec::new();
        for name in self
            .members
            .iter()
            .map(Member::name)
            .chain(self.account.as_deref())
        {
            let mut bytes = name.bytes();
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if name.is_empty() || !bytes.all(is_word) {
                return Err(invalid(format!(
                    "the name {name:?} of a user or account is not valid; use letters, digits, `-` and `_`"
                )));
            }
        }
        for name in self.members.iter().map(Member::name) {
            if known.contains(&name) {
                return Err(invalid(format!(
                    "the user `{name}` is declared twice; give each service and role a user of its own"
                )));
            }
            known.push(name);
        }
        for (user, login) in &self.logins {
            if !known.contains(&&**user) {
                let known = listed(known.iter().copied());
                return Err(invalid(format!(
                    "a login is set for `{user}`, and there is no such user; {known}"
                )));
            }
            login.check(user)?;
        }
        if let Some(file) = self
            .passwords_file
            .as_deref()
            .filter(|it| !is_file_name(it))
        {
            return Err(invalid(format!(
                "the name {file:?} of the file of passwords is not valid; use letters, digits, `.`, `_`, `-` and `/`"
            )));
        }
        self.check_variables()
    }

    /// Two users whose password comes from one variable would have the same password.
    fn check_variables(&self) -> Result<(), Error> {
        let mut known: Vec<(&str, String)> = Vec::new();
        for user in self.members.iter().map(Member::name) {
            let Login::PasswordVariable(variable) = self.login_of(user) else {
                continue;
            };
            if let Some((other, _)) = known.iter().find(|(_, known)| *known == variable) {
                return Err(invalid(format!(
                    "the users `{other}` and `{user}` would have one password, since both read it from the variable `{variable}`; rename one, or give it another `login`"
                )));
            }
            known.push((user, variable));
        }
        Ok(())
    }

    fn login_of(&self, user: &str) -> Login {
        let set = self.logins.iter().rev().find(|(name, _)| name == user);
        set.map_or_else(|| Login::of(user), |(_, login)| login.clone())
    }

    /// The durables that receive redriven events.
    fn redriven(&self, routes: &Routes<'_>) -> Result<Vec<(String, String)>, Error> {
        let mut durables = Vec::new();
        for member in &self.members {
            let Member::Service(service) = member else {
                continue;
            };
            for consumes in &service.consumes {
                let Some(letters) = &consumes.dead_letters else {
                    continue;
                };
                let letters = routes.dead_letters(&service.name, letters)?;
                let spec = routes.consumer(&service.name, &consumes.durable)?;
                let names = spec.durables().into_iter();
                durables.extend(names.map(|name| (letters.retry.to_owned(), name)));
            }
        }
        Ok(durables)
    }

    fn of_service(&self, routes: &Routes<'_>, service: &Service) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        for (what, events) in &service.uses {
            for one in events {
                let subject = routes.subject(one)?;
                if matches!(what, Use::Publish | Use::Expect | Use::Relay) {
                    grants.publish_to(&subject, format!("publishes {}", one.name));
                }
                let lines: &[&[Line]] = match what {
                    Use::Publish => continue,
                    Use::Expect => &[GETS],
                    Use::Relay => &[RELAYS],
                    Use::Schedule => &[SCHEDULES],
                    Use::Cancel => &[CANCELS],
                    Use::Read => &[READS],
                    Use::Unnamed => &[SUBSCRIBES_UNNAMED, CREATES_AGAIN],
                };
                for (stream, _) in routes.streams_of(&subject, None)? {
                    let names = Names {
                        stream,
                        ..Names::default()
                    };
                    for lines in lines {
                        grants.publish(lines, &names);
                    }
                }
            }
        }
        for consumes in &service.consumes {
            self.consumer(routes, &service.name, consumes, &mut grants)?;
        }
        if service.coordinates {
            let bucket = self.bucket(&service.name, "coordinates")?;
            let kv = format!("KV_{bucket}");
            let names = Names {
                bucket,
                kv: &kv,
                ..Names::default()
            };
            grants.publish(COORDINATES, &names);
        }
        if service.diagnosable {
            grants.publish(KNOWS_ITSELF, &Names::default());
        }
        Ok(grants)
    }

    fn consumer(
        &self,
        routes: &Routes<'_>,
        service: &str,
        consumes: &Consumes,
        grants: &mut Grants,
    ) -> Result<(), Error> {
        let spec = routes.consumer(service, &consumes.durable)?;
        for durable in routes.durables(spec)? {
            of_durable(consumes, &durable, grants);
            for other in other_durables(consumes, spec) {
                let names = Names {
                    stream: durable.stream,
                    durable: &other,
                    consumer: spec.name,
                    ..Names::default()
                };
                grants.publish(COUNTS_PARTITIONS, &names);
            }
        }
        let token = escape_key(&consumes.durable);
        let token =
            token.map_err(|why| invalid(format!("the consumer `{}`: {why}", consumes.durable)))?;
        if consumes.by == By::Runtime {
            self.coordination(service, consumes, &token, spec.partitions, grants)?;
        }
        let Some(letters) = &consumes.dead_letters else {
            if consumes.does(Extra::Parks) {
                return Err(invalid(format!(
                    "the consumer `{}` of the service `{service}` parks events, for which it needs dead letters; call `dead_letters`",
                    consumes.durable
                )));
            }
            return Ok(());
        };
        let letters = routes.dead_letters(service, letters)?;
        let under = letters.before_subjects();
        let names = Names {
            consumer: &token,
            dlq: letters.name,
            retry: letters.retry,
            under: &under,
            ..Names::default()
        };
        let keeps = if letters.in_tables {
            KEEPS_IN_TABLES
        } else {
            KEEPS_LETTERS
        };
        grants.publish(keeps, &names);
        if consumes.does(Extra::Parks) {
            grants.publish(PARKS, &names);
        }
        for durable in spec.durables() {
            let names = Names {
                durable: &durable,
                ..names
            };
            grants.publish(RECEIVES_REDRIVEN, &names);
        }
        if consumes.does(Extra::SingleActive) && spec.partitions.is_none() {
            for other in spec.other_durables() {
                let names = Names {
                    stream: letters.retry,
                    durable: &other,
                    ..names
                };
                grants.publish(COUNTS_PARTITIONS, &names);
            }
        }
        Ok(())
    }

    /// What a consumer of the runtime keeps in the bucket.
    fn coordination(
        &self,
        service: &str,
        consumes: &Consumes,
        token: &str,
        partitions: Option<u32>,
        grants: &mut Grants,
    ) -> Result<(), Error> {
        let is_owned = consumes.does(Extra::SingleActive) || partitions.is_some();
        if self.topology.bucket.is_none() && !is_owned {
            // It counts attempts in its process.
            return Ok(());
        }
        let bucket = self.bucket(service, "has a consumer with one owner or partitions")?;
        let kv = format!("KV_{bucket}");
        let names = Names {
            consumer: token,
            bucket,
            kv: &kv,
            ..Names::default()
        };
        grants.publish(RECORDS, &names);
        let reads = if self.clustered {
            READS_RECORDS_OF_CLUSTER
        } else {
            READS_RECORDS
        };
        grants.publish(reads, &names);
        if is_owned {
            grants.publish(OWNS, &names);
        }
        Ok(())
    }

    fn bucket(&self, service: &str, why: &str) -> Result<&str, Error> {
        let bucket = self.topology.bucket.map(|bucket| &*bucket.name);
        bucket.ok_or_else(|| {
            invalid(format!(
                "the service `{service}` {why}, and the topology has no bucket; call `Topology::bucket`"
            ))
        })
    }
}

/// The durables that a consumer with owners asks for, in case it had another number of partitions.
fn other_durables(consumes: &Consumes, spec: &DurableSpec) -> Vec<String> {
    let all = spec.other_durables();
    match spec.partitions {
        // All of them are asked for when a durable is created.
        _ if consumes.does(Extra::Creates)
            && (consumes.does(Extra::SingleActive) || spec.partitions.is_some()) =>
        {
            all
        }
        Some(_) => all.into_iter().take(1).collect(),
        None => Vec::new(),
    }
}

fn of_durable(consumes: &Consumes, durable: &Durable<'_>, grants: &mut Grants) {
    let names = Names {
        stream: durable.stream,
        durable: &durable.name,
        ..Names::default()
    };
    grants.publish(TAKES, &names);
    if consumes.by != By::RequestsAlone {
        grants.publish(BINDS, &names);
    }
    if consumes.does(Extra::Creates) {
        durable.creates(&names, grants);
    }
    if consumes.does(Extra::HearsExhausted) {
        grants.subscribe(HEARS_EXHAUSTED, &names);
    }
}
