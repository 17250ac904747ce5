//! Frames from whole, split and hostile input.

use bytes::BufMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What comes of these bytes when they arrive in these portions.
fn decode<'a>(portions: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Frame>, WireFault> {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    for portion in portions {
        decoder.room().put_slice(portion);
        while let Some(frame) = decoder.next()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn one(line: &[u8]) -> Result<Vec<Frame>, WireFault> {
    decode([line])
}

fn message(frame: &Frame) -> (u64, &WireMessage) {
    match frame {
        Frame::Message(sid, message) => (*sid, message),
        other => panic!("{other:?} is no message"),
    }
}

/// Everything that a server sends, one of each.
fn session() -> Vec<u8> {
    let mut all = Vec::new();
    all.extend_from_slice(b"INFO {\"server_id\":\"x\"}\r\n");
    all.extend_from_slice(b"+OK\r\nPING\r\nPONG\r\n");
    all.extend_from_slice(b"-ERR 'Stale Connection'\r\n");
    all.extend_from_slice(b"MSG events.a 7 5\r\nhello\r\n");
    all.extend_from_slice(b"MSG events.a 7 $JS.ACK.S.c.1.2.3.4.5 0\r\n\r\n");
    all.extend_from_slice(b"HMSG events.a 8 $JS.ACK.S.c.1.2.3.4.5 20 25\r\n");
    all.extend_from_slice(b"NATS/1.0\r\nA: \xff\xfe...\r\nhello\r\n");
    all.extend_from_slice(b"HMSG _INBOX.x.1 9 12 12\r\nNATS/1.0\r\n\r\n\r\n");
    all.extend_from_slice(b"MSG ev\xff\xfe.\x01 3 2\r\n\r\n\r\n");
    all
}

#[test]
fn everything_that_a_server_sends_is_read() {
    let frames = one(&session()).unwrap();
    assert_eq!(frames.len(), 10);
    assert_eq!(
        frames[0],
        Frame::Info(Bytes::from_static(b"{\"server_id\":\"x\"}"))
    );
    assert_eq!(&frames[1..4], [Frame::Ok, Frame::Ping, Frame::Pong]);
    assert_eq!(
        frames[4],
        Frame::Error(Bytes::from_static(b"Stale Connection"))
    );
    let (sid, plain) = message(&frames[5]);
    assert_eq!(
        (sid, plain.subject(), plain.reply()),
        (7, &b"events.a"[..], None)
    );
    assert_eq!(
        (plain.header_block(), &plain.body()[..]),
        (None, &b"hello"[..])
    );
    let (_, empty) = message(&frames[6]);
    assert_eq!(empty.reply(), Some(&b"$JS.ACK.S.c.1.2.3.4.5"[..]));
    assert!(empty.body().is_empty());
    let (sid, unreadable) = message(&frames[7]);
    assert_eq!(sid, 8);
    assert_eq!(
        unreadable.header_block(),
        Some(&b"NATS/1.0\r\nA: \xff\xfe...\r\n"[..])
    );
    assert_eq!(unreadable.body(), "hello");
    let (_, status) = message(&frames[8]);
    assert_eq!(status.header_block(), Some(&b"NATS/1.0\r\n\r\n"[..]));
    let (_, odd) = message(&frames[9]);
    assert_eq!(odd.subject(), b"ev\xff\xfe.\x01");
    assert_eq!(odd.body(), "\r\n");
}

#[test]
fn input_that_is_split_at_any_byte_gives_the_same_frames() {
    let all = session();
    let whole = one(&all).unwrap();
    for at in 0..=all.len() {
        let (first, second) = all.split_at(at);
        assert_eq!(decode([first, second]).unwrap(), whole, "split at {at}");
    }
    assert_eq!(decode(all.chunks(1)).unwrap(), whole, "byte by byte");
}

#[test]
fn a_body_is_not_copied() {
    let mut decoder = Decoder::new();
    decoder.room().put_slice(b"MSG a 1 5\r\nhello\r\n");
    let start = decoder.buffer.as_ptr() as usize;
    let frame = decoder.next().unwrap().unwrap();
    let (_, message) = message(&frame);
    assert_eq!(message.body().as_ptr() as usize, start + 11);
}

#[test]
fn a_subject_with_blanks_does_not_shift_what_the_server_wrote() {
    for (line, subject, sid, reply) in [
        ("MSG a b 7 $JS.ACK.x 0\r\n\r\n", "a b", 7, Some("$JS.ACK.x")),
        ("MSG a b c 7 0\r\n\r\n", "a b c", 7, None),
        ("MSG a 7 12 0\r\n\r\n", "a", 7, Some("12")),
    ] {
        let frames = one(line.as_bytes()).unwrap();
        let (found, message) = message(&frames[0]);
        let reply = reply.map(str::as_bytes);
        assert_eq!(
            (message.subject(), found, message.reply()),
            (subject.as_bytes(), sid, reply),
            "{line}"
        );
    }
}

#[test]
fn what_no_server_sends_is_an_error() {
    use WireFault as Fault;
    for (input, fault) in [
        (&b"SUB a 1\r\n"[..], Fault::UnknownVerb),
        (b"\r\n", Fault::UnknownVerb),
        (b"msg a 1 0\r\n\r\n", Fault::UnknownVerb),
        (b"MSG a 1\r\n", Fault::Arguments),
        (b"MSG  1 0\r\n\r\n", Fault::Arguments),
        (b"MSG a x 0\r\n\r\n", Fault::Arguments),
        (b"MSG a 1 -1\r\n", Fault::Arguments),
        (b"MSG a 1 5 \r\n", Fault::Arguments),
        (b"MSG a 99999999999999999999 0\r\n\r\n", Fault::Arguments),
        (b"HMSG a 1 9 8\r\nNATS/1.0\r\n", Fault::Arguments),
        (b"MSG a 1 99999999999\r\n", Fault::TooLarge),
        (b"MSG a 1 3\r\nhello\r\n", Fault::Length),
        (b"MSG a 1 5\r\nhello!\n", Fault::Length),
    ] {
        let shown = String::from_utf8_lossy(input);
        assert_eq!(one(input), Err(fault), "{shown}");
    }
}

#[test]
fn a_line_without_an_end_is_an_error_and_not_a_growing_buffer() {
    let portion = vec![b'x'; READ];
    let mut decoder = Decoder::new();
    let mut read = 0;
    let fault = loop {
        decoder.room().put_slice(&portion);
        read += portion.len();
        match decoder.next() {
            Ok(None) => {}
            other => break other,
        }
    };
    assert_eq!(fault, Err(WireFault::EndlessLine));
    assert!(read <= LONGEST_LINE + 2 * READ, "{read}");
}

#[test]
fn an_announced_length_allocates_nothing() {
    let mut decoder = Decoder::new();
    decoder.room().put_slice(b"MSG a 1 67000000\r\nhello");
    assert_eq!(decoder.next(), Ok(None));
    let capacity = decoder.room().capacity();
    assert!(capacity <= 4 * READ, "{capacity}");
}

#[test]
fn a_large_message_that_comes_is_read() {
    let body = vec![b'x'; 3 * 1024 * 1024];
    let mut all = format!("MSG a 1 {}\r\n", body.len()).into_bytes();
    all.extend_from_slice(&body);
    all.extend_from_slice(b"\r\nPING\r\n");
    let frames = decode(all.chunks(10_000)).unwrap();
    assert_eq!(message(&frames[0]).1.body(), body);
    assert_eq!(frames[1], Frame::Ping);
}

proptest! {
    #[test]
    fn any_message_in_any_portions_is_read(
        messages in vec(("[a-z.\u{e9}\u{1}*>]{1,40}", any::<u64>(), any::<Option<u16>>(), vec(any::<u8>(), 0..60), vec(any::<u8>(), 0..200)), 1..6),
        portions in vec(1_usize..90, 1..40),
    ) {
        let mut all = Vec::new();
        for (subject, sid, reply, headers, body) in &messages {
            let reply = reply.map(|reply| format!("$JS.ACK.{reply} ")).unwrap_or_default();
            let total = headers.len() + body.len();
            let line = if headers.is_empty() {
                format!("MSG {subject} {sid} {reply}{total}\r\n")
            } else {
                format!("HMSG {subject} {sid} {reply}{} {total}\r\n", headers.len())
            };
            all.extend_from_slice(line.as_bytes());
            all.extend_from_slice(headers);
            all.extend_from_slice(body);
            all.extend_from_slice(b"\r\n");
        }
        let mut parts = Vec::new();
        let mut rest = &all[..];
        for length in portions.iter().cycle() {
            let (part, others) = rest.split_at((*length).min(rest.len()));
            parts.push(part);
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        let frames = decode(parts).unwrap();
        prop_assert_eq!(frames.len(), messages.len());
        for (frame, (subject, sid, reply, headers, body)) in frames.iter().zip(&messages) {
            let (found, read) = message(frame);
            prop_assert_eq!(found, *sid);
            prop_assert_eq!(read.subject(), subject.as_bytes());
            prop_assert_eq!(read.reply().is_some(), reply.is_some());
            prop_assert_eq!(read.header_block().unwrap_or_default(), &headers[..]);
            prop_assert_eq!(&read.body()[..], &body[..]);
        }
    }

    #[test]
    fn no_input_causes_a_panic(input in vec(prop_oneof![Just(b' '), Just(b'\n'), Just(b'\r'), b'0'..=b'9', Just(b'M'), Just(b'S'), Just(b'G'), Just(b'H'), any::<u8>()], 0..300), verb in prop_oneof![Just("MSG "), Just("HMSG "), Just("-ERR"), Just("")]) {
        let mut all = verb.as_bytes().to_vec();
        all.extend_from_slice(&input);
        let whole = one(&all);
        prop_assert_eq!(decode(all.chunks(1)), whole);
    }
}

#[test]
fn no_max_payload_makes_a_length_overflow() {
    for max_payload in [0, LARGEST_MESSAGE, usize::MAX] {
        for length in [1 << 40, usize::MAX - 64, usize::MAX] {
            for line in [
                format!("MSG a 1 {length}\r\n"),
                format!("HMSG a 1 12 {length}\r\n"),
            ] {
                let mut decoder = Decoder::new();
                decoder.learn_max_payload(max_payload);
                decoder.room().extend_from_slice(line.as_bytes());
                assert_eq!(decoder.next(), Err(WireFault::TooLarge), "{line:?}");
            }
        }
    }
}
