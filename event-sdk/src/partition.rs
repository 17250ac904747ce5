//! `Partition`: one part of the events of a consumer; `OwnerEpoch`: the number of the ownership of one;
//! `partition_of`: the partition of a key, the same in every language.

use event_sdk_core::text::Text;

/// One of the partitions of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    /// From zero.
    pub(crate) index: u32,
    /// How many there are.
    pub(crate) of: u32,
}

impl Partition {
    /// The most partitions that a consumer can have. Each owner receives the events of all of them.
    pub(crate) const MOST: u32 = 64;

    /// Whether an event with this [partition key](crate::Message::partition_key) is one of its
    /// events.
    pub(crate) fn has(self, key: &str) -> bool {
        partition_of(key, self.of) == self.index
    }

    /// The durable of the partition with this index: `<consumer>-p<index>`.
    pub(crate) fn durable(consumer: &str, index: u32) -> Text {
        Text::from(format!("{consumer}-p{index}"))
    }

    /// The index of the partition whose durable this is, for a consumer with `of` partitions.
    pub(crate) fn index_of(durable: &str, consumer: &str, of: u32) -> Option<u32> {
        let index = durable.strip_prefix(consumer)?.strip_prefix("-p")?;
        let index = index.parse().ok().filter(|index| *index < of)?;
        (Self::durable(consumer, index) == *durable).then_some(index)
    }
}

/// The ownership under which a consumer handles an event: of the whole consumer, or of one
/// partition.
///
/// A store remembers the highest number, and refuses the effects of an owner with a lower number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OwnerEpoch {
    /// The partition; zero if the consumer has no partitions.
    pub partition: u32,
    /// The number of the ownership. It is higher than the numbers of all earlier owners of the
    /// partition, as long as the coordination bucket is the same.
    pub number: u64,
}

impl OwnerEpoch {
    /// The ownership with this number.
    #[must_use]
    pub const fn new(partition: u32, number: u64) -> Self {
        Self { partition, number }
    }
}

/// The partition of a key among `partitions`, from zero: the 32-bit FNV-1a hash of the key's
/// UTF-8 bytes, modulo their number.
///
/// That is also what the NATS server computes for `{{partition(n,i)}}` in a subject transform, for
/// a key whose subject token is the key itself (see `docs/ordering.md`). Zero partitions count as
/// one.
pub(crate) fn partition_of(key: &str, partitions: u32) -> u32 {
    fnv1a_32(key.as_bytes()) % partitions.max(1)
}

/// 32-bit FNV-1a (RFC 9923).
fn fnv1a_32(bytes: &[u8]) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_tells_its_partition() {
        let durable = Partition::durable("billing", 3);
        assert_eq!(durable, "billing-p3");
        assert_eq!(Partition::index_of("billing-p3", "billing", 4), Some(3));
        for (name, of) in [
            ("billing-p3", 3),
            ("billing-p03", 4),
            ("billing-p+3", 4),
            ("billing", 4),
            ("billing-p", 4),
            ("audit-p3", 4),
        ] {
            assert_eq!(Partition::index_of(name, "billing", of), None, "{name}");
        }
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The vectors of the RFC.
        for (text, hash) in [
            ("", 0x811c_9dc5),
            ("a", 0xe40c_292c),
            ("foobar", 0xbf9c_f968),
        ] {
            assert_eq!(fnv1a_32(text.as_bytes()), hash, "{text}");
        }
    }

    /// The vectors for other languages, in `docs/ordering.md`.
    #[test]
    fn the_page_has_the_same_partitions() {
        let page = include_str!("../../docs/ordering.md");
        let rows = page
            .lines()
            .skip_while(|line| !line.starts_with("| key | hash"));
        let mut found = 0;
        for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = row
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect();
            let [_, key, hash, of_8, of_10, of_64, _] = cells[..] else {
                panic!("{row}");
            };
            assert_eq!(format!("{:08x}", fnv1a_32(key.as_bytes())), hash, "{key}");
            for (partitions, expected) in [(8, of_8), (10, of_10), (64, of_64)] {
                assert_eq!(partition_of(key, partitions).to_string(), expected, "{key}");
            }
            found += 1;
        }
        assert_eq!(found, 5);
    }

    #[test]
    fn keys_spread_over_the_partitions() {
        for partitions in [1, 2, 3, 8, 10, 64] {
            let mut counts = vec![0_u32; partitions as usize];
            for key in 0..10_000 {
                let key = format!("order-{key}");
                counts[partition_of(&key, partitions) as usize] += 1;
            }
            let fair = 10_000 / partitions;
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(
                *least * 10 >= fair * 6 && *most * 10 <= fair * 14,
                "{counts:?}"
            );
        }
        assert_eq!(partition_of("x", 0), 0);
    }
}
