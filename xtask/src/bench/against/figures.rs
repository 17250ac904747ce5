//! Parses the figures that a benchmark printed.

/// A row's name, and the first of its figures, which is the one of this SDK: a time or a number,
/// of which less is better.
pub(super) type Figure = (String, f64);

/// The rows of all Markdown tables in `text`. A row without a figure, such as a title or a rule, is
/// passed over, as are lines outside of tables.
pub(super) fn read(text: &str) -> Vec<Figure> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Figure> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?;
    let figure = cells.find_map(figure)?;
    Some((name.to_owned(), figure))
}

/// Digits with or without a fraction, and nothing that `f64` would read beside that.
fn figure(cell: &str) -> Option<f64> {
    let plain = cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| cell.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_figure_of_each_row_is_read() {
        let text = "\
nats-server 2.15.1

| what | ours, ns an event | baseline, ns an event | ratio | goal |
|---|---:|---:|---:|---|
| encode / serde_json by hand | 974 | 1644 | 0.59 | time ≤ 0.70 |
| JSON, published | 12.50 | 3.00 | 600 |
| inf | NaN | 1e3 | -1 |
in use: 12 KiB after 20000
";
        assert_eq!(
            read(text),
            [
                ("encode / serde_json by hand".to_owned(), 974.0),
                ("JSON, published".to_owned(), 12.5),
            ]
        );
    }

    #[test]
    fn without_tables_there_is_nothing() {
        assert_eq!(read("12 | 13\nall well\n"), []);
    }
}
