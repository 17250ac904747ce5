//! `schemas explain`: prints what a rule means, why it breaks consumers, and what to do.

use super::paint::{DIM, HEAD, NAME, styled};
use super::{CliError, Context, Outcome};
use crate::check::unknown_rule;
use crate::compat::Rule;

/// What `schemas explain` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas explain                     list all rules\n  \
    schemas explain version-not-raised  what it means, why it matters, and the way out")]
pub(super) struct Args {
    /// The rule's id, as a report shows it in brackets; without one, all are listed
    rule: Option<String>,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    match &args.rule {
        None => list(context)?,
        Some(id) => {
            let rule = Rule::find(id).ok_or_else(|| CliError::Usage(unknown_rule(id)))?;
            explain(context, rule)?;
        }
    }
    Ok(Outcome::Done)
}

fn list(context: &mut Context<'_>) -> Result<(), CliError> {
    let heading = |rule| match rule {
        Rule::Event(_) => "Events, versions and files",
        Rule::Schema(_) => "Fields: what one side writes and the other refuses",
    };
    let width = Rule::all().map(|rule| rule.id().len()).max().unwrap_or(0);
    let mut last = "";
    for rule in Rule::all() {
        if heading(rule) != last {
            let gap = if last.is_empty() { "" } else { "\n" };
            last = heading(rule);
            writeln!(context.out, "{gap}{}", styled(HEAD, last))?;
        }
        let id = format!("{:width$}", rule.id());
        writeln!(context.out, "  {}  {}", styled(NAME, id), rule.title())?;
    }
    writeln!(
        context.out,
        "\n{}",
        styled(DIM, "`schemas explain RULE` says what a rule is about.")
    )?;
    Ok(())
}

fn explain(context: &mut Context<'_>, rule: Rule) -> Result<(), CliError> {
    writeln!(
        context.out,
        "{}: {}\n",
        styled(NAME, rule.id()),
        styled(HEAD, rule.title())
    )?;
    for paragraph in rule.explanation().split("\n\n") {
        for line in textwrap::wrap(paragraph, 80) {
            writeln!(context.out, "{line}")?;
        }
        writeln!(context.out)?;
    }
    let waiver = if rule.is_waivable() {
        "A finding of it can be waived in `check.toml`."
    } else {
        "It cannot be waived."
    };
    writeln!(context.out, "{}", styled(DIM, waiver))?;
    Ok(())
}
