//! Reads Markdown as far as checks need it: links, anchors of headings, rows of tables.

use std::collections::{BTreeMap, BTreeSet};

/// The targets of all links outside of code, each with its line: those of `[text](target)` and of
/// `[label]: target`.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let prose = without_spans(&without_fences(text));
    let mut links = Vec::new();
    for (index, line) in prose.lines().enumerate() {
        let inline = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        let defined = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
            .map(|(_, target)| target);
        let targets = inline.map(|(target, _)| target).chain(defined);
        let without_titles = targets.filter_map(|target| target.split_whitespace().next());
        links.extend(without_titles.map(|target| (index + 1, target.to_owned())));
    }
    links
}

/// A definition of a link: `[label]: target`.
pub(super) struct Definition {
    pub(super) line: usize,
    pub(super) label: String,
    /// In which labels are compared: without regard to case.
    pub(super) folded: String,
    /// Whether the text has `[label]` elsewhere.
    pub(super) is_used: bool,
}

/// The definitions of links outside of code.
pub(super) fn definitions(text: &str) -> Vec<Definition> {
    let text = without_fences(text);
    let mut prose = String::with_capacity(text.len());
    for line in text.lines() {
        prose.push_str(if label_of(line).is_none() { line } else { "" });
        prose.push('\n');
    }
    let without_code = folded(&without_spans(&prose));
    let prose = folded(&prose);
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let label = label_of(line)?;
        let folded = folded(label);
        // A label may have code itself; any other in code is no link.
        let place = if label.contains('`') {
            &prose
        } else {
            &without_code
        };
        Some(Definition {
            line: index + 1,
            label: label.to_owned(),
            is_used: place.contains(&format!("[{folded}]")),
            folded,
        })
    });
    found.collect()
}

/// The label, if the line defines a link. Words behind the target make it prose, except a title.
fn label_of(line: &str) -> Option<&str> {
    let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
    let title = target.trim().split_once(' ').map_or("", |(_, title)| title);
    (title.is_empty() || title.trim_start().starts_with(['"', '\'', '('])).then_some(label)
}

/// The text in lower case, with one space for all white space between two words.
fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// The anchors of all headings, as GitHub makes them.
pub(super) fn anchors(text: &str) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let text = without_fences(text);
    let headings = text.lines().filter_map(|line| {
        let rest = line.trim_start_matches('#');
        (rest.len() < line.len()).then(|| rest.strip_prefix(' '))?
    });
    let mut anchors = BTreeSet::new();
    for heading in headings {
        let anchor = anchor(heading);
        let count = counts.entry(anchor.clone()).or_default();
        anchors.insert(match *count {
            0 => anchor,
            count => format!("{anchor}-{count}"),
        });
        *count += 1;
    }
    anchors
}

/// The rows of all tables outside of code, each with its line and its cells.
pub(super) fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let text = without_fences(text);
    let rows = text.lines().enumerate().filter_map(|(index, line)| {
        let row = line.trim_end().strip_prefix('|')?.strip_suffix('|')?;
        let cells = row.split('|').map(|cell| cell.trim().to_owned());
        Some((index + 1, cells.collect()))
    });
    rows.collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            character => character.is_alphanumeric().then_some(character),
        });
    kept.flat_map(char::to_lowercase).collect()
}

/// The text with an empty line for each line of a fenced block.
fn without_fences(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let marker = ["```", "~~~"]
            .into_iter()
            .find(|marker| line.trim_start().starts_with(marker));
        match (fence, marker) {
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
            (None, None) => kept.push_str(line),
        }
        kept.push('\n');
    }
    kept
}

/// The text with a space for each character of a code span.
fn without_spans(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        kept.push_str(&rest[..start]);
        rest = &rest[start..];
        let marks = rest.len() - rest.trim_start_matches('`').len();
        let (mark, behind) = rest.split_at(marks);
        let paragraph = behind.split("\n\n").next().unwrap_or_default();
        if let Some(length) = closing(paragraph, marks) {
            let span = &rest[..marks + length + marks];
            kept.extend(span.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = &rest[span.len()..];
        } else {
            kept.push_str(mark);
            rest = behind;
        }
    }
    kept.push_str(rest);
    kept
}

/// Where the run of exactly so many backticks begins.
fn closing(text: &str, marks: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(start) = text[from..].find('`') {
        let run = text[from + start..].len() - text[from + start..].trim_start_matches('`').len();
        if run == marks {
            return Some(from + start);
        }
        from += start + run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_their_lines_and_code_has_none() {
        let text = "See [a](b.md#c \"title\") and [d\ne](f.md).\n\n```rust\nx[0](y)\n```\n\
                    `[g](h.md)` and ``a`[i](j.md)`` and [`k`](l.md)\n[m]: n.md\na ` b [o](p.md)\n";
        let expected = [
            (1, "b.md#c"),
            (2, "f.md"),
            (7, "l.md"),
            (8, "n.md"),
            (9, "p.md"),
        ];
        assert_eq!(
            links(text),
            expected.map(|(line, target)| (line, target.to_owned()))
        );
    }

    #[test]
    fn definitions_are_used_outside_of_code() {
        let text = "See [A\nb], `[c]`, [d][E] and [`f`].\n\n[a b]: 1\n[c]: 2\n[e]: 3 \"title\"\n\
                    [`f`]: g::f\n[h]: is prose\n```\n[i]: 4\n```\n";
        let found = definitions(text);
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.line, &*d.label, d.is_used))
            .collect();
        let expected = [
            (4, "a b", true),
            (5, "c", false),
            (6, "e", true),
            (7, "`f`", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let text = "# What is `refused`?\n## Ready-made, by_name\n```sh\n# comment\n```\n\
                    ## Plan\n#hash\n### Plan\n";
        let expected = ["plan", "plan-1", "ready-made-by_name", "what-is-refused"];
        assert_eq!(
            anchors(text).iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn rows_have_their_cells() {
        let text = "| id | what |\n|---|---|\n| A1 | `x`, y |\ntext | more\n~~~\n| B1 | z |\n~~~\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert_eq!(rows[2], (3, vec!["A1".to_owned(), "`x`, y".to_owned()]));
    }
}
