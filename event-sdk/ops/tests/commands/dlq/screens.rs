//! What each command shows on a terminal, in a pipe and as JSON.

use super::rig::Shop;
use crate::program::{Ran, on_terminal, piped, ran, words};
use crate::snapshot::{snapshot, wide_snapshot};

/// Runs a command on a terminal, in a pipe and with `--json`, and compares the three screens. A command
/// that changes something runs on letters of its own each time.
async fn screens(name: &str, command: &str, code: u8) {
    let terminal = on_terminal(&shop().await.operations, command).await;
    let pipe = piped(&shop().await.operations, command).await;
    let json = piped(&shop().await.operations, &format!("{command} --json")).await;
    let plain = anstream::adapter::strip_str(&terminal.out).to_string();
    assert_eq!(plain, pipe.out, "{name}: only the colours differ");
    assert!(!pipe.out.contains('\u{1b}'), "{name}: no colours in a pipe");
    let _: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    for (kind, ran) in [("terminal", terminal), ("pipe", pipe), ("json", json)] {
        let Ran {
            code: ended,
            out,
            err,
        } = ran;
        assert_eq!(ended, code, "{name} {kind}: {out}{err}");
        snapshot(&format!("{name}.{kind}"), &out);
    }
}

async fn shop() -> Shop {
    let shop = Shop::memory();
    shop.put_five().await;
    shop
}

#[tokio::test]
async fn letters_are_listed_counted_and_grouped() {
    screens("dlq-ls", "dlq ls", 0).await;
    screens("dlq-count", "dlq count --at-most 4", 1).await;
    screens("dlq-groups", "dlq groups", 0).await;
    screens("dlq-unreadable", "dlq unreadable", 0).await;
    screens("dlq-outcomes", "dlq outcomes", 0).await;
}

#[tokio::test]
async fn a_letter_is_shown_and_exported() {
    screens("dlq-show", "dlq show 1", 0).await;
    screens("dlq-show.unreadable", "dlq show 5", 0).await;
    screens("dlq-show.personal", "dlq show 1 --show-personal-data", 0).await;
    let export = "dlq export 1 --set shop::BillingEvents --handler shop::bill --show-personal-data";
    let shop = shop().await;
    let test = piped(&shop.operations, export).await;
    assert_eq!(test.code, 0, "{test:?}");
    wide_snapshot("dlq-export.pipe", &test.out);
    let again = on_terminal(&shop.operations, export).await;
    assert_eq!(again.out, test.out, "a test has no colours");
    wide_snapshot("dlq-export.terminal", &again.out);
    let json = piped(&shop.operations, &format!("{export} --json")).await;
    snapshot("dlq-export.json", &json.out);
    let json: String = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json, test.out);
}

#[tokio::test]
async fn letters_are_changed() {
    screens("dlq-redrive", "dlq redrive 1 2 9", 1).await;
    screens(
        "dlq-redrive.dry-run",
        "dlq redrive --consumer billing --dry-run",
        0,
    )
    .await;
    screens("dlq-archive", "dlq archive --class rejected", 0).await;
    screens("dlq-reopen", "dlq reopen 3", 1).await;
    screens("dlq-purge", "dlq purge 1 --yes", 0).await;
    screens("dlq-expire", "dlq expire 2026-05-02T00:00:00Z --dry-run", 0).await;
}

#[tokio::test]
async fn an_edit_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1.json");
    let id = "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b01";
    std::fs::write(&file, super::rig::envelope(id, "NOK")).unwrap();
    let command = format!("dlq edit 1 --body {}", file.display());
    screens("dlq-edit", &command, 0).await;
}

#[tokio::test]
async fn a_redrive_says_on_a_terminal_how_far_it_is() {
    let seen = on_terminal(&shop().await.operations, "dlq redrive 1 2 3").await;
    assert!(seen.err.contains("redriving: 1 of 3"), "{}", seen.err);
    let seen = piped(&shop().await.operations, "dlq redrive 1 2 3").await;
    assert!(!seen.err.contains("redriving"), "{}", seen.err);
}

#[tokio::test]
async fn a_purge_asks_on_a_terminal() {
    let shop = shop().await;
    let purge = words("dlq purge 1");
    let seen = ran(&shop.operations, &purge, b"n\n", true).await;
    let asked = "1 letter of the stream DLQ will be deleted";
    assert!(seen.err.contains(asked), "{}", seen.err);
    assert_eq!((seen.code, seen.out.as_str()), (1, ""));
    let counted = piped(&shop.operations, "dlq count").await;
    assert_eq!(counted.out, "5 letters\n");
    let seen = ran(&shop.operations, &purge, b"y\n", true).await;
    assert_eq!((seen.code, seen.out.as_str()), (0, "1 letter deleted: 1\n"));
    let counted = piped(&shop.operations, "dlq count").await;
    assert_eq!(counted.out, "4 letters\n");
}
