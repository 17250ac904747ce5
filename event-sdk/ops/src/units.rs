//! Sizes, durations and times as people read them. Programs get plain numbers.

use std::time::Duration;

use jiff::Timestamp;

/// Bytes in the largest binary unit of which there is one: `1.5 MiB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "one digit behind the point is shown"
)]
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 1_023.95 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// The two largest units of a duration: `3d 4h`, `5m 10s`, `250ms`.
pub(crate) fn duration(duration: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let seconds = duration.as_secs();
    if seconds == 0 {
        return match duration.as_millis() {
            0 => "0s".to_owned(),
            millis => format!("{millis}ms"),
        };
    }
    let first = UNITS.iter().position(|(_, unit)| seconds >= *unit);
    let first = first.unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[first];
    let whole = seconds / unit;
    let rest = UNITS.get(first + 1);
    let rest = rest.map(|(next, smaller)| (next, seconds % unit / smaller));
    match rest {
        Some((next, rest)) if rest > 0 => format!("{whole}{name} {rest}{next}"),
        _ => format!("{whole}{name}"),
    }
}

/// A time as RFC 3339, in UTC, to the second.
pub(crate) fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// How long ago a time was; zero for a time to come, since clocks differ.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}

/// A number with its noun: `1 message`, `2 messages`.
pub(crate) fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// Reads a duration as people write it: `90s`, `15m`, `2h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write a number and s, m, h or d, as in 15m");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

/// Reads a time: RFC 3339, or a duration before now.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let back = parse_duration(text).map_err(|_| {
        format!(
            "`{text}` is no time; write one as in 2026-05-01T08:00:00Z, or how long ago, as in 15m"
        )
    })?;
    Timestamp::now()
        .checked_sub(back)
        .map_err(|_| format!("`{text}` ago is before all times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (1_048_575, "1.0 MiB"),
            (10 << 30, "10.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (59_999, "59s"),
            (310_000, "5m 10s"),
            (3_600_000, "1h"),
            (90_000_000, "1d 1h"),
            (86_460_000, "1d"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn durations_and_times_are_read() {
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        for wrong in ["", "15", "m", "1.5h", "-1s", "9999999999999999999d", "5ü"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        let time = parse_time("2026-05-01T08:00:00Z").unwrap();
        assert_eq!(super::time(time), "2026-05-01T08:00:00Z");
        let ago = age(Timestamp::now(), parse_time("1h").unwrap());
        assert!(ago.as_secs().abs_diff(3_600) < 60, "{ago:?}");
        assert!(parse_time("yesterday").unwrap_err().contains("15m"));
    }
}
