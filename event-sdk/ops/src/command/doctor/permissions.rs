//! Compares the permissions that the server gives the user with those that the program declares for
//! the user, and finds the prefix of the JetStream API in them.

use event_sdk::text::Text;
use event_sdk::transport::{Allowed, UserInfo};
use event_sdk_subject::{covers, overlaps};
use event_sdk_topology::permissions::{Login, PermissionsBuilder, User};

use super::code::Code;
use super::finding::Findings;
use super::user;

/// The prefix of the API without a domain.
pub(super) const API: &str = "$JS.API";

/// The prefix of the JetStream API: the configured one, else the one in what the user may publish. A bus that
/// the program has does not tell its options.
pub(super) fn api_prefix(configured: Option<String>, user: &UserInfo) -> String {
    let of_user = || {
        let allowed = &user.permissions.as_ref()?.publish.allow;
        let prefixes = allowed.iter().filter_map(|subject| {
            let (before, _) = subject.split_once(".API.")?;
            let is_one = before == "$JS" || before.starts_with("$JS.");
            (is_one && !before.contains('*')).then(|| format!("{before}.API"))
        });
        let prefixes: Vec<_> = prefixes.collect();
        let is_plain = prefixes.iter().any(|prefix| prefix == API);
        (!is_plain).then(|| prefixes.into_iter().next()).flatten()
    };
    configured
        .or_else(of_user)
        .unwrap_or_else(|| API.to_owned())
}

/// Names each permission that the program declares for this user and that the server does not give, or says
/// why nothing was compared.
pub(super) fn compare(
    user: &UserInfo,
    declared: Option<&PermissionsBuilder>,
    api: &str,
    findings: &mut Findings,
) -> Result<(), &'static str> {
    let declared =
        declared.ok_or("the program declares no users with `Operations::permissions`")?;
    let declared = declared.build().map_err(|error| {
        findings.add(
            Code::ConfigInvalid,
            "users of the program",
            format!("are declared wrongly: {}", crate::error::chain(&error)),
            "correct the declaration in the code of the program",
        );
        "the program declares its users wrongly"
    })?;
    let name = user.name.as_deref();
    let name = name.ok_or("the server does not tell the name of the user")?;
    let is_it =
        |it: &&User| it.name == name || matches!(&it.login, Login::NKey(key) if key == name);
    let mut users = declared.users.iter();
    let wanted = users
        .find(is_it)
        .ok_or("the program declares no user of this name")?;
    let Some(given) = &user.permissions else {
        return Ok(());
    };
    for (what, given, lines) in [
        ("publish", &given.publish, &wanted.publish),
        ("subscribe", &given.subscribe, &wanted.subscribe),
    ] {
        for line in lines {
            let subject = with_prefix(&line.subject, api);
            if !allows(given, &subject) {
                let purposes = line.purposes.join("; ");
                let (code, problem) = if is_scattered(given, &subject) {
                    let lines = "no single line covers it: the lines that the user has may give it together, or a part of it";
                    (
                        Code::PermissionScattered,
                        format!("is not certain: {lines}. It needs it: {purposes}"),
                    )
                } else {
                    let problem =
                        format!("the user may not {what} to it, and needs it: {purposes}");
                    let group = for_group_alone(given, &subject);
                    (
                        Code::PermissionMissing,
                        format!("is missing: {problem}{group}"),
                    )
                };
                findings.add(
                    code,
                    format!("permission `{subject}` of {}", user::thing(user)),
                    problem,
                    "write the users of the server again with `permissions`, and let the servers read them (`nats-server --signal reload`)",
                );
            }
        }
    }
    Ok(())
}

/// A subject of the API under this prefix, any other one as it is.
fn with_prefix(subject: &str, api: &str) -> String {
    let call = subject.strip_prefix(API);
    match call.filter(|call| call.starts_with('.')) {
        Some(call) => format!("{api}{call}"),
        None => subject.to_owned(),
    }
}

/// Whether all subjects of a pattern are allowed.
fn allows(side: &Allowed, pattern: &str) -> bool {
    let covered = |allowed| covers(allowed, pattern);
    (side.allow.is_empty() || plain(&side.allow).any(covered)) && !is_denied(side, pattern)
}

/// Whether some lines allow a part of a pattern, which they may give as a whole together.
fn is_scattered(side: &Allowed, pattern: &str) -> bool {
    plain(&side.allow).any(|allowed| overlaps(allowed, pattern)) && !is_denied(side, pattern)
}

fn is_denied(side: &Allowed, pattern: &str) -> bool {
    plain(&side.deny).any(|denied| overlaps(denied, pattern))
}

/// Says that a line has a part of a pattern for one queue group alone; nothing if none has.
fn for_group_alone(side: &Allowed, pattern: &str) -> String {
    let is_it = |line: &&Text| of_group(line).is_some_and(|subject| overlaps(subject, pattern));
    side.allow
        .iter()
        .find(is_it)
        .map_or_else(String::new, |line| {
            format!("; the line `{line}` is for subscriptions in that queue group alone")
        })
}

/// The lines that are no [`of_group`]: those neither give nor take what the program declares.
fn plain(lines: &[Text]) -> impl Iterator<Item = &str> {
    let lines = lines.iter().map(|line| &**line);
    lines.filter(|line| of_group(line).is_none())
}

/// The subject of a line that is for one queue group alone, `orders.> workers`: a server refuses other
/// subscriptions by it. NATS server 2.10 answers such a line without its group, as if it was for all.
fn of_group(line: &str) -> Option<&str> {
    line.split_once(' ').map(|(subject, _)| subject)
}

/// Whether the user may pull from any of the declared durables, if it may settle what they deliver: a service
/// with this user receives nothing otherwise. Users that settle nothing, as those of people, pull nothing.
pub(super) fn may_pull(
    user: &UserInfo,
    api: &str,
    durables: &[(Text, Text)],
    findings: &mut Findings,
) {
    let Some(permissions) = &user.permissions else {
        return;
    };
    let may = |subject: &str| allows(&permissions.publish, subject);
    let settles = |(stream, durable): &&(Text, Text)| may(&format!("$JS.ACK.{stream}.{durable}.>"));
    let mut settled = durables.iter().filter(settles).peekable();
    let Some((stream, durable)) = settled.peek().copied() else {
        return;
    };
    let pull =
        |stream: &Text, durable: &Text| format!("{api}.CONSUMER.MSG.NEXT.{stream}.{durable}");
    if settled.any(|(stream, durable)| may(&pull(stream, durable))) {
        return;
    }
    let example = pull(stream, durable);
    findings.add(
        Code::PermissionMissing,
        user::thing(user),
        format!(
            "may pull from none of the declared durables: it may not publish to `{example}`, so that a service with this user receives nothing"
        ),
        "give the user the permissions that docs/production.md lists for a consumer",
    );
}
