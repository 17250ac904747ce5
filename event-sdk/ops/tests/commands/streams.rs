//! `streams`: what is listed, and what is refused.

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk_ops::Operations;

use crate::program::{on_terminal, piped};

fn shop() -> Operations {
    let bus = EventBus::builder()
        .stream(StreamSpec::constant("ORDERS", &["orders.>"]))
        .stream(StreamSpec::constant(
            "PAYMENTS",
            &["payments.>", "refunds.>"],
        ))
        .memory()
        .unwrap();
    Operations::new("shop").bus(bus)
}

#[tokio::test]
async fn ls_lists_the_streams_that_store_a_subject() {
    let shop = shop();
    let all = piped(&shop, "streams ls").await;
    assert_eq!(all.code, 0, "{all:?}");
    assert_eq!(
        all.out,
        "STREAM    SUBJECTS                             MESSAGES  SIZE  CONSUMERS\n\
         ORDERS    events.orders.>                      0         0 B   0\n\
         PAYMENTS  events.payments.>, events.refunds.>  0         0 B   0\n"
    );
    let seen = on_terminal(&shop, "streams ls").await.out;
    assert_eq!(anstream::adapter::strip_str(&seen).to_string(), all.out);

    let some = piped(&shop, "streams ls --json --subject events.refunds.*.made").await;
    let some: serde_json::Value = serde_json::from_str(&some.out).unwrap();
    assert_eq!(some[0]["name"], "PAYMENTS");
    assert_eq!(some.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_pattern_is_named_and_ends_with_two() {
    let ran = piped(&shop(), "streams ls --subject events..x").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("events..x"), "{}", ran.err);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_lists_it() {
    for (command, out) in [
        (
            "streams ls --subject 'orders.>'",
            "no stream stores a subject of `orders.>`\n",
        ),
        ("consumers ls", "there is no consumer\n"),
    ] {
        let ran = piped(&shop(), command).await;
        assert_eq!((ran.code, &*ran.out), (0, out), "{command}: {ran:?}");
    }
    for (command, hint) in [
        ("streams info NONE", "; `streams ls` lists the streams\n"),
        ("consumers ls NONE", "; `streams ls` lists the streams\n"),
        (
            "consumers info ORDERS none",
            "; `consumers ls` lists the consumers\n",
        ),
    ] {
        let ran = piped(&shop(), command).await;
        assert_eq!((ran.code, &*ran.out), (2, ""), "{command}: {ran:?}");
        assert!(ran.err.ends_with(hint), "{command}: {}", ran.err);
    }
}
