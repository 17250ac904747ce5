//! Asks the server who the connection is for it, and what it may do.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::server::Version;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Allowed, Completion, Error, ErrorKind, Operation, Permissions, UserInfo,
};

/// Where a server answers each user about itself (NATS server 2.9).
const SUBJECT: &str = "$SYS.REQ.USER.INFO";

/// How often it is asked while other servers answer first: the hub of a leaf node answers too, about the connection
/// of the leaf node. The server that has the connection is nearer, and rarely late.
const TRIES: usize = 20;

/// Asks for the user of the connection; `None` if the server does not know the request.
pub(crate) fn user(context: Arc<NatsContext>) -> Completion<Result<Option<UserInfo>, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        let about = ErrorContext::new(Operation::Read);
        context.check_open(about.operation)?;
        for _ in 0..TRIES {
            let reply = context
                .ask(&about, SUBJECT.to_owned(), Bytes::new())
                .await?;
            if reply.is_no_responders() {
                return Ok(None);
            }
            let answer: Answer = serde_json::from_slice(&reply.payload).map_err(|error| {
                let reason = format!("the server's answer to {SUBJECT} cannot be read");
                about.error(ErrorKind::Other, reason).with_source(error)
            })?;
            let by = answer.server.id.as_deref();
            if by.is_some_and(|by| by != context.server_id()) {
                continue;
            }
            let mut user = answer.data.map(|data| data.read(answer.server));
            if let Some(user) = &mut user
                && may_name_token(context.server().version)
            {
                user.name = None;
            }
            return Ok(user);
        }
        let reason = format!(
            "other servers answer {SUBJECT} before the one of the connection, about connections of their own; ask again"
        );
        Err(about.error(ErrorKind::Other, reason))
    })
}

/// Whether a server of this version answers a login token as the name of its user (NATS server before
/// 2.10.29, and 2.11 before 2.11.6). Its answer does not tell a token from a name.
fn may_name_token(version: Version) -> bool {
    let Version {
        major,
        minor,
        patch,
    } = version;
    match (major, minor) {
        (2, 11) => patch < 6,
        (2, 10) => patch < 29,
        _ => version < Version::OLDEST,
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    server: Server,
    data: Option<Data>,
}

#[derive(Debug, Default, Deserialize)]
struct Server {
    id: Option<String>,
    #[serde(default)]
    cluster: String,
    time: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default)]
    user: String,
    #[serde(default)]
    account: String,
    permissions: Option<Both>,
}

#[derive(Debug, Deserialize)]
struct Both {
    publish: Option<Side>,
    subscribe: Option<Side>,
}

#[derive(Debug, Default, Deserialize)]
struct Side {
    allow: Option<Vec<String>>,
    deny: Option<Vec<String>>,
}

impl Data {
    fn read(self, server: Server) -> UserInfo {
        let known = |text: String| (!text.is_empty()).then(|| Text::from(text));
        let mut user = UserInfo::default();
        user.name = known(self.user);
        user.account = known(self.account);
        user.cluster = known(server.cluster);
        user.server_time = server.time;
        user.permissions = self.permissions.map(|both| {
            let mut permissions = Permissions::default();
            permissions.publish = both.publish.unwrap_or_default().read();
            permissions.subscribe = both.subscribe.unwrap_or_default().read();
            permissions
        });
        user
    }
}

impl Side {
    fn read(self) -> Allowed {
        let texts = |list: Option<Vec<String>>| {
            let list = list.unwrap_or_default().into_iter();
            list.map(Text::from).collect()
        };
        let mut allowed = Allowed::default();
        allowed.allow = texts(self.allow);
        allowed.deny = texts(self.deny);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_may_be_a_token_is_left_out() {
        for (version, expected) in [
            ("2.10.25", true),
            ("2.10.28", true),
            ("2.10.29", false),
            ("2.11.0", true),
            ("2.11.5", true),
            ("2.11.6", false),
            ("2.12.0", false),
            ("2.15.1", false),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(may_name_token(version), expected, "{version}");
        }
    }
}
