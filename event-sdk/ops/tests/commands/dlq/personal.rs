//! Personal data in events, keys, headers and reasons appear in no output, unless they are asked for.

use sqlx::sqlite::SqlitePoolOptions;

use super::rig::{MAIL, Shop, order};
use crate::program::{on_terminal, piped};
use event_sdk::dead_letters::DeadLetterClass;

#[tokio::test]
async fn no_command_shows_them() {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    for (shop, keys) in [(Shop::memory(), true), (Shop::table(pool).await, false)] {
        shop.put_five().await;
        let mut commands = vec![
            "dlq ls --status all".to_owned(),
            "dlq groups".to_owned(),
            "dlq redrive 1".to_owned(),
            "dlq archive 3".to_owned(),
            "dlq export 1 --set A --handler b".to_owned(),
            "dlq show 1 --body-only".to_owned(),
            "dlq edit 2 --body /nowhere".to_owned(),
            "dlq edit 2 --body Cargo.toml".to_owned(),
            "dlq outcomes".to_owned(),
            "dlq purge 1 --status all --yes".to_owned(),
        ];
        commands.extend((1..=5).map(|id| format!("dlq show {id}")));
        if keys {
            let mut dead = order(7, DeadLetterClass::Rejected);
            dead.key = Some(MAIL.to_owned());
            dead.sequenced = true;
            shop.put(&dead).await;
            commands.push("dlq keys --consumer billing".to_owned());
            commands.push(format!("dlq release {MAIL} --consumer billing"));
        }
        for command in commands {
            let json = format!("{command} --json");
            for ran in [
                piped(&shop.operations, &command).await,
                on_terminal(&shop.operations, &command).await,
                piped(&shop.operations, &json).await,
            ] {
                assert!(!ran.out.contains(MAIL), "{command}: {}", ran.out);
                assert!(!ran.err.contains(MAIL), "{command}: {}", ran.err);
            }
        }
    }
    // The mail is there.
    let shop = Shop::memory();
    shop.put_five().await;
    let shown = piped(&shop.operations, "dlq show 1 --show-personal-data").await;
    assert_eq!(shown.out.matches(MAIL).count(), 3, "{}", shown.out);
}
