//! Exact decimal arithmetic on JSON numbers, without floats.

use std::str::FromStr;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use serde_json::Number;

/// The largest power of ten that is read, either way.
const MAX_EXPONENT: i64 = 2_000;

/// Reads a JSON number exactly as it is written. `None` if it is too large to compute with.
pub(crate) fn exact(number: &Number) -> Option<BigRational> {
    if let Some(small) = number.as_i64() {
        return Some(BigRational::from_integer(small.into()));
    }
    parse(&number.to_string())
}

/// Reads a decimal with an optional fraction and exponent.
fn parse(text: &str) -> Option<BigRational> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], i64::from_str(&text[at + 1..]).ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = BigInt::from_str(&format!("{whole}{fraction}")).ok()?;
    if digits.is_zero() {
        return Some(BigRational::zero());
    }
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    if exponent.abs() > MAX_EXPONENT || digits.bits() > 8_000 {
        return None;
    }
    let power = BigInt::from(10).pow(u32::try_from(exponent.abs()).ok()?);
    Some(if exponent < 0 {
        BigRational::new(digits, power)
    } else {
        BigRational::from_integer(digits * power)
    })
}

/// Writes a number as JSON. `None` if it is no finite decimal, or if a JSON number
/// would not hold it exactly.
pub(crate) fn to_json(value: &BigRational) -> Option<Number> {
    if value.is_integer() {
        let whole = value.to_integer();
        if let Some(small) = whole.to_i64() {
            return Some(small.into());
        }
        if let Some(small) = whole.to_u64() {
            return Some(small.into());
        }
    }
    let number = Number::from_str(&decimal(value)?).ok()?;
    (exact(&number).as_ref() == Some(value)).then_some(number)
}

/// What a float makes of a JSON number.
pub(crate) fn as_float(number: &Number) -> Option<BigRational> {
    BigRational::from_float(number.as_f64()?)
}

/// The decimal digits of a number whose denominator has no prime factors but 2 and 5.
fn decimal(value: &BigRational) -> Option<String> {
    let ten = BigInt::from(10);
    let mut scaled = value.clone();
    let mut places = 0;
    while !scaled.is_integer() {
        if places == 40 {
            return None;
        }
        scaled *= &ten;
        places += 1;
    }
    Some(format!("{}e-{places}", scaled.to_integer()))
}

/// How a person writes the number.
pub(crate) fn display(value: &BigRational) -> String {
    to_json(value).map_or_else(|| value.to_string(), |number| number.to_string())
}

/// Whether `value` is `step` times an integer.
pub(crate) fn is_multiple(value: &BigRational, step: &BigRational) -> bool {
    !step.is_zero() && (value / step).is_integer()
}

/// The smallest positive number of which both are divisors.
pub(crate) fn common_multiple(left: &BigRational, right: &BigRational) -> BigRational {
    // lcm(a/b, c/d) = lcm(a·d, c·b) / (b·d)
    let denominator = left.denom() * right.denom();
    let left = left.numer() * right.denom();
    let right = right.numer() * (&denominator / right.denom());
    BigRational::new(num_integer::lcm(left, right).abs(), denominator)
}

/// One.
pub(crate) fn one() -> BigRational {
    BigRational::one()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> BigRational {
        parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(number("0.1") + number("0.2"), number("0.3"));
        assert_eq!(number("1.0"), number("1"));
        assert_eq!(number("-1.5e3"), number("-1500"));
        assert!(is_multiple(&number("0.3"), &number("0.1")));
        assert!(parse("1e999999999").is_none());
    }

    #[test]
    fn multiples_of_both() {
        assert_eq!(
            common_multiple(&number("0.4"), &number("0.6")),
            number("1.2")
        );
        assert_eq!(common_multiple(&number("4"), &number("6")), number("12"));
    }

    #[test]
    fn what_a_float_cannot_hold_is_not_written() {
        assert_eq!(
            to_json(&number("18446744073709551615")).unwrap(),
            u64::MAX.into()
        );
        assert_eq!(to_json(&number("18446744073709551617")), None);
        assert_eq!(to_json(&number("0.25")).unwrap().to_string(), "0.25");
        assert_eq!(to_json(&(number("1") / number("3"))), None);
    }
}
