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

/// An event that the catalogue of the shop lacks.
const REFUNDED: &str =
    "#[derive(Event)] #[event(domain = \"orders\")] struct OrderRefunded { id: u64 }";

/// Files of a project, and what `list --sources` says of its root: exit code, standard output and
/// error.
fn sources_of(files: &[(&str, &str)]) -> (u8, String, String) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let command = format!("list --sources {}", root.path().display());
    let ended = schemas(&shop(), root.path(), &command);
    (ended.code, ended.out, ended.err)
}

#[test]
fn the_sources_of_a_root_are_those_of_its_package_and_of_the_members() {
    let package = "[package]\nname = \"shop\"\n";
    let workspace = "[workspace]\nmembers = [\"crates/*\"]\n";
    let both = format!("{package}{workspace}");
    // Manifest, files beside it, and whether the member is scanned.
    let named = format!("{both}exclude = [\"crates/refunds\"]\n");
    let depends = format!("{package}[dependencies]\nrefunds.path = \"crates/refunds\"\n");
    let inherits = format!(
        "{package}[workspace]\n[workspace.dependencies]\nrefunds.path = \"crates/refunds\"\n\
         [target.'cfg(unix)'.dev-dependencies]\nrefunds.workspace = true\n"
    );
    for (manifest, own, files) in [
        (workspace, None, 1),
        (&both, Some("src/lib.rs"), 2),
        (&both, Some("src/main.rs"), 2),
        (&format!("{depends}[workspace]\n"), Some("src/lib.rs"), 2),
        (&inherits, Some("src/lib.rs"), 2),
    ] {
        let mut project = vec![
            ("Cargo.toml", manifest),
            (
                "crates/refunds/Cargo.toml",
                "[package]\nname = \"refunds\"\n",
            ),
            ("crates/refunds/src/lib.rs", REFUNDED),
            ("crates/notes.md", ""),
        ];
        project.extend(own.map(|own| (own, "")));
        let (code, out, err) = sources_of(&project);
        assert_eq!((code, err.as_str()), (1, ""), "{manifest}: {out}");
        assert!(out.contains("refunds/src/lib.rs:1"), "{manifest}: {out}");
        assert!(out.contains("`OrderRefunded`"), "{manifest}: {out}");
        let total = format!("1 events in {files} files\n");
        assert!(out.ends_with(&total), "{manifest}: {out}");
    }
    // Packages that are no members.
    let with_dot = format!("{both}exclude = [\"./crates/refunds\"]\n");
    for manifest in [&named, &with_dot, &depends] {
        let (code, out, err) = sources_of(&[
            ("Cargo.toml", manifest),
            ("src/lib.rs", ""),
            (
                "crates/refunds/Cargo.toml",
                "[package]\nname = \"refunds\"\n",
            ),
            ("crates/refunds/src/lib.rs", REFUNDED),
        ]);
        assert_eq!((code, err.as_str()), (0, ""), "{manifest}: {out}");
        assert_eq!(out, "0 events in 1 files\n", "{manifest}");
    }
}

/// A workspace with the package `crates/refunds`, which has a type that the catalogue lacks.
fn sources_of_workspace(members: &str) -> (u8, String, String) {
    sources_of(&[
        ("Cargo.toml", &format!("[workspace]\n{members}\n")),
        (
            "crates/refunds/Cargo.toml",
            "[package]\nname = \"refunds\"\n",
        ),
        ("crates/refunds/src/lib.rs", REFUNDED),
    ])
}

#[test]
fn members_are_found_by_all_patterns_of_cargo() {
    for members in [
        "members = [\"./crates/*\"]",
        "members = [\"crates/**\"]",
        "members = [\"**/refunds\"]",
        "members = [\"c*a*s/*f*\"]",
        "members = [\"crates/refund?\"]",
        "members = [\"crates/[pqr]efunds/\"]",
        "members = [\"./crates/refunds\"]\nexclude = [\"crates\"]",
        "members = [\"crates/refunds\"]\nexclude = [\"./crates\"]",
    ] {
        let (code, out, err) = sources_of_workspace(members);
        assert_eq!((code, err.as_str()), (1, ""), "{members}: {out}");
        assert!(out.contains("refunds/src/lib.rs:1"), "{members}: {out}");
        assert!(out.ends_with("1 events in 1 files\n"), "{members}: {out}");
    }
}

#[test]
fn a_pattern_that_is_none_is_an_error_that_names_it() {
    for pattern in ["crates/**s", "crates/[ab"] {
        let (code, out, err) = sources_of_workspace(&format!("members = [\"{pattern}\"]"));
        assert_eq!((code, out.as_str()), (2, ""), "{pattern}: {err}");
        assert!(err.contains(pattern), "{err}");
        assert!(err.contains("Cargo.toml"), "{err}");
    }
}

#[test]
fn the_sources_of_a_package_are_also_those_that_its_manifest_names() {
    let member = "[package]\nname = \"refunds\"\n[lib]\npath = \"refunds.rs\"\n\
        [[bin]]\nname = \"refund\"\npath = \"src/refund.rs\"\n\
        [[bin]]\nname = \"again\"\npath = \"src/bin/again.rs\"\n";
    let (code, out, err) = sources_of(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"refunds\"]\n"),
        ("refunds/Cargo.toml", member),
        ("refunds/refunds.rs", REFUNDED),
        ("refunds/src/refund.rs", ""),
        ("refunds/src/bin/again.rs", ""),
    ]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("refunds/refunds.rs:1"), "{out}");
    assert!(out.ends_with("1 events in 3 files\n"), "{out}");
}

#[test]
fn a_folder_without_sources_is_an_error_that_says_so() {
    let virtual_root = "[workspace]\nmembers = [\"crates/*\"]\n";
    for files in [
        &[("README.md", "")][..],
        &[("Cargo.toml", virtual_root), ("crates/README.md", "")],
    ] {
        let (code, out, err) = sources_of(files);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("there are no sources of a crate in"), "{err}");
        assert!(err.contains("--sources crates/events/src"), "{err}");
    }
    let (code, _, err) = sources_of(&[("Cargo.toml", "[workspace")]);
    assert_eq!(code, 2);
    assert!(err.contains("Cargo.toml"), "{err}");
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
