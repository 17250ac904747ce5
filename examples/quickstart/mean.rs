//! Exact mean of whole numbers.

use std::fmt;

/// A sum and how many numbers are in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mean {
    sum: i64,
    count: u64,
}

impl Mean {
    /// Takes one more number into the mean.
    pub(crate) fn add(&mut self, number: i32) {
        self.sum += i64::from(number);
        self.count += 1;
    }

    /// Takes all numbers of another mean into this one.
    pub(crate) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The mean, or `None` of no numbers.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of minutes stays far below 2^53"
    )]
    pub(crate) fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

impl fmt::Display for Mean {
    /// With one decimal; `-` of no numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            // a mean of -0.04 is shown as 0.0
            Some(value) if (-0.05..0.0).contains(&value) => f.pad("0.0"),
            Some(value) => f.pad(&format!("{value:.1}")),
            None => f.pad("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mean;

    fn shown(numbers: &[i32]) -> String {
        let mut mean = Mean::default();
        for number in numbers {
            mean.add(*number);
        }
        mean.to_string()
    }

    #[test]
    fn is_shown_with_one_decimal() {
        assert_eq!(shown(&[]), "-");
        assert_eq!(shown(&[7]), "7.0");
        assert_eq!(shown(&[-10, 5, 4]), "-0.3");
        assert_eq!(shown(&[1, 1, 0]), "0.7");
    }

    #[test]
    fn has_no_negative_zero() {
        let mut numbers = [0; 100];
        numbers[0] = -1;
        assert_eq!(shown(&numbers), "0.0");
        numbers[0] = -6;
        assert_eq!(shown(&numbers), "-0.1");
    }
}
