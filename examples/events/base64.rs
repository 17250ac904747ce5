//! Bytes of an event as base64 in JSON, for `#[serde(with = "crate::events::base64")]`.
//!
//! The alphabet is that of RFC 4648, section 4, with padding. Bytes that are no UTF-8 come back as they were.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// Writes bytes as base64.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&base64::display::Base64Display::new(bytes, &STANDARD))
}

/// Reads bytes from base64.
///
/// # Errors
///
/// When it is no text, or no base64; the error has nothing of the text, which may be secret.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text);
    bytes.map_err(|_| D::Error::custom("this is no base64 with padding (RFC 4648, section 4)"))
}

#[cfg(test)]
mod tests {
    use crate::events::jobs::LogChunkReceived;

    fn log(data: impl Into<Vec<u8>>) -> LogChunkReceived {
        LogChunkReceived {
            job: "p.1".into(),
            data: data.into(),
        }
    }

    #[test]
    fn all_bytes_come_back_as_they_were() {
        // Each byte, which is no UTF-8; each remainder of three; and nothing.
        let all: Vec<_> = (0..=u8::MAX).collect();
        assert!(std::str::from_utf8(&all).is_err());
        for end in [0, 1, 2, 3, all.len() - 1, all.len()] {
            for data in [&all[..end], &all[all.len() - end..]] {
                let json = serde_json::to_string(&log(data)).unwrap();
                let read: LogChunkReceived = serde_json::from_str(&json).unwrap();
                assert_eq!(read.data, data);
            }
        }
    }

    #[test]
    fn others_read_it_as_base64_with_padding() {
        let json = serde_json::to_value(log([0xfb, 0xff, 0xfe, b'a'])).unwrap();
        assert_eq!(json["data"], "+//+YQ==");
    }

    #[test]
    fn what_is_no_base64_is_refused_and_not_repeated() {
        for text in ["sesame!", "YQ", "+__+"] {
            let json = serde_json::json!({ "job": "p.1", "data": text });
            let why = serde_json::from_value::<LogChunkReceived>(json).unwrap_err();
            let why = why.to_string();
            assert!(why.contains("RFC 4648") && !why.contains(text), "{why}");
        }
    }
}
