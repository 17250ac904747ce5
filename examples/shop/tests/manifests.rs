//! The manifests say what the program says: names of variables, partitions, users, and the command of the backup.

use std::collections::BTreeSet;
use std::path::Path;

use anstream::ColorChoice;
use clap::{CommandFactory as _, Parser as _};
use event_sdk_ops::{Operations, Screen, run_on};
use event_sdk_topology::permissions::Role;

use crate::args::{Args, Command, Replicas};
use crate::topology::{CLUSTERED, PARTITIONS, PREFIX, SINGLE, users};
use crate::{as_arguments, config, open, operations};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
const SERVICES: &str = include_str!("../../deploy/kubernetes/shop.yaml");
const BACKUP: &str = include_str!("../../deploy/kubernetes/backup.yaml");
const README: &str = include_str!("../../deploy/README.md");

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(FILES).join(file)).unwrap()
}

/// The names in a text that begin so: letters, digits and underlines.
fn names(text: &str, begin: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with(begin));
    names.map(str::to_owned).collect()
}

/// The values behind `key: ` of a manifest, in its order.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let key = format!("{key}: ");
    let lines = text.lines().filter_map(|line| line.split_once(&*key));
    lines.map(|(_, value)| value.trim()).collect()
}

#[test]
fn each_variable_of_the_files_is_read_by_something() {
    let settings = names(include_str!("../../../docs/configuration.md"), "EVENT_SDK_");
    let mut own = BTreeSet::new();
    let command = Args::command();
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    for argument in commands.flat_map(clap::Command::get_arguments) {
        own.extend(
            argument
                .get_env()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    // The image of the compose file.
    own.insert("SHOP_IMAGE".to_owned());
    for file in [
        "compose.yml",
        "kubernetes/apply.yaml",
        "kubernetes/backup.yaml",
        "kubernetes/shop.yaml",
    ] {
        let text = read(file);
        let used = names(&text, "EVENT_SDK_");
        assert!(used.len() > 2, "{file}: {used:?}");
        let unknown: Vec<_> = used.difference(&settings).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
        let used = names(&text, "SHOP_");
        let unknown: Vec<_> = used.difference(&own).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?} are not in {own:?}");
    }
    // Of the servers.
    let read_by_servers = names(&read("nats/hardened.conf"), "NATS_");
    for file in ["compose.yml", "kubernetes/nats.yaml"] {
        assert_eq!(names(&read(file), "NATS_"), read_by_servers, "{file}");
    }
}

#[test]
fn the_autoscaler_selects_the_metric_of_this_program_and_starts_no_instance_without_work() {
    let metrics = SERVICES.matches("name: event_sdk_consumer_lag\n").count();
    for consumer in ["orders", "billing"] {
        let selector = format!("{{ job: shop, messaging_consumer_group_name: {consumer} }}");
        assert_eq!(SERVICES.matches(&selector).count(), 1, "{selector}");
    }
    assert_eq!(
        metrics,
        SERVICES.matches("messaging_consumer_group_name").count()
    );
    assert!(README.contains("job_name: shop\n"), "its job");
    let most = values(SERVICES, "maxReplicas");
    assert_eq!(most, [PARTITIONS.to_string().as_str(), "10"]);
}

#[test]
fn each_user_of_the_manifests_is_one_of_the_topology() {
    let known = users(&CLUSTERED).build().unwrap().users;
    let of = |text: &str| {
        let users = text.split("EVENT_SDK_NATS__USER, value: ").skip(1);
        let users = users.filter_map(|rest| rest.split(' ').next());
        users.map(str::to_owned).collect::<Vec<_>>()
    };
    let role = |name: &str| {
        known
            .iter()
            .find(|user| user.name == name)
            .map(|user| user.role)
    };
    for (text, wanted) in [(SERVICES, Role::Service), (BACKUP, Role::Operator)] {
        let found = of(text);
        assert!(!found.is_empty());
        for user in found {
            assert_eq!(role(&user), Some(wanted), "{user}");
            assert!(text.contains(&format!("value: _INBOX_{user} ")), "{user}");
            assert!(
                text.contains(&format!("secretName: shop-{user} ")),
                "{user}"
            );
        }
    }
}

#[tokio::test]
async fn the_backup_of_the_manifest_writes_the_streams() {
    let variables = vec![("EVENT_SDK_PREFIX", PREFIX)];
    let config = config().variables(variables).load().unwrap();
    let bus = open(&config, &SINGLE).await.unwrap();
    SINGLE.apply(&bus).await.unwrap();
    assert_eq!(bus.prefix(), PREFIX);
    let folder = tempfile::tempdir().unwrap();
    let commands = values(BACKUP, "args");
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let command = command.trim_matches(['[', ']']);
        let command = command.replace("$(EVENT_SDK_NATS__NAME)", "shop-backup-1");
        let command = command.replace("/backups", folder.path().to_str().unwrap());
        let args = std::iter::once("shop").chain(command.split(", "));
        let (code, said) = operate(args, |operations| operations.bus(bus.clone())).await;
        assert_eq!(code, 0, "{command}: {said}");
    }
    for stream in ["SHOP", "DLQ"] {
        let file = folder.path().join(format!("shop-backup-1-{stream}.tar.gz"));
        assert!(file.exists(), "{stream}");
    }
}

/// Gives arguments to the program, whose command is one of operation, and what it has to those. Returns the exit code,
/// and what was written.
async fn operate(
    args: impl IntoIterator<Item = &str>,
    with: impl FnOnce(Operations) -> Operations,
) -> (u8, String) {
    let args = Args::try_parse_from(args).unwrap();
    let operations = with(operations(&args.replicas.topology()));
    let Some(Command::Operate(command)) = args.command else {
        panic!("{args:?} is not a command of operation");
    };
    let (mut input, mut out, mut err) = (&b""[..], Vec::new(), Vec::new());
    let mut screen = Screen {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        out_color: ColorChoice::Never,
        err_color: ColorChoice::Never,
        is_terminal: false,
        is_interactive: false,
    };
    let code = run_on(
        &operations,
        as_arguments(&args.of_operation, &command),
        &mut screen,
    )
    .await;
    out.append(&mut err);
    (code, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn a_command_of_operation_is_read_before_anything_is_connected() {
    for (args, wanted, words) in [
        (&["streams", "--help"][..], 0, "shop streams"),
        (&["streams", "plam"], 2, "plam"),
        // An option of the shop stands before the command.
        (&["--replicas", "3", "streams", "plan", "--help"], 0, "plan"),
        (&["streams", "ls", "--replicas", "3"], 2, "--replicas"),
        // Those of all commands of operation stand on both sides.
        (
            &["--json", "doctor", "--codes"],
            0,
            "\"code\": \"config-missing\"",
        ),
        (
            &["doctor", "--codes", "--json"],
            0,
            "\"code\": \"config-missing\"",
        ),
        (&["--color", "always", "doctor", "--codes"], 0, "\u{1b}["),
        (&["--color", "red", "doctor", "--codes"], 2, "red"),
        (
            &["--config", "/nowhere.toml", "config", "show"],
            2,
            "/nowhere.toml",
        ),
    ] {
        let args = std::iter::once("shop").chain(args.iter().copied());
        let (code, said) = operate(args, |operations| operations).await;
        assert_eq!(code, wanted, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn an_option_of_operation_is_refused_where_it_would_be_left_out() {
    let checked = |args: &[&str]| Args::read(args);
    for args in [&["shop", "--json"][..], &["shop", "--json", "apply"]] {
        let why = checked(args).unwrap_err().to_string();
        assert!(why.contains("shop --json streams ls"), "{why}");
    }
    assert!(checked(&["shop", "--json", "streams", "ls"]).is_ok());
    assert!(checked(&["shop", "apply"]).is_ok());
}

#[test]
fn the_replicas_before_a_command_choose_the_topology() {
    let args = Args::try_parse_from(["shop", "--replicas", "3", "streams", "plan"]).unwrap();
    assert_eq!(args.replicas, Replicas::Three);
}

#[test]
fn the_commands_work_with_the_prefix_that_the_users_may_use() {
    for file in ["compose.yml", "kubernetes/apply.yaml"] {
        assert_eq!(values(&read(file), "EVENT_SDK_PREFIX"), [PREFIX], "{file}");
    }
}
