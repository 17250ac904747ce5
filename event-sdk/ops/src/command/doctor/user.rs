//! The user of the connection: permissions that are missing or too large, its account, and the clock of
//! the server that answers.

use event_sdk::EventBus;
use event_sdk::text::Text;
use event_sdk::transport::{Allowed, UserInfo};
use event_sdk_subject::matches;

use super::clock;
use super::code::Code;
use super::finding::Findings;

/// Checks what the server says about the user; `None` if it says nothing.
pub(super) async fn check(bus: &EventBus, findings: &mut Findings) -> Option<UserInfo> {
    let own = bus.clock();
    let (asked, begun) = (own.now(), own.monotonic());
    // A user that may not ask who it is may not do everything.
    let user = bus.transport().user().await.ok().flatten()?;
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

/// Whether the user may use every subject. To receive everything of one's account is dangerous, and
/// so is to publish everything.
fn is_everything(side: &Allowed) -> bool {
    let all = side.allow.is_empty() || side.allow.iter().any(|pattern| pattern.as_str() == ">");
    all && side.deny.is_empty()
}

/// Whether the user may pull from any of the declared durables: a service with this user receives
/// nothing otherwise.
pub(super) fn may_pull(user: &UserInfo, durables: &[(Text, Text)], findings: &mut Findings) {
    let (Some((stream, durable)), Some(permissions)) = (durables.first(), &user.permissions) else {
        return;
    };
    let pull =
        |stream: &Text, durable: &Text| format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}");
    if durables
        .iter()
        .any(|(stream, durable)| may(&permissions.publish, &pull(stream, durable)))
    {
        return;
    }
    let example = pull(stream, durable);
    findings.add(
        Code::PermissionMissing,
        thing(user),
        format!(
            "may pull from none of the declared durables: it may not publish to `{example}`, so that a service with this user receives nothing"
        ),
        "give the user the permissions that docs/production.md lists for a consumer",
    );
}

fn may(side: &Allowed, subject: &str) -> bool {
    let has = |patterns: &[Text]| patterns.iter().any(|pattern| matches(pattern, subject));
    (side.allow.is_empty() || has(&side.allow)) && !has(&side.deny)
}

fn thing(user: &UserInfo) -> String {
    match &user.name {
        Some(name) => format!("user {name}"),
        None => "user without a name".to_owned(),
    }
}
