//! The `.env` template and docs/configuration.md say what the tables of settings and of familiar
//! names say.

use std::fmt::Write as _;

use event_sdk::config::{
    Config, FamiliarName, Here, Preset, Setting, System, Unit, familiar_names, settings,
};
use proptest::prelude::*;

use crate::support::{load, loader};

const PAGE: &str = include_str!("../../../docs/configuration.md");
const ENV_EXAMPLE: &str = include_str!("../../../.env.example");

/// The lines of the template that set something, by whether they have a value.
fn lines(with_value: bool) -> Vec<(String, String)> {
    let template = Config::env_template();
    let lines = template.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("#EVENT_SDK_")?.split_once('=')?;
        Some((format!("EVENT_SDK_{name}"), value.to_owned()))
    });
    lines
        .filter(|(_, value)| value.is_empty() != with_value)
        .collect()
}

/// All settings as texts.
fn texts(config: &Config) -> Vec<Option<String>> {
    settings()
        .iter()
        .map(|setting| setting.shown(config))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whichever lines with a value are turned on, they set the defaults.
    #[test]
    fn the_template_has_the_defaults(on in proptest::collection::vec(any::<bool>(), settings().len())) {
        let lines = lines(true);
        let on = lines.into_iter().zip(on).filter_map(|(line, on)| on.then_some(line));
        let config = Config::loader().variables(on).load().unwrap();
        prop_assert_eq!(texts(&config), texts(&Config::default()));
    }
}

#[test]
fn the_template_has_every_setting() {
    let mut names: Vec<_> = lines(true)
        .into_iter()
        .chain(lines(false))
        .map(|line| line.0)
        .collect();
    let mut known: Vec<_> = settings().iter().map(Setting::variable).collect();
    names.sort();
    known.sort();
    assert_eq!(names, known);
    assert!(lines(true).len() > 15);
    let template = Config::env_template();
    for line in template.lines() {
        assert!(line.is_empty() || line.starts_with('#'), "{line}");
        assert!(line.chars().count() <= 100, "{line}");
    }
    for setting in settings().iter().filter(|one| one.default_text().is_none()) {
        let comments: String = template
            .lines()
            .map(|line| line.trim_start_matches("# "))
            .collect();
        let example: String = setting.example().split(' ').collect();
        let comments: String = comments.split(' ').collect();
        assert!(
            comments.contains(&example),
            "no example of `{}`",
            setting.name()
        );
    }
}

/// The file for those who look for one before they have a program.
#[test]
fn the_committed_example_is_the_template() {
    assert!(
        ENV_EXAMPLE == Config::env_template(),
        "write .env.example again: cargo xtask events config show --template > .env.example"
    );
}

/// Asserts that the page has these rows, and prints all of them if it does not.
fn assert_on_page(rows: &[String]) {
    let missing = rows.iter().find(|row| !PAGE.contains(row.as_str()));
    if let Some(missing) = missing {
        let rows = rows.concat();
        panic!("docs/configuration.md lacks {missing}The rows are:\n\n{rows}");
    }
}

#[test]
fn the_page_has_every_setting() {
    let rows = settings().iter().map(|setting| {
        let (name, variable, doc) = (setting.name(), setting.variable(), setting.doc());
        let mut value = match setting.default_text() {
            Some(default) => format!("`{default}`"),
            None => format!("e.g. `{}`", setting.example()),
        };
        if setting.is_secret() {
            value.push_str(", secret");
        }
        format!("| `{name}` | `{variable}` | {value} | {doc} |\n")
    });
    let rows: Vec<_> = rows.collect();
    assert_on_page(&rows);
    // Nor has it a row for something that is gone.
    let on_page = PAGE.lines().filter(|line| line.contains("| `EVENT_SDK_"));
    assert_eq!(on_page.count(), rows.len());
}

#[test]
fn the_page_has_every_familiar_name() {
    let rows: Vec<_> = familiar_names().iter().map(familiar).collect();
    assert_on_page(&rows);
}

fn familiar(row: &FamiliarName) -> String {
    let system = match row.system {
        System::A3sEvent => "A3S Event",
        System::DelTran => "DelTran",
        System::Fraisier => "Fraisier",
        System::Hodei => "Hodei Pipelines",
        System::JetstreamBridge => "JetStream Bridge",
        other => panic!("no name of {other:?}"),
    };
    let here = match row.here {
        Here::Setting(name) => format!("`{name}`"),
        Here::DurationIn(name, unit) => {
            let unit = match unit {
                Unit::Milliseconds => "milliseconds",
                Unit::Seconds => "seconds",
                Unit::Hours => "hours",
            };
            format!("`{name}`; a number is in {unit}")
        }
        Here::Renamed(name, values) => {
            let mut here = format!("`{name}`");
            for (theirs, ours) in values {
                let _ = write!(here, "; `{theirs}` is `{ours}`");
            }
            here
        }
        Here::Code(what) => format!("in code: {what}"),
        Here::NotTaken(why) => format!("not taken: {why}"),
        other => panic!("no words for {other:?}"),
    };
    let kind = if row.is_variable { "variable" } else { "code" };
    format!("| {system} | `{}` | {kind} | {here} |\n", row.name)
}

/// What the page says of the presets.
#[test]
fn the_page_has_the_presets() {
    for preset in [
        Preset::Test,
        Preset::Development,
        Preset::Staging,
        Preset::Production,
    ] {
        let preset = preset.to_string();
        let config = load(&[
            ("EVENT_SDK_PRESET", &preset),
            ("EVENT_SDK_NATS__URL", "nats://one.example"),
        ]);
        let changed = settings().iter().filter(|setting| {
            let origin = config.origin(setting.name()).map(ToString::to_string);
            origin.is_some_and(|origin| origin.starts_with("preset"))
        });
        let changed: Vec<_> = changed
            .map(|setting| {
                let value = setting.shown(&config).unwrap_or_default();
                format!("`{}` = `{value}`", setting.name())
            })
            .collect();
        assert_on_page(&[format!("| `{preset}` | {} |\n", changed.join(", "))]);
    }
}

/// The file that the page shows.
#[test]
fn the_file_on_the_page_can_be_loaded() {
    let (_, rest) = PAGE.split_once("## From a file").unwrap();
    let (_, rest) = rest.split_once("```toml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event-sdk.toml");
    std::fs::write(&path, file).unwrap();
    let config = loader(&[]).file(path).load().unwrap();
    assert!(config.is_configured());
    assert!(config.nats_options().is_ok());
}
