//! Writes the server's configuration file.

use std::fmt::Write as _;
use std::path::Path;

use crate::options::Options;

/// Where a server listens and keeps its data.
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
        jetstream(&mut text, place.store, options);
    }
    text.push_str(&options.text);
    text
}

/// Limits of our own: the server's depend on the machine, down to nothing on a full disk.
fn jetstream(text: &mut String, store: &Path, options: &Options) {
    let _ = writeln!(text, "jetstream {{");
    let _ = writeln!(text, "  store_dir: {}", quoted(&store.to_string_lossy()));
    let _ = writeln!(text, "  max_memory_store: {}", 1_u64 << 30);
    let _ = writeln!(text, "  max_file_store: {}", options.max_file_store);
    if let Some(domain) = &options.domain {
        let _ = writeln!(text, "  domain: {}", quoted(domain));
    }
    text.push_str("}\n");
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
