//! Writes the lines of a server's configuration about its cluster, TLS and users.

use std::fmt::Write as _;
use std::path::Path;

use crate::options::Options;
use crate::tls::{Identity, Tls};

/// A server's part in a cluster.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) port: u16,
    /// The ports of all members, its own included: a server leaves out the route to itself.
    pub(crate) ports: &'a [u16],
}

/// The lines of the file beyond those that every server has.
pub(crate) fn text(
    options: &Options,
    member: Option<Member<'_>>,
    tls: Option<(&Tls, &Identity)>,
) -> String {
    let mut text = String::new();
    if let Some(member) = member {
        cluster(&mut text, member);
    }
    if let Some((tls, identity)) = tls {
        write_tls(&mut text, tls, identity);
    }
    if let Some(bytes) = options.max_payload {
        let _ = writeln!(text, "max_payload: {bytes}");
    }
    text.push_str(&options.auth.config());
    text.push_str(&options.text);
    text
}

fn cluster(text: &mut String, member: Member<'_>) {
    let _ = writeln!(text, "cluster {{");
    let _ = writeln!(text, "  name: {}", quoted(member.cluster));
    let _ = writeln!(text, "  listen: \"127.0.0.1:{}\"", member.port);
    text.push_str("  routes: [\n");
    for port in member.ports {
        let _ = writeln!(text, "    \"nats://127.0.0.1:{port}\"");
    }
    text.push_str("  ]\n}\n");
}

fn write_tls(text: &mut String, tls: &Tls, identity: &Identity) {
    let _ = writeln!(text, "tls {{");
    let _ = writeln!(text, "  cert_file: {}", path(identity.certificate()));
    let _ = writeln!(text, "  key_file: {}", path(identity.key()));
    let _ = writeln!(text, "  ca_file: {}", path(tls.authority.certificate()));
    let _ = writeln!(text, "  verify: {}", tls.client_certificate);
    if tls.handshake_first {
        text.push_str("  handshake_first: true\n");
    }
    // The server's own 2 s can be too short for a handshake on a loaded machine.
    text.push_str("  timeout: 10\n}\n");
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A text of the configuration's grammar, where a backslash escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_text_is_escaped() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
