//! Parses status messages of a pull request (404, 408, 409, heartbeats), and what each means.

use std::str::FromStr;
use std::time::Duration;

use super::message::Message;
use crate::headers::HeaderBlock;

/// What a message without a body says of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// The request waits still.
    Waiting,
    /// The request has ended: its time is over, the server stops, another server
    /// leads the consumer now.
    Ended(Left),
    /// Nobody takes requests for the consumer.
    Nobody,
    /// The consumer was deleted, or its stream.
    Deleted,
    /// The consumer serves no more than this many messages for one request.
    AtMost(u32),
    /// The consumer keeps no request for longer than this.
    NotLonger(Duration),
    /// The consumer serves no more than this many bytes for one request.
    BytesAtMost(u64),
    /// The next message is larger than what is left of the bytes that were asked for.
    TooLarge {
        /// How many messages do not come any more.
        left: Left,
        /// How many bytes were left, if it says so.
        bytes: Option<u64>,
    },
    /// As many requests wait as the consumer takes.
    Crowded,
    /// A request of this kind will never be served, for this reason.
    Refused(String),
}

/// How many messages of an ended request do not come any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// So many.
    Of(u32),
    /// As many as were asked for: it ended before it was served.
    All,
}

// The codes of a server (NATS ADR-9, ADR-13).
const IDLE_HEARTBEAT: u16 = 100;
const NOT_FOUND: u16 = 404;
const TIMEOUT: u16 = 408;
const CONFLICT: u16 = 409;
const NO_RESPONDERS: u16 = 503;

/// How many messages are left (nats-server, `server/consumer.go`).
const PENDING_MESSAGES: &str = "Nats-Pending-Messages";

/// The same in bytes.
const PENDING_BYTES: &str = "Nats-Pending-Bytes";

impl Status {
    /// What it says; `None` if it is a message of the stream, which has a
    /// subject to be settled at, even if somebody gave it a status of his own.
    ///
    /// The texts are those of nats-server (`server/consumer.go`); it has no
    /// codes for them.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let block = message.status_block()?;
        let status = block.status()?;
        let text = block.description();
        Some(match status {
            IDLE_HEARTBEAT => Self::Waiting,
            NO_RESPONDERS => Self::Nobody,
            NOT_FOUND | TIMEOUT => Self::Ended(left(&block)),
            CONFLICT if text == "Message Size Exceeds MaxBytes" => Self::TooLarge {
                left: left(&block),
                bytes: number(&block, PENDING_BYTES),
            },
            CONFLICT => conflict(text, left(&block)),
            other => Self::Refused(format!("{other} {text}")),
        })
    }
}

fn conflict(text: &str, left: Left) -> Status {
    if let Some(most) = text.strip_prefix("Exceeded MaxRequestBatch of ") {
        if let Some(most) = most.trim().parse().ok().filter(|most| *most > 0) {
            return Status::AtMost(most);
        }
    } else if let Some(longest) = text.strip_prefix("Exceeded MaxRequestExpires of ") {
        if let Some(longest) = go_duration(longest.trim()) {
            return Status::NotLonger(longest);
        }
    } else if let Some(most) = text.strip_prefix("Exceeded MaxRequestMaxBytes of ") {
        if let Some(most) = most.trim().parse().ok().filter(|most| *most > 0) {
            return Status::BytesAtMost(most);
        }
    } else {
        match text {
            "Consumer Deleted" => return Status::Deleted,
            "Exceeded MaxWaiting" => return Status::Crowded,
            "Consumer is push based" => {}
            _ => return Status::Ended(left),
        }
    }
    Status::Refused(text.to_owned())
}

fn left(block: &HeaderBlock<'_>) -> Left {
    number(block, PENDING_MESSAGES).map_or(Left::All, Left::Of)
}

fn number<T: FromStr>(block: &HeaderBlock<'_>, header: &str) -> Option<T> {
    block.get(header)?.parse().ok()
}

/// Reads a duration as Go writes it: `1h2m3.5s`, `250ms`, `10µs`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, from_unit) = rest.split_at(end);
        let unit_end = from_unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(from_unit.len());
        let (unit, after) = from_unit.split_at(unit_end);
        let unit = match unit {
            "h" => Duration::from_secs(3600),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            "µs" | "us" => Duration::from_micros(1),
            "ns" => Duration::from_nanos(1),
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        let part = Duration::try_from_secs_f64(number * unit.as_secs_f64()).ok()?;
        sum = sum.checked_add(part)?;
        rest = after;
    }
    (!sum.is_zero()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::WireMessage;

    fn status(code: u16, text: &str, pending: Option<&str>) -> Option<Status> {
        let pending = pending.map_or_else(String::new, |pending| {
            format!("{PENDING_MESSAGES}: {pending}\r\n{PENDING_BYTES}: 512\r\n")
        });
        let block = format!("NATS/1.0 {code} {text}\r\n{pending}\r\n");
        let wire = WireMessage::of(b"_INBOX.x.1", None, block.as_bytes(), b"");
        Status::read(&Message::new(wire))
    }

    #[test]
    fn what_a_server_says_is_told_apart() {
        let ended = |left| Some(Status::Ended(left));
        for (code, text, pending, wanted) in [
            (100, "Idle Heartbeat", None, Some(Status::Waiting)),
            (408, "Request Timeout", Some("7"), ended(Left::Of(7))),
            (408, "Interest Expired", Some("0"), ended(Left::Of(0))),
            (404, "No Messages", None, ended(Left::All)),
            (409, "Leadership Change", None, ended(Left::All)),
            (409, "Server Shutdown", Some("3"), ended(Left::Of(3))),
            (
                409,
                "Message Size Exceeds MaxBytes",
                Some("2"),
                Some(Status::TooLarge {
                    left: Left::Of(2),
                    bytes: Some(512),
                }),
            ),
            (
                409,
                "Message Size Exceeds MaxBytes",
                None,
                Some(Status::TooLarge {
                    left: Left::All,
                    bytes: None,
                }),
            ),
            (
                409,
                "Exceeded MaxRequestMaxBytes of 1024",
                None,
                Some(Status::BytesAtMost(1024)),
            ),
            (409, "Something new", Some("not a number"), ended(Left::All)),
            (409, "Consumer Deleted", None, Some(Status::Deleted)),
            (409, "Exceeded MaxWaiting", None, Some(Status::Crowded)),
            (
                409,
                "Exceeded MaxRequestBatch of 5",
                None,
                Some(Status::AtMost(5)),
            ),
            (503, "", None, Some(Status::Nobody)),
        ] {
            assert_eq!(status(code, text, pending), wanted, "{code} {text}");
        }
    }

    #[test]
    fn the_longest_wait_of_a_consumer_is_read_as_go_writes_it() {
        for (text, wanted) in [
            ("30s", Duration::from_secs(30)),
            ("1m0s", Duration::from_mins(1)),
            ("1h2m3.5s", Duration::from_millis(3_723_500)),
            ("250ms", Duration::from_millis(250)),
            ("10µs", Duration::from_micros(10)),
        ] {
            let text = format!("Exceeded MaxRequestExpires of {text}");
            assert_eq!(
                status(409, &text, None),
                Some(Status::NotLonger(wanted)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_will_never_be_served_is_refused_with_the_servers_words() {
        for (code, text, shown) in [
            (409, "Consumer is push based", "Consumer is push based"),
            (
                409,
                "Exceeded MaxRequestBatch of x",
                "Exceeded MaxRequestBatch of x",
            ),
            (
                409,
                "Exceeded MaxRequestExpires of x",
                "Exceeded MaxRequestExpires of x",
            ),
            (
                409,
                "Exceeded MaxRequestExpires of 0s",
                "Exceeded MaxRequestExpires of 0s",
            ),
            (
                409,
                "Exceeded MaxRequestMaxBytes of -1",
                "Exceeded MaxRequestMaxBytes of -1",
            ),
            (400, "Bad Request - x", "400 Bad Request - x"),
            (423, "Nats-Wrong-Pin-Id", "423 Nats-Wrong-Pin-Id"),
        ] {
            assert_eq!(
                status(code, text, None),
                Some(Status::Refused(shown.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_message_of_the_stream_is_no_status() {
        let reply = &b"$JS.ACK.ORDERS.billing.1.1.1.1.0"[..];
        for block in [&b""[..], b"NATS/1.0\r\n\r\n", b"NATS/1.0 503\r\n\r\n"] {
            let wire = WireMessage::of(b"orders", Some(reply), block, b"");
            assert_eq!(Status::read(&Message::new(wire)), None);
        }
    }
}
