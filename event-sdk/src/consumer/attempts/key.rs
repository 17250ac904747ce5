//! The key of an attempt record in the coordination bucket.

use event_sdk_core::subject::grammar::escape_key;

/// `attempts.<consumer>.<stream>.<sequence>`, so that the records of a consumer can be listed. Names
/// are escaped as keys of events are.
pub(super) fn of(consumer: &str, stream: &str, sequence: u64) -> String {
    format!("attempts.{}.{}.{sequence}", token(consumer), token(stream))
}

/// A name as one token. One that is too long is replaced by its hash; should two hashes be equal,
/// the time in the record tells their events apart.
fn token(name: &str) -> String {
    escape_key(&name).unwrap_or_else(|_| format!("hash_{:016x}", fnv1a(name.as_bytes())))
}

/// FNV-1a: the same in all processes and versions.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn keys_are_readable_and_distinct() {
        assert_eq!(of("billing", "ORDERS", 7), "attempts.billing.ORDERS.7");
        assert_eq!(of("a.b", "ä", 1), "attempts.a=2Eb.=C3=A4.1");
        assert_ne!(of("a", "b.c", 1), of("a.b", "c", 1));
        let long = "ä".repeat(200);
        let key = of(&long, &long, u64::MAX);
        assert!(
            key.len() < 640 && key.starts_with("attempts.hash_"),
            "{key}"
        );
        assert_ne!(of(&long, "A", 1), of(&"ö".repeat(200), "A", 1));
    }
}
