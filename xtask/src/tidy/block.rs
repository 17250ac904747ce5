//! Parses the dependency block of ARCHITECTURE.md.
//!
//! The block is the first run of indented lines with `←` below the heading "Code map".
//! `A ← B` means that B may depend on A and on everything that A may depend on. Braces group
//! chains: in `a ← { b ← c, d }`, b and d may depend on a, and c on b. Outside braces a comma
//! separates names. A name is that of a package, whole or without the prefix `event-sdk-`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

/// The dependencies that packages may have.
#[derive(Debug)]
pub(super) struct Block {
    names: BTreeMap<String, Entry>,
    first_line: usize,
}

/// One name of the block.
#[derive(Debug, Default)]
struct Entry {
    line: usize,
    below: BTreeSet<String>,
}

impl Block {
    /// Finds the block in the text of ARCHITECTURE.md and parses it.
    pub(super) fn find(markdown: &str) -> Result<Self> {
        let lines = markdown.lines().enumerate();
        let mut block: Vec<_> = lines
            .skip_while(|(_, line)| !(line.starts_with('#') && line.ends_with("Code map")))
            .skip_while(|(_, line)| !is_of_block(line))
            .take_while(|(_, line)| line.starts_with("    ") || line.is_empty())
            .map(|(index, line)| (index + 1, line.trim()))
            .collect();
        block.retain(|(_, line)| !line.is_empty());
        let first = block.first().context(
            "ARCHITECTURE.md has no block of dependencies: below the heading \"Code map\" there \
             must be indented lines such as `    subject ← derive ← core`",
        )?;
        Self::parse(first.0, &block)
    }

    fn parse(first_line: usize, lines: &[(usize, &str)]) -> Result<Self> {
        let mut block = Self {
            names: BTreeMap::new(),
            first_line,
        };
        for (number, line) in lines {
            let mut parser = Parser {
                tokens: tokens(line),
                position: 0,
                line: *number,
                block: &mut block,
            };
            parser
                .line()
                .with_context(|| format!("ARCHITECTURE.md:{number}: `{line}`"))?;
        }
        block.refuse_cycles()?;
        Ok(block)
    }

    /// The line where the block begins.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// The names in the block, each with the line where it first depends on another, or where
    /// it first stands.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names
            .iter()
            .map(|(name, entry)| (name.as_str(), entry.line))
    }

    /// All names that `name` may depend on.
    pub(super) fn below(&self, name: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            for below in self.names.get(name).into_iter().flat_map(|e| &e.below) {
                if found.insert(below.as_str()) {
                    open.push(below);
                }
            }
        }
        found
    }

    fn refuse_cycles(&self) -> Result<()> {
        for (name, line) in self.names() {
            if self.below(name).contains(name) {
                bail!("ARCHITECTURE.md:{line}: the block puts `{name}` below itself");
            }
        }
        Ok(())
    }

    fn mention(&mut self, name: &str, line: usize) {
        let entry = self.names.entry(name.to_owned()).or_default();
        if entry.line == 0 {
            entry.line = line;
        }
    }

    fn put_below(&mut self, below: &str, above: &str, line: usize) {
        let entry = self.names.entry(above.to_owned()).or_default();
        if entry.below.is_empty() {
            entry.line = line;
        }
        entry.below.insert(below.to_owned());
    }
}

fn is_of_block(line: &str) -> bool {
    line.starts_with("    ") && line.contains('←')
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Arrow,
    Open,
    Close,
    Comma,
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut name = String::new();
    for character in line.chars().chain([' ']) {
        let token = match character {
            '←' => Some(Token::Arrow),
            '{' => Some(Token::Open),
            '}' => Some(Token::Close),
            ',' => Some(Token::Comma),
            c if c.is_whitespace() => None,
            c => {
                name.push(c);
                continue;
            }
        };
        if !name.is_empty() {
            tokens.push(Token::Name(std::mem::take(&mut name)));
        }
        tokens.extend(token);
    }
    tokens
}

/// What a part of a line offers to its neighbours: its lowest names, and its highest.
#[derive(Clone, Default)]
struct Span {
    lowest: Vec<String>,
    highest: Vec<String>,
}

struct Parser<'a> {
    tokens: Vec<Token>,
    position: usize,
    line: usize,
    block: &'a mut Block,
}

impl Parser<'_> {
    fn line(&mut self) -> Result<()> {
        self.chain(true)?;
        match self.next() {
            None => Ok(()),
            Some(token) => bail!("unexpected {token:?}; a line is names and groups joined by `←`"),
        }
    }

    /// `part ← part ← part`; with `lists`, a part may be names separated by commas.
    fn chain(&mut self, lists: bool) -> Result<Span> {
        let mut whole = self.part(lists)?;
        while self.take(&Token::Arrow) {
            let next = self.part(lists)?;
            for below in &whole.highest {
                for above in &next.lowest {
                    self.block.put_below(below, above, self.line);
                }
            }
            whole.highest = next.highest;
        }
        Ok(whole)
    }

    fn part(&mut self, lists: bool) -> Result<Span> {
        let mut whole = Span::default();
        loop {
            let item = self.item()?;
            whole.lowest.extend(item.lowest);
            whole.highest.extend(item.highest);
            if !(lists && self.take(&Token::Comma)) {
                return Ok(whole);
            }
        }
    }

    fn item(&mut self) -> Result<Span> {
        match self.next() {
            Some(Token::Name(name)) => {
                self.block.mention(&name, self.line);
                Ok(Span {
                    lowest: vec![name.clone()],
                    highest: vec![name],
                })
            }
            Some(Token::Open) => self.group(),
            Some(token) => bail!("expected a name or `{{`, found {token:?}"),
            None => bail!("expected a name or `{{` at the end"),
        }
    }

    /// `chain, chain }`, after its opening brace.
    fn group(&mut self) -> Result<Span> {
        let mut whole = Span::default();
        loop {
            let chain = self.chain(false)?;
            whole.lowest.extend(chain.lowest);
            whole.highest.extend(chain.highest);
            match self.next() {
                Some(Token::Comma) => {}
                Some(Token::Close) => return Ok(whole),
                _ => bail!("expected `,` or `}}` after a group's name"),
            }
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.position) == Some(token);
        self.position += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(lines: &str) -> Result<Block> {
        Block::find(&format!(
            "# A\n\n    x ← before\n\n## Code map\n\nText.\n\n{lines}\n\nMore.\n\n    y ← after\n"
        ))
    }

    fn below(block: &Block, name: &str) -> String {
        Vec::from_iter(block.below(name)).join(" ")
    }

    #[test]
    fn a_package_may_depend_on_all_before_its_arrow_in_any_line() {
        let block = block("    a ← b ← c\n    c ← d").unwrap();
        assert_eq!(below(&block, "d"), "a b c");
        assert_eq!(below(&block, "b"), "a");
        assert_eq!(below(&block, "a"), "");
    }

    #[test]
    fn members_of_a_group_do_not_depend_on_each_other() {
        let block = block("    core ← { memory, nats } ← sdk").unwrap();
        assert_eq!(below(&block, "memory"), "core");
        assert_eq!(below(&block, "sdk"), "core memory nats");
    }

    #[test]
    fn a_group_may_hold_chains_and_offers_their_ends() {
        let block = block("    sdk ← { store ← sql, observe } ← ops").unwrap();
        assert_eq!(below(&block, "store"), "sdk");
        assert_eq!(below(&block, "sql"), "sdk store");
        assert_eq!(below(&block, "observe"), "sdk");
        assert_eq!(below(&block, "ops"), "observe sdk sql store");
    }

    #[test]
    fn outside_groups_a_comma_separates_names() {
        let block = block("    { a, b } ← tests, xtask").unwrap();
        assert_eq!(below(&block, "tests"), "a b");
        assert_eq!(below(&block, "xtask"), "a b");
    }

    #[test]
    fn the_line_of_a_name_is_where_it_depends_on_something() {
        let block = block("    b ← c\n    a ← b").unwrap();
        let names: Vec<_> = block.names().collect();
        assert_eq!(names, [("a", 10), ("b", 10), ("c", 9)]);
        assert_eq!(block.first_line(), 9);
    }

    #[test]
    fn what_is_no_block_is_refused_with_its_line() {
        for (lines, why) in [
            ("    a ← ", "expected a name or `{` at the end"),
            ("    { a, b ← c", "expected `,` or `}`"),
            ("    a b ← c", "unexpected Name(\"b\")"),
        ] {
            let error = format!("{:#}", block(lines).unwrap_err());
            assert!(error.contains("ARCHITECTURE.md:9"), "{error}");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_package_below_itself_is_refused() {
        let error = block("    a ← b\n    b ← a").unwrap_err().to_string();
        assert!(error.contains("puts `a` below itself"), "{error}");
    }

    #[test]
    fn a_missing_block_is_an_error_that_shows_one() {
        let error = Block::find("# A\n\n    a ← b\n").unwrap_err().to_string();
        assert!(error.contains("no block of dependencies"), "{error}");
    }
}
