//! What a NATS server says on the connection for deliveries: messages, statuses, errors.

use event_sdk::transport::nats::__fuzz::frames;

/// The same comes of it in whichever portions it arrives.
pub(super) fn run(input: &[u8]) {
    let whole = frames(input, input.len());
    for portion in [1, 7] {
        assert_eq!(frames(input, portion), whole, "in portions of {portion}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let info = b"INFO {\"server_id\":\"x\",\"max_payload\":1048576}\r\n";
    let message = b"MSG events.a 7 $JS.ACK.S.c.1.2.3.4.5 5\r\nhello\r\nPING\r\n";
    let headers = b"HMSG events.a 8 22 27\r\nNATS/1.0\r\nA: x\r\nB: \r\nhello\r\n";
    let status = b"HMSG _INBOX.x.1 9 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n";
    let error = b"-ERR 'Permissions Violation for Subscription to \"a\"'\r\n+OK\r\nPONG\r\n";
    [&info[..], message, headers, status, error]
        .map(<[u8]>::to_vec)
        .into()
}
