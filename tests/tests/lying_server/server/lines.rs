//! Reads what a client sends: verbs, subjects, headers and bodies.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// A line of a client, with the payload that follows it.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) verb: String,
    pub(super) subject: String,
    pub(super) sid: String,
    pub(super) reply: String,
    /// After how many messages a subscription ends.
    pub(super) max: Option<u64>,
    pub(super) headers: Option<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// The next line; `None` when the connection has ended.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Line> {
    let mut text = String::new();
    if from.read_line(&mut text).await.ok()? == 0 {
        return None;
    }
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let mut line = Line {
        verb: words.first().copied().unwrap_or_default().to_owned(),
        ..Line::default()
    };
    match *words.as_slice() {
        ["CONNECT", ..] => line.body = text.into_bytes(),
        ["SUB", subject, .., sid] => {
            line.subject = subject.to_owned();
            line.sid = sid.to_owned();
        }
        ["UNSUB", sid] => line.sid = sid.to_owned(),
        ["UNSUB", sid, max] => {
            line.sid = sid.to_owned();
            line.max = max.parse().ok();
        }
        ["PUB", subject, ref reply @ .., size] => {
            line.subject = subject.to_owned();
            line.reply = reply.concat();
            line.body = payload(from, size.parse().ok()?).await?;
        }
        ["HPUB", subject, ref reply @ .., block, size] => {
            line.subject = subject.to_owned();
            line.reply = reply.concat();
            let mut all = payload(from, size.parse().ok()?).await?;
            line.body = all.split_off(block.parse::<usize>().ok()?.min(all.len()));
            line.headers = Some(all);
        }
        _ => {}
    }
    Some(line)
}

async fn payload(from: &mut (impl AsyncBufRead + Unpin), size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size + 2];
    from.read_exact(&mut bytes).await.ok()?;
    bytes.truncate(size);
    Some(bytes)
}
