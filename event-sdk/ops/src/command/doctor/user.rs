//! The user of the connection: whether the server names it, permissions that are too large, and the clock of
//! the server that answers.

use event_sdk::text::Text;
use event_sdk::transport::{Allowed, ErrorKind, Outcome, UserInfo};
use event_sdk::{Error, EventBus};

use super::clock;
use super::code::Code;
use super::finding::Findings;

/// Checks what the server says about the user; `None` if it says nothing.
pub(super) async fn check(bus: &EventBus, findings: &mut Findings) -> Option<UserInfo> {
    let own = bus.clock();
    let (asked, begun) = (own.now(), own.monotonic());
    let user = match bus.transport().user().await {
        Ok(Some(user)) => user,
        Ok(None) if bus.transport().name() == "memory" => return None,
        Ok(None) => {
            let remedy =
                "let the server answer it: NATS server 2.9 and newer does, with a system account";
            return unknown("the server does not know the request", remedy, findings);
        }
        Err(error) => return unknown(&crate::error::chain(&error), remedy_of(&error), findings),
    };
    if let Some(server) = user.server_time {
        let took = own.monotonic().saturating_sub(begun);
        clock::compare("server", server, asked, took, findings);
    }
    let thing = thing(&user);
    let remedy = "give each service a user that may only use the subjects of its topology; docs/production.md lists them";
    let Some(permissions) = &user.permissions else {
        findings.add(
            Code::PermissionTooLarge,
            thing,
            "has no permissions set, and may publish and receive everything in its account",
            remedy,
        );
        return Some(user);
    };
    let sides = [
        ("publish", &permissions.publish),
        ("receive", &permissions.subscribe),
    ];
    let wide = sides.into_iter().filter(|(_, side)| is_everything(side));
    let wide: Vec<_> = wide.map(|(name, _)| name).collect();
    if !wide.is_empty() {
        let problem = format!("may {} everything (`>`) in its account", wide.join(" and "));
        findings.add(Code::PermissionTooLarge, thing, problem, remedy);
    }
    Some(user)
}

/// A user that may not ask who it is may not do everything, but is not compared with anything.
fn unknown(why: &str, remedy: &str, findings: &mut Findings) -> Option<UserInfo> {
    findings.add(
        Code::UserUnknown,
        "user",
        format!(
            "is not known: {why}; so its permissions, its account and the clock of the server are not checked"
        ),
        remedy,
    );
    None
}

/// What lets the server answer the request about the user.
fn remedy_of(error: &Error) -> &'static str {
    match (error.kind(), error.outcome()) {
        // The server has refused the request itself.
        (ErrorKind::PermissionDenied, Outcome::NotDone) => {
            "add the line `$SYS.REQ.USER.INFO` to what the user may publish, where a server answers each user about itself; `Service::diagnosable` adds it to the generated user of a service"
        }
        (ErrorKind::PermissionDenied, _) => {
            "let the user subscribe to its inboxes, or set `nats.inbox_prefix` to those that it may use"
        }
        _ => {
            "run `doctor` again; look at the load and the log of the server if it does not answer again"
        }
    }
}

/// Whether the user may use every subject. To receive everything of one's account is dangerous, and
/// so is to publish everything.
fn is_everything(side: &Allowed) -> bool {
    // In a queue group too: `> workers`.
    let is_all = |line: &Text| line.split(' ').next() == Some(">");
    let all = side.allow.is_empty() || side.allow.iter().any(is_all);
    all && side.deny.is_empty()
}

/// How findings call the user.
pub(super) fn thing(user: &UserInfo) -> String {
    match &user.name {
        Some(name) => format!("user {name}"),
        None => "user without a name".to_owned(),
    }
}
