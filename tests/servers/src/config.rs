//! Writes a server's configuration file.

use std::fmt::Write as _;
use std::path::Path;

use crate::options::Options;

/// Where one server listens and keeps its data.
pub(crate) struct Place<'a> {
    pub(crate) name: &'a str,
    pub(crate) client_port: u16,
    pub(crate) monitoring_port: u16,
    pub(crate) store: &'a Path,
}

/// The text of the file.
pub(crate) fn text(place: &Place<'_>, options: &Options) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "server_name: {}", quoted(place.name));
    let _ = writeln!(text, "listen: \"127.0.0.1:{}\"", place.client_port);
    let _ = writeln!(text, "http: \"127.0.0.1:{}\"", place.monitoring_port);
    // The server's grace period before it closes the connections in lame duck mode is 10 s.
    text.push_str("lame_duck_grace_period: \"100ms\"\n");
    if options.jetstream {
        let store = quoted(&place.store.to_string_lossy());
        let _ = writeln!(text, "jetstream {{ store_dir: {store} }}");
    }
    if let Some(bytes) = options.max_payload {
        let _ = writeln!(text, "max_payload: {bytes}");
    }
    text.push_str(&options.text);
    text
}

/// A text of the configuration's grammar, where a backslash escapes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}
