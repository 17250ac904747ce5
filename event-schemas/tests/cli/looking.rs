//! `schemas list` and `schemas show`.

use crate::run::{schemas, shop};

#[test]
fn the_list_has_a_row_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let ended = schemas(&shop(), dir.path(), "list");
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.out,
        "\
SUBJECT              VERSION  KEY              STREAM  PUBLISHED BY  CONSUMED BY
orders.order.paid    1.0      id (in subject)  ORDERS  orders        -
orders.order.placed  1.0      id               ORDERS  orders        billing
"
    );
}

#[test]
fn the_list_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let ended = schemas(&shop(), dir.path(), "list --json");
    let list: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(list[1]["subject"], "orders.order.placed");
    assert_eq!(list[1]["consumers"][0], "billing");
    assert_eq!(
        (&list[0]["key"], &list[0]["keyField"]),
        (&"subject".into(), &"id".into())
    );
}

#[test]
fn an_event_is_found_by_any_of_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let whole = schemas(&shop(), dir.path(), "show orders.order.placed").out;
    for name in ["OrderPlaced", "order.placed", "placed"] {
        assert_eq!(
            schemas(&shop(), dir.path(), &format!("show {name}")).out,
            whole
        );
    }
    assert_eq!(
        whole,
        r#"orders.order.placed 1.0
  An order was placed.

  Its price is what the customer was shown.
  struct        OrderPlaced
  type          order.placed
  subjects      orders.order.placed
  stream        ORDERS
  published by  orders
  consumed by   billing
  in the lock   none

  FIELD            TYPE
  id               integer (uint64)            The order.
  items            array of Item               What was ordered.
  items[].article  string                      The article.
  items[].price    integer (int32)   optional  In cents.
  note             string | null               What the customer wrote.

  EXAMPLE
  {
    "id": 7,
    "items": [
      {
        "article": "lamp",
        "price": 990
      }
    ],
    "note": null
  }
"#
    );
}

#[test]
fn what_is_not_there_ends_with_two() {
    let dir = tempfile::tempdir().unwrap();
    let ended = schemas(&shop(), dir.path(), "show lamp");
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(
        ended
            .err
            .contains("there is no event \"lamp\" in the catalogue")
    );
    let ended = schemas(&shop(), dir.path(), "show placed --version 3.0");
    assert!(
        ended
            .err
            .contains("version 3.0 of orders.order.placed is not in the lock; there are: none")
    );
}

#[test]
fn the_schema_can_be_had_of_each_version() {
    let dir = tempfile::tempdir().unwrap();
    schemas(&shop(), dir.path(), "generate");
    let file = std::fs::read_to_string(dir.path().join("orders.order.placed/1.0.json")).unwrap();
    assert_eq!(
        schemas(&shop(), dir.path(), "show placed --schema").out,
        file
    );
    let old = schemas(&shop(), dir.path(), "show placed --schema --version 1.0");
    assert_eq!(old.out, file);
}

/// What is red?
#[doc = "\u{1b}[31mRed\u{1b}[0m, \u{202e}and turned\u{7}."]
#[derive(event_sdk::Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(domain = "orders")]
struct OrderColored {
    #[doc = "A \u{1b}]0;title\u{7} of a window."]
    id: u64,
}

#[test]
fn what_moves_the_cursor_is_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = event_schemas::Catalogue::new("Shop").events_of::<OrderColored>();
    for color in ["always", "never"] {
        let ended = schemas(
            &catalogue,
            dir.path(),
            &format!("show colored --color {color}"),
        );
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.out.contains("\\u{1b}[31mRed"), "{}", ended.out);
        for moving in ["\u{1b}[31mRed", "\u{1b}]0", "\u{7}", "\u{202e}"] {
            assert!(!ended.out.contains(moving), "{:?}", ended.out);
        }
    }
}
