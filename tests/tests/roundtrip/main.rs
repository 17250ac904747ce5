//! Round trips of random values: each event is read as what was written, bit by bit.
//!
//! The events have fields of every type that serde and the SDK allow, and envelopes are random too.
//! `ROUNDTRIP_VALUES` sets how many values of each event go through the codec; memory gets a tenth
//! of them and a NATS server a hundredth. `cargo xtask long roundtrip` runs the whole.
//! `ROUNDTRIP_SEED` sets the seed, which a failure prints.

mod codec;
mod envelopes;
mod limits;
mod random;
mod transports;
mod values;

/// How many values of each event go through the codec.
fn values() -> u64 {
    from_environment("ROUNDTRIP_VALUES").unwrap_or(10_000)
}

/// The value `number` of a test has this seed, so that it can be made again alone.
fn seed(number: u64) -> u64 {
    from_environment("ROUNDTRIP_SEED")
        .unwrap_or(1)
        .wrapping_add(number)
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")),
    )
}
