//! `FilePath`, `FreeText`: options whose values may be secrets in the wrong place, shown only if
//! they look like what they should be.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// The path of a file with credentials, a certificate or a key.
///
/// `Display` and `Debug` show it only if it looks like a path, since callers confuse the path
/// with the contents of the file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FilePath(PathBuf);

impl FilePath {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }

    /// What is shown instead of a text that does not look like a path.
    fn hidden(&self) -> Option<&'static str> {
        let text = self.0.to_string_lossy();
        if looks_secret(&text) || text.contains(char::is_control) || self.is_impossible() {
            Some("(not shown: this looks like the contents of a file and not like its path)")
        } else if !self.is_rooted() && !self.has_extension() {
            Some(
                "(not shown: a path without folder and extension may be a secret; write `./` before it)",
            )
        } else {
            None
        }
    }

    /// Whether no file system has such a name.
    fn is_impossible(&self) -> bool {
        let mut parts = self.0.components();
        parts.any(|part| part.as_os_str().len() > 255)
    }

    fn is_rooted(&self) -> bool {
        !matches!(
            self.0.components().next(),
            None | Some(Component::Normal(_))
        )
    }

    fn has_extension(&self) -> bool {
        let extension = self.0.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| {
            (1..=8).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hidden() {
            Some(instead) => f.write_str(instead),
            None => self.0.display().fmt(f),
        }
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hidden() {
            Some(instead) => f.write_str(instead),
            None => self.0.fmt(f),
        }
    }
}

/// A name or a prefix, which is shown in quotes unless it looks like a secret.
#[derive(Clone, Copy)]
pub(crate) struct FreeText<'a>(Option<&'a str>);

impl<'a> FreeText<'a> {
    /// A text that is never shown.
    pub(super) const UNSEEN: Self = Self(None);

    pub(crate) fn new(text: &'a str) -> Self {
        Self(Some(text).filter(|text| !looks_secret(text)))
    }
}

impl fmt::Display for FreeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => fmt::Debug::fmt(text, f),
            None => f.write_str("(not shown: this may be a secret)"),
        }
    }
}

impl fmt::Debug for FreeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text has the form of a secret: PEM, a JWT, the seed of an NKey, a URL with
/// credentials, or base64 as long as a key.
pub(super) fn looks_secret(text: &str) -> bool {
    let is_pem = text.contains("-----");
    let is_url = text
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('@'));
    let of_base64 = |c: char| !(c.is_ascii_alphanumeric() || "-_+=".contains(c));
    is_pem || is_url || text.split(of_base64).any(is_secret_word)
}

/// Whether a word without separators is a JWT's part, a seed or a key in base64.
fn is_secret_word(word: &str) -> bool {
    let of_seed = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    let bytes = || word.bytes();
    let is_mixed = bytes().any(|byte| byte.is_ascii_lowercase())
        && bytes().any(|byte| byte.is_ascii_uppercase())
        && bytes().any(|byte| byte.is_ascii_digit());
    (word.starts_with("eyJ") && word.len() >= 16)
        || (word.starts_with("MI") && is_mixed && word.len() >= 32)
        || (word.starts_with('S') && word.len() >= 24 && bytes().all(of_seed))
        || (is_mixed && word.len() >= 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown() {
        for path in [
            "/run/secrets/billing.creds",
            "/run/secrets/billing",
            "./billing",
            "../tls/key",
            "billing.creds",
            "tls/Client-2.pem",
            "/tmp/.tmpAb3dE5/me.key",
            "/k8s/..2026_11_30_10_00_00.123456789/550e8400-e29b-41d4-a716-446655440000/tls.crt",
        ] {
            assert_eq!(FilePath::new(path).to_string(), path);
        }
    }

    #[test]
    fn what_is_no_path_is_not_shown() {
        for text in [
            "hidden",
            "hidden+a/b==",
            "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n",
            "/-----BEGIN PRIVATE KEY----- hidden",
            "eyJhidden0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJhidden.x",
            "./SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY.hidden",
            "SUACSSL3UAHUDXKFSNVUZRF5UHPMW",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFhiddenAASCBKcwggSjAgEAAoIBAQ.x",
            "two\nhidden.creds",
            "nats://me:hidden@host/file.creds",
        ] {
            let path = FilePath::new(text);
            let shown = format!("{path} {path:?} {path:#?}");
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(!shown.contains("SSL3UA"), "{shown}");
        }
        for (text, reason) in [
            (
                "-----BEGIN PRIVATE KEY-----\nhidden\n",
                "looks like the contents of a file",
            ),
            ("two\nlines.creds", "looks like the contents of a file"),
            ("nats://me:hidden@host", "looks like the contents of a file"),
            ("hidden", "write `./` before it"),
        ] {
            let path = FilePath::new(text);
            for shown in [path.to_string(), format!("{path:?}")] {
                assert!(shown.contains(reason), "{text}: {shown}");
            }
        }
        let long = FilePath::new(format!("/{}", "hidden".repeat(60)));
        assert!(!long.to_string().contains("hidden"));
    }

    #[test]
    fn names_are_shown_unless_they_look_secret() {
        for name in ["billing", "_INBOX", "$JS.hub.API", "Billing 2 (Zürich)"] {
            assert_eq!(FreeText::new(name).to_string(), format!("{name:?}"));
        }
        let seed = "_INBOX.SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
        for secret in [seed, "nats://me:hidden@host", "-----BEGIN X-----"] {
            let shown = format!("{:?} {}", FreeText::new(secret), FreeText::new(secret));
            assert!(
                !shown.contains("hidden") && !shown.contains("SSL3"),
                "{shown}"
            );
        }
    }
}
