//! Headers: names and values, the block in which they travel, and trace contexts.

use event_sdk::TraceContext;
use event_sdk::headers::Headers;
use event_sdk::transport::nats::__fuzz::wire_headers;

pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut headers = Headers::new();
    for line in text.split('\n') {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match headers.insert(name.to_owned(), value) {
            Ok(()) => assert_eq!(headers.get(name), Some(value)),
            Err(why) => assert!(why.to_string().len() < 600, "{why}"),
        }
    }
    let all: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(all.len(), headers.len());
    trace(&headers);
    for (name, _) in all {
        headers.remove(&name);
    }
    assert!(headers.is_empty());

    if let Some(received) = wire_headers(input) {
        trace(&received);
    }
    let mut lines = text.lines();
    if let Some(parent) = lines.next() {
        let _ = TraceContext::new(parent, lines.next().map(ToOwned::to_owned));
    }
}

/// A context that is read is one that can be made.
fn trace(headers: &Headers) {
    if let Some(trace) = TraceContext::from_headers(headers) {
        let again = TraceContext::new(
            trace.traceparent(),
            trace.tracestate().map(ToOwned::to_owned),
        );
        assert!(again.is_ok(), "{trace:?}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    [
        "Name:value\nX-Other:two  spaces\nEmpty:".to_owned(),
        format!("traceparent:{parent}\ntracestate:rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        format!("{parent}\nrojo=1,a@b=2"),
        format!("NATS/1.0\r\nNats-Msg-Id: 7\r\ntraceparent: {parent}\r\nX: y\r\n\r\n"),
        "NATS/1.0 404 No Messages\r\nNats-Sequence: 1\r\n\r\n".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}
