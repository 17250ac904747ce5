//! `ServerInfo`: the fields of a server's `INFO` that this connection needs.

use serde::Deserialize;

/// What a server says of itself. A field of another type makes the whole unreadable; a missing
/// one has the value that an old server means by that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ServerInfo {
    #[serde(default)]
    pub(super) server_name: String,
    /// What a client signs.
    #[serde(default)]
    pub(super) nonce: String,
    #[serde(default)]
    pub(super) max_payload: usize,
    #[serde(default)]
    pub(super) tls_required: bool,
    /// Other servers of the cluster, as `host:port`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) connect_urls: Vec<String>,
    /// Lame duck mode: the server will stop, and wants its clients to move.
    #[serde(default)]
    pub(super) ldm: bool,
}

impl ServerInfo {
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        // Otherwise a list without fields is taken for it.
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json)?;
        serde_json::from_value(fields.into())
    }
}

/// Go writes an empty list as `null`.
fn null_as_default<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_read_and_the_rest_ignored() {
        let json = br#"{"server_id":"x","server_name":"one","nonce":"abc","max_payload":1048576,"proto":1,"connect_urls":["10.0.0.1:4222"],"ldm":true}"#;
        let info = ServerInfo::parse(json).unwrap();
        assert_eq!(info.server_name, "one");
        assert_eq!(info.connect_urls, ["10.0.0.1:4222"]);
        assert!(info.ldm);
        assert!(!info.tls_required);
        assert_eq!(
            ServerInfo::parse(br#"{"connect_urls":null}"#).unwrap(),
            ServerInfo::default()
        );
    }

    #[test]
    fn what_is_no_info_is_refused() {
        for json in [
            &b""[..],
            b"null",
            b"[]",
            b"{\"max_payload\":-1}",
            b"{\"max_payload\":\"x\"}",
            b"{\"connect_urls\":[1]}",
            b"{\"server_name\":\"\xff\"}",
        ] {
            let shown = String::from_utf8_lossy(json);
            assert!(ServerInfo::parse(json).is_err(), "{shown}");
        }
    }
}
