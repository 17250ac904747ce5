//! Header names on the wire to a NATS server (`Nats-Msg-Id`, `Nats-Expected-…`), and how these and
//! the headers of callers are written and parsed.

mod block;

pub(super) use self::block::{HeaderBlock, HeaderFault};

use async_nats::HeaderMap;
use async_nats::header::{
    HeaderName, NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID,
};

use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Expectations, MessageId, RollUp};

/// Over which pattern the expected last sequence of a subject counts
/// (NATS server 2.11).
const NATS_EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT: HeaderName =
    HeaderName::from_static("Nats-Expected-Last-Subject-Sequence-Subject");

/// What this transport writes, and the server beside a stored message: they say
/// something to the server and are no headers of the event.
const OURS: [&str; 21] = [
    "Nats-Msg-Id",
    "Nats-Expected-Last-Sequence",
    "Nats-Expected-Last-Subject-Sequence",
    "Nats-Expected-Last-Subject-Sequence-Subject",
    "Nats-Stream",
    "Nats-Subject",
    "Nats-Sequence",
    "Nats-Time-Stamp",
    "Nats-Num-Pending",
    "Nats-Last-Sequence",
    // Of a schedule, and of the message that it fires.
    "Nats-Expected-Stream",
    "Nats-Schedule",
    "Nats-Schedule-Next",
    "Nats-Schedule-Rollup",
    "Nats-Schedule-Source",
    "Nats-Schedule-Target",
    "Nats-Schedule-Time-Zone",
    "Nats-Schedule-TTL",
    "Nats-Scheduler",
    "Nats-Rollup",
    "Nats-TTL",
];

/// When a stored message is to be published, and to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScheduleHeaders {
    /// `@at` and a time, or the rule of a repeating schedule.
    pub(super) at: String,
    pub(super) target: String,
}

/// The schedule that a stored message is.
pub(super) fn schedule(block: &HeaderBlock<'_>) -> Option<Box<ScheduleHeaders>> {
    let at = block.get("Nats-Schedule")?.into_owned();
    let target = block.get("Nats-Schedule-Target")?.into_owned();
    Some(Box::new(ScheduleHeaders { at, target }))
}

/// The subject of the schedule that has fired a message.
pub(super) fn scheduler(block: &HeaderBlock<'_>) -> Option<String> {
    Some(block.get("Nats-Scheduler")?.into_owned())
}

/// The headers of a message that is published; `None` if there are none, which
/// costs nothing on the way.
pub(super) fn outgoing(
    headers: &Headers,
    message_id: Option<&MessageId>,
    expect: &Expectations,
) -> Option<HeaderMap> {
    if headers.is_empty() && message_id.is_none() && expect.is_empty() {
        return None;
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        map.insert(name, value);
    }
    if let Some(id) = message_id {
        map.insert(NATS_MESSAGE_ID, id.to_string());
    }
    if let Some(last) = expect.last_sequence {
        map.insert(NATS_EXPECTED_LAST_SEQUENCE, last.to_string());
    }
    if let Some(last) = expect.last_subject_sequence {
        map.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last.to_string());
    }
    if let Some((pattern, last)) = &expect.last_pattern_sequence {
        map.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last.to_string());
        map.insert(
            NATS_EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT,
            pattern.as_str(),
        );
    }
    Some(map)
}

/// The same headers, and the one that asks for a roll-up.
pub(super) fn with_roll_up(map: Option<HeaderMap>, roll_up: Option<RollUp>) -> Option<HeaderMap> {
    let Some(roll_up) = roll_up else {
        return map;
    };
    let mut map = map.unwrap_or_default();
    map.insert(RollUp::HEADER, roll_up.header_value());
    Some(map)
}

/// How many bytes headers take on the wire: `NATS/1.0`, a line for each, and an
/// empty one (NATS client protocol, `HPUB`).
pub(super) fn wire_len(map: &HeaderMap) -> usize {
    let line = |(name, values): (&HeaderName, &Vec<_>)| {
        let name: &str = name.as_ref();
        let value = |value: &async_nats::HeaderValue| name.len() + value.as_str().len() + 4;
        values.iter().map(value).sum::<usize>()
    };
    "NATS/1.0\r\n\r\n".len() + map.iter().map(line).sum::<usize>()
}

/// The headers of a message as it is on the wire, in the order of their names, without regard to case.
/// Of several of one name, the first one that is valid is kept.
///
/// A header that breaks the wire contract (longer than it may be, or with a control character) is left
/// out: the event itself can be read.
pub(super) fn read(block: &HeaderBlock<'_>) -> Headers {
    let mut all: Vec<_> = block.iter().filter(|(name, _)| !is_ours(name)).collect();
    // So that equal names stand together. Sorting is stable: the first on the wire stays the first.
    all.sort_by(|(name, _), (other, _)| without_case(name).cmp(without_case(other)));
    let mut headers = Headers::new();
    let mut last: Option<&str> = None;
    for (name, value) in all {
        if last.is_some_and(|last| name.eq_ignore_ascii_case(last)) {
            continue;
        }
        match headers.insert_new(Text::copy_of(name), value) {
            Ok(()) => last = Some(name),
            Err(error) => tracing::warn!(
                target: crate::TRACING_TARGET,
                %error,
                "a header of a received message is left out"
            ),
        }
    }
    headers
}

fn without_case(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::subject::Pattern;

    fn headers(all: &[(&'static str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in all {
            headers.insert(*name, *value).unwrap();
        }
        headers
    }

    fn value<'a>(map: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
        map.get(name).map(async_nats::HeaderValue::as_str)
    }

    /// The headers as they are written.
    fn block(map: &HeaderMap) -> String {
        let line = |(name, values): (&HeaderName, &Vec<async_nats::HeaderValue>)| {
            let name: &str = name.as_ref();
            format!("{name}: {}\r\n", values[0].as_str())
        };
        let lines: String = map.iter().map(line).collect();
        format!("NATS/1.0\r\n{lines}\r\n")
    }

    #[test]
    fn a_message_without_headers_has_none() {
        assert!(outgoing(&Headers::new(), None, &Expectations::default()).is_none());
    }

    #[test]
    fn id_and_expectations_are_headers_and_come_back_as_none() {
        let pattern = Pattern::parse("orders.*.7").unwrap();
        let mut expect = Expectations::none();
        expect.last_sequence = Some(0);
        expect.last_pattern_sequence = Some((pattern, 41));
        let id = MessageId::Text("an id".into());
        let own = headers(&[("Some", "Zürich: 東京"), ("Empty", "")]);
        let map = outgoing(&own, Some(&id), &expect).unwrap();
        assert_eq!(value(&map, "Nats-Msg-Id"), Some("an id"));
        assert_eq!(value(&map, "Nats-Expected-Last-Sequence"), Some("0"));
        let subject = "Nats-Expected-Last-Subject-Sequence";
        assert_eq!(value(&map, subject), Some("41"));
        let subject = "Nats-Expected-Last-Subject-Sequence-Subject";
        assert_eq!(value(&map, subject), Some("orders.*.7"));
        let block = block(&map);
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(
            read(&block),
            headers(&[("Empty", ""), ("Some", "Zürich: 東京")])
        );
    }

    #[test]
    fn a_roll_up_is_a_header_that_is_not_read() {
        let own = headers(&[("A", "1")]);
        let map = outgoing(&own, None, &Expectations::none());
        let map = with_roll_up(map, Some(RollUp::Stream)).unwrap();
        assert_eq!(value(&map, "Nats-Rollup"), Some("all"));
        let block = block(&map);
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(read(&block), own);
        let map = with_roll_up(None, Some(RollUp::Subject)).unwrap();
        assert_eq!(value(&map, "Nats-Rollup"), Some("sub"));
        assert!(with_roll_up(None, None).is_none());
    }

    #[test]
    fn the_length_is_that_on_the_wire() {
        let map = outgoing(
            &headers(&[("A", "é"), ("Empty", "")]),
            None,
            &Expectations::default(),
        );
        let wire = "NATS/1.0\r\nA: é\r\nEmpty: \r\n\r\n";
        assert_eq!(wire_len(&map.unwrap()), wire.len());
    }

    #[test]
    fn a_block_is_read_without_what_is_ours() {
        let block = "NATS/1.0\r\nB: two: three\r\nNats-Msg-Id: id\r\nA:\r\na: again\r\n\r\n";
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(read(&block), headers(&[("A", ""), ("B", "two: three")]));
        let none = HeaderBlock::parse(b"NATS/1.0\r\n\r\n").unwrap();
        assert_eq!(read(&none), Headers::new());
    }

    #[test]
    fn of_several_values_the_first_valid_one_on_the_wire_is_kept() {
        let block = "NATS/1.0\r\nb: 1\r\na: \u{1}\r\nC: 2\r\nB: 3\r\nA: 4\r\na: 5\r\n\r\n";
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(read(&block), headers(&[("A", "4"), ("b", "1"), ("C", "2")]));
    }

    #[test]
    fn a_message_that_a_schedule_has_fired_has_its_own_headers_only() {
        let block = "NATS/1.0\r\nTeam: shop\r\nNats-Scheduler: schedules.S.a\r\nNats-Schedule-Next: purge\r\n\r\n";
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(read(&block), headers(&[("Team", "shop")]));
        assert_eq!(scheduler(&block).as_deref(), Some("schedules.S.a"));
        assert_eq!(schedule(&block), None);
    }

    #[test]
    fn a_header_that_breaks_the_contract_is_left_out() {
        let long = "v".repeat(5000);
        let block = format!("NATS/1.0\r\nLong: {long}\r\nTab: a\tb\r\nGood: yes\r\n\r\n");
        let block = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(read(&block), headers(&[("Good", "yes")]));
    }
}
