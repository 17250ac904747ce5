//! Shows which fields of two values differ, by the lines of their `Debug`.

use std::fmt::{Debug, Write as _};

/// The lines of both values: `-` expected, `+` found. Personal data is shown as its `Debug` does,
/// so values that differ in nothing else are said to.
pub(super) fn of(expected: &impl Debug, found: &impl Debug) -> String {
    let [expected, found] = [format!("{expected:#?}"), format!("{found:#?}")];
    if expected == found {
        return "     (they differ in nothing that `Debug` shows, such as personal data)"
            .to_owned();
    }
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let mut out = String::new();
    for (mark, line) in aligned(&expected, &found) {
        // Writing into memory has no way to fail.
        let _ = writeln!(out, "     {mark} {line}");
    }
    out.truncate(out.trim_end().len());
    out
}

/// One value, in the same place.
pub(super) fn indented(value: &impl Debug) -> String {
    let text = format!("{value:#?}");
    let lines: Vec<_> = text.lines().map(|line| format!("     - {line}")).collect();
    lines.join("\n")
}

/// The lines that both have in the same order (a longest common subsequence), and the others of
/// each between them.
fn aligned<'a>(expected: &[&'a str], found: &[&'a str]) -> Vec<(char, &'a str)> {
    let (rows, columns) = (expected.len(), found.len());
    // How many lines the ends from here on have in common.
    let mut common = vec![vec![0_usize; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if expected[row] == found[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::new();
    while row < rows || column < columns {
        if row < rows && column < columns && expected[row] == found[column] {
            lines.push((' ', expected[row]));
            row += 1;
            column += 1;
        } else if row < rows
            && (column == columns || common[row + 1][column] >= common[row][column + 1])
        {
            lines.push(('-', expected[row]));
            row += 1;
        } else {
            lines.push(('+', found[column]));
            column += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use event_sdk::Pii;

    use super::*;

    #[derive(Debug)]
    struct Order {
        #[expect(dead_code, reason = "read by Debug")]
        id: u64,
        #[expect(dead_code, reason = "read by Debug")]
        name: Pii<&'static str>,
        #[expect(dead_code, reason = "read by Debug")]
        items: Vec<u8>,
    }

    #[test]
    fn fields_that_differ_are_marked_and_the_others_stay() {
        let order = |id, items: &[u8]| Order {
            id,
            name: Pii::new("Ada"),
            items: items.to_vec(),
        };
        assert_eq!(
            of(&order(7, &[1]), &order(8, &[1, 2])),
            "       Order {
     -     id: 7,
     +     id: 8,
           name: [personal data],
           items: [
               1,
     +         2,
           ],
       }"
        );
        let hidden = Order {
            id: 7,
            name: Pii::new("Bob"),
            items: vec![1],
        };
        let text = of(&order(7, &[1]), &hidden);
        assert!(
            text.contains("such as personal data") && !text.contains("Bob"),
            "{text}"
        );
    }
}
