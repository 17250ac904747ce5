//! Pull requests: decides batch size, byte limit, expiry and heartbeat, and accounts for open
//! requests.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;

use super::bind::Bound;
use super::status::{Left, Status};
use event_sdk_core::transport::{AckPolicy, ConsumerConfig};

/// How long the server keeps a request; it is made again after that.
const EXPIRES: Duration = Duration::from_secs(30);

/// The same where its end has to be waited for, by a subscription that leaves.
const EXPIRES_SOON: Duration = Duration::from_secs(2);

/// The same for a request for more than a [few](FEW) messages where the number follows what
/// comes: it cannot be taken back when the caller becomes slow or another member joins.
const EXPIRES_MANY: Duration = Duration::from_secs(2);

/// A request for so many may stay open for long.
const FEW: u32 = 8;

/// A request has a byte limit as if there were at least so many messages in the window, so that
/// one that grows stays within the limit.
const SHARES: u32 = 16;

/// How often the server says that a request waits still.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Where nothing is heard for this long, the request is lost: three heartbeats,
/// since one may come late.
pub(super) const SILENCE: Duration = Duration::from_secs(3);

/// The most messages that are asked for at once: half of what async-nats keeps
/// for one subscription (`ConnectOptions::subscription_capacity`) before it
/// drops some.
const MOST: u32 = 32_768;

/// The shortest heartbeat that a server takes is a tenth of a second.
const SHORTEST: Duration = Duration::from_millis(200);

/// What was asked for and has not been taken, and how the next request is made.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    /// How many messages were asked for and have not come.
    owed: u32,
    /// The most that one request may ask for.
    batch: u32,
    /// How many bytes may be asked for and not taken; `None`: any number. Each request
    /// says its share, by the messages it asks for.
    bytes: Option<u64>,
    /// The largest share of one message among the open requests.
    share_of_one: u64,
    /// The most bytes that the consumer allows one request to name.
    most_bytes: u64,
    /// Whether a message is too large for its share.
    large: Large,
    /// How long a request is kept.
    expires: Duration,
    /// Whether that is so short that its end can be waited for.
    ends_soon: bool,
    /// How many requests there have been.
    requests: u64,
    /// The last request as it is written, which is mostly the next one too.
    written: Option<(u32, Option<u64>, Bytes)>,
}

/// There is no room for bytes.
struct NoBytes;

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// How many messages may have been asked for and not handed out.
    pub(super) window: u32,
    /// How many have come and were not handed out.
    pub(super) held: u32,
    /// How many bytes these are.
    pub(super) held_bytes: u64,
    /// Whether the window changes, so that open requests are to be few and short.
    pub(super) adapts: bool,
}

/// The token of a request for one message that does not wait.
const PROBE: &str = "probe-1";

/// When requests end that are not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Late: the server takes back what it can no longer deliver.
    Late,
    /// So soon that a subscription that leaves can wait for it, and before the ack wait of
    /// what they bring.
    Soon,
}

/// What is done about a message that is larger than the share of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Large {
    /// There is none.
    None,
    /// The next request is for it: for one message of any size.
    Next,
    /// That was asked for, and nothing else until it and what was on its way has come.
    Asked,
}

/// One request for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// What the inbox's subject ends with where the answers come.
    pub(super) token: String,
    /// What is sent.
    pub(super) payload: Bytes,
}

impl Pull {
    /// Nothing was asked for. A consumer may limit the messages of one request and
    /// its wait.
    pub(super) fn new(
        bytes: Option<u64>,
        bound: &Bound,
        config: &ConsumerConfig,
        ends: Ends,
    ) -> Self {
        let ends_soon = ends != Ends::Late && config.ack != AckPolicy::None;
        let expires = match ends {
            _ if !ends_soon => EXPIRES,
            Ends::Late | Ends::Soon => EXPIRES_SOON
                .min(config.wait_of_attempt(1) / 2)
                .max(SHORTEST),
        };
        Self {
            owed: 0,
            batch: bound.max_batch.unwrap_or(MOST).clamp(1, MOST),
            // The servers count in Go's `int`.
            bytes: bytes.map(|bytes| bytes.min(i64::MAX.unsigned_abs())),
            share_of_one: 0,
            most_bytes: u64::MAX,
            large: Large::None,
            expires: expires.min(bound.max_expires.unwrap_or(EXPIRES)),
            ends_soon,
            requests: 0,
            written: None,
        }
    }

    /// How long it takes at the most until all requests have ended, where that can be
    /// waited for.
    pub(super) fn ends_within(&self) -> Option<Duration> {
        self.ends_soon.then_some(self.expires)
    }

    /// The next request, if it is time for one: when half of what may be asked
    /// for was taken, so that the rest comes meanwhile. Where the window changes, also three
    /// quarters of what was asked for have to have come, so that hardly more than two requests
    /// are open: the server serves open requests in turns, and other members have few.
    pub(super) fn next(&mut self, room: Room) -> Option<Request> {
        match self.large {
            Large::None => {}
            Large::Next => {
                self.large = Large::Asked;
                let payload = Self::write(1, None, self.expires);
                return Some(self.request(1, None, payload));
            }
            Large::Asked if self.owed > 0 => return None,
            Large::Asked => self.large = Large::None,
        }
        let window = room.window.min(MOST);
        let outstanding = self.owed.saturating_add(room.held);
        if outstanding > window / 2 || (room.adapts && self.owed > window / 4) {
            return None;
        }
        let batch = (window - outstanding).min(self.batch);
        if batch == 0 {
            return None;
        }
        let Ok(share) = self.share(batch, window, &room) else {
            return None;
        };
        let payload = match &self.written {
            Some((asked, bytes, payload)) if *asked == batch && *bytes == share => payload.clone(),
            _ => {
                let expires = if room.adapts && batch > FEW {
                    self.expires.min(EXPIRES_MANY)
                } else {
                    self.expires
                };
                let payload = Self::write(batch, share, expires);
                self.written = Some((batch, share, payload.clone()));
                payload
            }
        };
        Some(self.request(batch, share, payload))
    }

    fn request(&mut self, batch: u32, bytes: Option<u64>, payload: Bytes) -> Request {
        self.owed += batch;
        self.requests += 1;
        Request {
            token: format!("{}-{}-{batch}", self.requests, bytes.unwrap_or_default()),
            payload,
        }
    }

    /// How many bytes a request for this many messages may bring, so that all together
    /// bring no more than is allowed. A message that is asked for alone may have any size.
    ///
    /// A server whose messages fill this to the byte ends the request without a word
    /// (nats-server, `nextWaiting`). What is missing then is asked for again when nothing
    /// was heard for [`SILENCE`].
    ///
    /// # Errors
    ///
    /// There is no room for half of them: a request for less would not bring what is only a bit
    /// larger than other messages.
    fn share(&mut self, batch: u32, window: u32, room: &Room) -> Result<Option<u64>, NoBytes> {
        let Some(bytes) = self.bytes else {
            return Ok(None);
        };
        let shares = if room.adapts {
            window.max(SHARES)
        } else {
            window
        };
        let of_one = (bytes / u64::from(shares)).max(1);
        if self.owed == 0 {
            self.share_of_one = of_one;
        }
        let asked = self.share_of_one.saturating_mul(u64::from(self.owed));
        let open = asked.saturating_add(room.held_bytes);
        if open > bytes / 2 {
            return Err(NoBytes);
        }
        if window == 1 {
            return Ok(None);
        }
        self.share_of_one = self.share_of_one.max(of_one);
        let share = u128::from(bytes) * u128::from(batch) / u128::from(shares);
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        Ok(Some(share.min(bytes - open).min(self.most_bytes).max(1)))
    }

    /// A request that does not wait: it is answered at once if the consumer has
    /// nothing at hand, and after all that was asked for before if it has.
    pub(super) fn probe(&mut self) -> Request {
        self.owed += 1;
        Request {
            token: PROBE.to_owned(),
            payload: Bytes::from_static(br#"{"batch":1,"no_wait":true}"#),
        }
    }

    /// Whether the answer to a probe comes at this subject.
    pub(super) fn is_probe(subject: &str) -> bool {
        subject.ends_with(PROBE)
    }

    /// A message has come.
    pub(super) fn came(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    /// The server says something of a request; `subject` is where its answers
    /// come. If the request has ended: how many messages it asked for, and how many it did not
    /// bring.
    pub(super) fn hear(&mut self, status: &Status, subject: &str) -> Option<(u32, u32)> {
        match status {
            Status::Waiting => {}
            Status::Ended(Left::Of(left)) => {
                self.ended(*left);
                return Some((asked(subject)?, *left));
            }
            Status::Deleted => self.lost(),
            Status::Ended(Left::All) | Status::Nobody | Status::Crowded | Status::Refused(_) => {
                self.ended_unserved(subject);
            }
            Status::AtMost(most) => {
                self.ended_unserved(subject);
                self.limit_batch(*most);
            }
            Status::NotLonger(longest) => {
                self.ended_unserved(subject);
                self.limit_expires(*longest);
            }
            Status::BytesAtMost(most) => {
                self.ended_unserved(subject);
                self.limit_bytes(*most);
            }
            Status::TooLarge { left, bytes } => {
                match left {
                    Left::Of(left) => self.ended(*left),
                    Left::All => self.ended_unserved(subject),
                }
                // It brought nothing, and none that asks for as little ever does.
                let share = asked_bytes(subject);
                let nothing = bytes.zip(share).is_none_or(|(left, all)| left >= all);
                if nothing && self.large == Large::None {
                    self.large = Large::Next;
                }
            }
        }
        None
    }

    fn ended(&mut self, left: u32) {
        self.owed = self.owed.saturating_sub(left);
    }

    /// How much was asked for stands in the subject.
    fn ended_unserved(&mut self, subject: &str) {
        self.ended(asked(subject).unwrap_or(self.owed));
    }

    /// All requests were lost.
    pub(super) fn lost(&mut self) {
        self.owed = 0;
    }

    /// Whether something is awaited.
    pub(super) fn waits(&self) -> bool {
        self.owed > 0
    }

    fn limit_batch(&mut self, most: u32) {
        self.batch = self.batch.min(most).max(1);
    }

    fn limit_expires(&mut self, longest: Duration) {
        self.expires = self.expires.min(longest);
        self.written = None;
    }

    fn limit_bytes(&mut self, most: u64) {
        self.most_bytes = self.most_bytes.min(most);
        self.written = None;
    }

    fn write(batch: u32, bytes: Option<u64>, expires: Duration) -> Bytes {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = write!(
            text,
            r#"{{"batch":{batch},"expires":{}"#,
            expires.as_nanos()
        );
        if let Some(bytes) = bytes {
            let _ = write!(text, r#","max_bytes":{bytes}"#);
        }
        // A heartbeat is at most half as long as the request is kept. One that is
        // kept for a shorter time says soon enough that it has ended.
        let heartbeat = HEARTBEAT.min(expires / 2);
        if heartbeat * 2 >= SHORTEST {
            let _ = write!(text, r#","idle_heartbeat":{}"#, heartbeat.as_nanos());
        }
        text.push('}');
        Bytes::from(text)
    }
}

/// How many messages the request asked for whose answers come at this subject.
fn asked(subject: &str) -> Option<u32> {
    let (_, batch) = subject.rsplit_once('-')?;
    batch.parse().ok()
}

/// How many bytes it allowed, where it said so.
fn asked_bytes(subject: &str) -> Option<u64> {
    let (rest, _) = subject.rsplit_once('-')?;
    let (_, bytes) = rest.rsplit_once('-')?;
    bytes.parse().ok().filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests;
