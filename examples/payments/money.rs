//! `Money`: an exact amount in a currency, and the decimal text that it is in JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of money, kept as a whole number of the currency's smallest units. No sum and no round trip
/// changes it.
///
/// In JSON the amount is a decimal text with exactly the places of its currency:
/// `{"amount":"1000.00","currency":"USD"}`. A JSON number would be read as a binary fraction by most
/// languages, and is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(crate) struct Money {
    minor: i64,
    currency: Currency,
}

/// A currency by its code of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Eur,
    Jpy,
    Kwd,
    Usd,
}

impl Money {
    /// An amount in the smallest units of the currency: cents, yen, fils.
    pub(crate) const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub(crate) const fn minor(self) -> i64 {
        self.minor
    }

    pub(crate) const fn currency(self) -> Currency {
        self.currency
    }

    /// A share of the amount in hundredths of a percent, at most all of it, rounded half to even to the
    /// smallest unit.
    pub(crate) const fn share(self, basis_points: u16) -> Self {
        const WHOLE: i64 = 10_000;
        let points = basis_points as i64;
        // In two parts, so that no product is larger than the amount.
        let (thousands, rest) = (self.minor.div_euclid(WHOLE), self.minor.rem_euclid(WHOLE));
        let (share, left) = (rest * points / WHOLE, rest * points % WHOLE);
        let down = thousands * points + share;
        let up = left > WHOLE / 2 || (left == WHOLE / 2 && down % 2 != 0);
        Self::from_minor(down + up as i64, self.currency)
    }

    /// The amount without a part of it in the same currency.
    pub(crate) const fn less(self, part: Self) -> Self {
        Self::from_minor(self.minor - part.minor, self.currency)
    }
}

impl Currency {
    pub(crate) const ALL: [Self; 4] = [Self::Eur, Self::Jpy, Self::Kwd, Self::Usd];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Jpy => "JPY",
            Self::Kwd => "KWD",
            Self::Usd => "USD",
        }
    }

    /// The decimal places of the smallest unit.
    const fn places(self) -> usize {
        match self {
            Self::Jpy => 0,
            Self::Eur | Self::Usd => 2,
            Self::Kwd => 3,
        }
    }
}

impl FromStr for Currency {
    type Err = InvalidMoney;

    fn from_str(code: &str) -> Result<Self, InvalidMoney> {
        let mut all = Self::ALL.into_iter();
        all.find(|currency| currency.code() == code)
            .ok_or(InvalidMoney)
    }
}

/// Money as JSON has it.
#[derive(Serialize, Deserialize)]
struct Written {
    amount: String,
    currency: Currency,
}

impl From<Money> for Written {
    fn from(money: Money) -> Self {
        Self {
            amount: decimal(money.minor, money.currency.places()),
            currency: money.currency,
        }
    }
}

impl TryFrom<Written> for Money {
    type Error = InvalidMoney;

    fn try_from(written: Written) -> Result<Self, InvalidMoney> {
        let minor = minor(&written.amount, written.currency.places())?;
        Ok(Self::from_minor(minor, written.currency))
    }
}

fn decimal(minor: i64, places: usize) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

fn minor(amount: &str, places: usize) -> Result<i64, InvalidMoney> {
    let digits = amount.strip_prefix('-').unwrap_or(amount);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(InvalidMoney),
        None => (digits, ""),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() != places || !is_number(whole) || !is_number(fraction) {
        return Err(InvalidMoney);
    }
    let sign = &amount[..amount.len() - digits.len()];
    let minor = format!("{sign}{whole}{fraction}").parse();
    minor.map_err(|_| InvalidMoney)
}

/// The text is no amount of the currency. It says nothing of the text, which may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidMoney;

impl fmt::Display for InvalidMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a decimal text with exactly the places of its currency")
    }
}

impl std::error::Error for InvalidMoney {}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = decimal(self.minor, self.currency.places());
        write!(f, "{amount} {}", self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_survive_json_exactly() {
        for currency in Currency::ALL {
            for minor in [0, 1, -1, 10, 99, 100_000, i64::MAX, i64::MIN] {
                let money = Money::from_minor(minor, currency);
                let json = serde_json::to_string(&money).unwrap();
                assert_eq!(
                    serde_json::from_str::<Money>(&json).unwrap(),
                    money,
                    "{json}"
                );
            }
        }
        let json = serde_json::to_string(&Money::from_minor(100_000, Currency::Usd)).unwrap();
        assert_eq!(json, r#"{"amount":"1000.00","currency":"USD"}"#);
    }

    #[test]
    fn other_texts_are_refused_without_being_shown() {
        for amount in [
            "1000.00",
            "\"1000\"",
            "\"1000.0\"",
            "\"1000.000\"",
            "\".00\"",
            "\"1,000.00\"",
            "\"+1.00\"",
            "\"--1.00\"",
            "\"1e3\"",
            "\"92233720368547758.08\"",
            "\"\"",
            "\"-\"",
        ] {
            let json = format!(r#"{{"amount":{amount},"currency":"USD"}}"#);
            assert!(serde_json::from_str::<Money>(&json).is_err(), "{json}");
        }
        let yen = r#"{"amount":"1000.","currency":"JPY"}"#;
        let error = serde_json::from_str::<Money>(yen).unwrap_err().to_string();
        assert!(!error.contains("1000"), "{error}");
    }

    #[test]
    fn shares_are_rounded_half_to_even() {
        let share = |minor| Money::from_minor(minor, Currency::Eur).share(35).minor();
        assert_eq!([share(0), share(142), share(143)], [0, 0, 1]);
        // 0.35 % of 10.00 is 3.5 cents, of 30.00 it is 10.5.
        assert_eq!([share(1_000), share(3_000)], [4, 10]);
        assert_eq!(
            Money::from_minor(i64::MAX, Currency::Eur)
                .share(10_000)
                .minor(),
            i64::MAX
        );
    }
}
