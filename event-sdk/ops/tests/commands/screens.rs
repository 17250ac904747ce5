//! Each command on a terminal, in a pipe and with `--json`, as snapshots.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk_ops::Operations;

use crate::program::{piped, ran, words};
use crate::shop::{busy, operations};
use crate::snapshot::{snapshot, snapshots};

/// Takes the three screens of `command` with `args`, each on operations of its own.
pub(crate) async fn screens_on(
    command: &str,
    args: &str,
    operations: impl AsyncFn() -> Operations,
) {
    for (form, is_terminal, more) in [
        ("terminal", true, ""),
        ("pipe", false, ""),
        ("json", false, "--json"),
    ] {
        let args = words(&format!("{command} {args} {more}"));
        let ran = ran(&operations().await, &args, b"", is_terminal).await;
        let name = format!("{}.{form}", command.replace(' ', "-"));
        let err = match masked(&ran.err) {
            err if err.is_empty() => err,
            err => format!("--- on the standard error:\n{err}"),
        };
        let out = without_checksum(&ran.out);
        let screen = format!("{out}{err}--- exit code {}\n", ran.code);
        snapshot(&name, &screen);
    }
}

/// Without the checksum of a backup, whose content has a form of its own.
fn without_checksum(out: &str) -> String {
    let lines = out
        .lines()
        .map(|line| match line.split_once("\"sha256\": ") {
            Some((before, _)) => format!("{before}\"sha256\": <checksum>\n"),
            None => match line.split_once("\"size\": ") {
                Some((before, _)) => format!("{before}\"size\": <bytes>,\n"),
                None => format!("{line}\n"),
            },
        });
    lines.collect()
}

/// Without the time and the files of an audit line, and without progress, which depends on the speed
/// of the machine.
fn masked(err: &str) -> String {
    let folder = std::env::temp_dir().display().to_string();
    let lines = err
        .lines()
        .map(|line| line.rsplit('\r').next().unwrap_or(line));
    let lines = lines.filter(|line| !line.is_empty());
    let lines = lines.map(|line| match line.split_once("audit:") {
        Some((before, after)) => {
            let mut words: Vec<_> = after.split(' ').collect();
            if let Some(time) = words.iter_mut().find(|word| word.ends_with('Z')) {
                *time = "<time>";
            }
            for path in words.iter_mut().filter(|word| word.starts_with(&folder)) {
                *path = "<file>";
            }
            format!("{before}audit:{}\n", words.join(" "))
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// The same in the busy shop.
async fn screens(command: &str, args: &str) {
    screens_on(command, args, async || operations(busy().await)).await;
}

#[tokio::test]
async fn streams() {
    screens("streams ls", "").await;
    screens("streams info", "ORDERS").await;
    screens("streams report", "").await;
    screens(
        "streams purge",
        "ORDERS --before 3 --yes --by ada --because 'test data'",
    )
    .await;
    screens("streams verify", "").await;
    screens("streams plan", "").await;
    screens("streams apply", "--by ada").await;
    screens("streams export", "ORDERS").await;
}

#[tokio::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("orders.tar.gz");
    let args = format!("ORDERS {}", backup.display());
    screens_on("streams backup", &args, async || {
        // A backup replaces no file.
        let _ = std::fs::remove_file(&backup);
        operations(busy().await)
    })
    .await;
    let elsewhere = async || {
        let other = StreamSpec::new("OTHER").subject("other.>");
        operations(EventBus::builder().stream(other).memory().unwrap())
    };
    let args = format!("{} --by ada", backup.display());
    screens_on("streams restore", &args, elsewhere).await;
    let exported = piped(&operations(busy().await), "streams export ORDERS").await;
    let file = folder.path().join("orders.json");
    std::fs::write(&file, exported.out).unwrap();
    let args = format!("{} --leave-out --by ada", file.display());
    screens_on("streams import", &args, elsewhere).await;
}

#[tokio::test]
async fn consumers() {
    screens("consumers ls", "").await;
    screens("consumers info", "ORDERS billing").await;
    screens("consumers lag", "--max-events 2").await;
    let until = "--until 2100-01-01T00:00:00Z --by ada --because 'the ledger moves'";
    screens("consumers pause", &format!("ORDERS billing {until}")).await;
    screens("consumers resume", "ORDERS billing --by ada").await;
    screens("consumers reset", "ORDERS billing --start --yes --by ada").await;
}

#[tokio::test]
async fn events() {
    screens("tail", "--last 5 --no-follow").await;
    screens("trace", "019de28d-3c00-7000-8000-000000000001 --data").await;
    let data = r#"'{"order":"o-9","cents":5,"customer":"Grace"}'"#;
    screens("publish", &format!("order.placed {data} --by ada")).await;
    screens("replay", "--type order.placed --limit 2").await;
}

#[tokio::test]
async fn the_set_up() {
    screens("config show", "--all").await;
    screens("permissions", "--service billing").await;
    screens("recover", "--durable ORDERS/billing").await;
}

#[tokio::test]
async fn permissions_are_those_of_the_users_that_are_declared() {
    let shop = operations(busy().await);
    let all = piped(&shop, "permissions").await;
    assert_eq!(all.code, 0, "{all:?}");
    for user in ["checkout", "billing", "deploy"] {
        assert!(all.out.contains(&format!("user: \"{user}\"")), "{user}");
    }
    let json = piped(&shop, "permissions --format json").await;
    assert_eq!(json.out, piped(&shop, "permissions --json").await.out);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["users"].as_array().unwrap().len(), 3);

    let unknown = piped(&shop, "permissions --service biling").await;
    assert_eq!((unknown.code, &*unknown.out), (2, ""));
    let known = "`biling`; declared: checkout, billing, deploy";
    assert!(unknown.err.contains(known), "{}", unknown.err);
    let none = piped(&Operations::new("shop"), "permissions").await;
    assert_eq!((none.code, &*none.out), (2, ""));
    assert!(
        none.err.contains("`Operations::permissions`"),
        "{}",
        none.err
    );
}

#[tokio::test]
async fn the_doctor() {
    // An operator has made one of the two streams, with a limit of its own, and no durable.
    let broken = async || {
        let orders = StreamSpec::new("ORDERS").subject("orders.>");
        let orders = orders.duplicate_window(Duration::from_secs(5));
        let bus = EventBus::builder().stream(orders.max_messages(1_000));
        operations(bus.memory().unwrap())
    };
    screens_on("doctor", "", broken).await;
}

#[test]
fn each_command_has_its_screens() {
    let there = snapshots();
    for command in event_sdk_ops::commands() {
        for form in ["help", "terminal", "pipe", "json"] {
            let name = format!("{}.{form}", command.replace(' ', "-"));
            assert!(
                there.contains(&name),
                "`{command}` has no snapshot {name}.txt: add it to `screens.rs`"
            );
        }
    }
}

#[test]
fn each_screen_is_of_a_command() {
    let commands = event_sdk_ops::commands();
    let names: Vec<_> = commands.iter().map(|name| name.replace(' ', "-")).collect();
    for name in snapshots() {
        let (command, _) = name.split_once('.').unwrap();
        // A group has a help, and a command may have further screens.
        let is_of = |name: &String| name.starts_with(command) || command.starts_with(name.as_str());
        let known = command == "shop" || names.iter().any(is_of);
        assert!(known, "{name}.txt is the screen of no command");
    }
}
