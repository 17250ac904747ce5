//! Table of valid and broken documents, with each reader's verdict.

use std::fs;
use std::path::Path;

use event_schemas::{Catalogue, EventEntry};
use event_sdk::Version;
use serde::Serialize;
use serde_json::{Value, json};

use crate::shop;

/// An envelope, and who is to take it.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    /// The file of its schema, without its ending.
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) envelope: Value,
    /// Whether pydantic takes it.
    pub(crate) pydantic: bool,
    /// Whether it compiles.
    pub(crate) typescript: bool,
    #[serde(skip)]
    pub(crate) ours: bool,
}

/// Who refuses a document.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refuses {
    /// Nobody: it is another form that is allowed.
    Nobody,
    /// Every reader.
    All,
    /// Every reader that looks at values; types say nothing of bounds and formats.
    Values,
    /// Those that go by the schema: it says more (`#[schemars(range(…))]`) than serde checks.
    SchemaAlone,
    /// The compiler alone: our decoder reads `None` for a flattened option that does not fit, and
    /// the generator for pydantic leaves out `anyOf` beside `properties`.
    Compiler,
}
use Refuses::{All, Compiler, Nobody, SchemaAlone, Values};

/// The first example of an event, with another value (or none) at a place in its data.
const CHANGED: &[(&str, &str, Option<&str>, Refuses)] = &[
    // required, optional, null
    ("orders.order.placed@2.1", "/order", None, All),
    ("orders.order.placed@2.1", "/order", Some("null"), All),
    ("orders.order.placed@2.1", "/order", Some("7"), All),
    ("orders.order.placed@2.1", "/voucher", None, Nobody),
    ("orders.order.placed@2.1", "/voucher", Some("7"), All),
    ("orders.order.placed@2.1", "/shipTo", Some("null"), Nobody),
    ("orders.order.placed@2.1", "/gift", Some("true"), Nobody),
    ("orders.order.placed@2.1", "/gift", Some("\"yes\""), All),
    // ids and times
    (
        "orders.order.placed@2.1",
        "/basketId",
        Some("\"no-uuid\""),
        Values,
    ),
    ("orders.order.placed@2.1", "/basketId", Some("7"), All),
    (
        "orders.order.placed@2.1",
        "/placedAt",
        Some("\"yesterday\""),
        Values,
    ),
    (
        "orders.order.placed@2.1",
        "/placedAt",
        Some("\"2026-02-30T00:00:00Z\""),
        Values,
    ),
    (
        "orders.order.placed@2.1",
        "/placedAt",
        Some("\"2026-02-03T04:05:06.5+01:00\""),
        Nobody,
    ),
    // nested, in lists and in maps
    ("orders.order.placed@2.1", "/lines", Some("[]"), Nobody),
    ("orders.order.placed@2.1", "/lines", Some("{}"), All),
    (
        "orders.order.placed@2.1",
        "/lines/0/price/amount",
        None,
        All,
    ),
    (
        "orders.order.placed@2.1",
        "/lines/0/price/amount",
        Some("1.5"),
        Values,
    ),
    (
        "orders.order.placed@2.1",
        "/lines/0/price/amount",
        Some("\"450\""),
        All,
    ),
    (
        "orders.order.placed@2.1",
        "/lines/0/quantity",
        Some("-1"),
        Values,
    ),
    (
        "orders.order.placed@2.1",
        "/lines/0/quantity",
        Some("4294967296"),
        Values,
    ),
    (
        "orders.order.placed@2.1",
        "/totals/tax",
        Some(r#"{"amount":1,"currency":"EUR"}"#),
        Nobody,
    ),
    (
        "orders.order.placed@2.1",
        "/totals/tax",
        Some(r#"{"amount":1}"#),
        All,
    ),
    ("orders.order.placed@2.1", "/totals/goods", Some("900"), All),
    (
        "orders.order.placed@2.1",
        "/totals/goods/currency",
        Some("\"EURO\""),
        SchemaAlone,
    ),
    ("orders.order.placed@2.1", "/shipTo/name", None, All),
    ("orders.order.placed@2.1", "/shipTo/name", Some("7"), All),
    // flattened
    (
        "orders.order.placed@2.1",
        "/channel",
        Some("\"in-store\""),
        Nobody,
    ),
    (
        "orders.order.placed@2.1",
        "/channel",
        Some("\"InStore\""),
        All,
    ),
    ("orders.order.placed@2.1", "/channel", None, All),
    (
        "orders.order.placed@2.1",
        "/campaign",
        Some("\"spring\""),
        Nobody,
    ),
    // a flattened option of an enum
    ("orders.order.cancelled@1.0", "/to_account", None, Nobody),
    (
        "orders.order.cancelled@1.0",
        "/to_account/cents",
        Some("\"9\""),
        Compiler,
    ),
    (
        "orders.order.cancelled@1.0",
        "/to_account/cents",
        None,
        Compiler,
    ),
    (
        "orders.order.cancelled@1.0",
        "/to_account",
        Some("7"),
        Compiler,
    ),
    // an enum with its tag outside
    (
        "orders.order.cancelled@1.0",
        "/reason",
        Some("\"customer\""),
        Nobody,
    ),
    (
        "orders.order.cancelled@1.0",
        "/reason",
        Some("\"nobody\""),
        All,
    ),
    (
        "orders.order.cancelled@1.0",
        "/reason",
        Some(r#"{"other":"rain"}"#),
        Nobody,
    ),
    (
        "orders.order.cancelled@1.0",
        "/reason",
        Some(r#"{"other":7}"#),
        All,
    ),
    (
        "orders.order.cancelled@1.0",
        "/reason/out_of_stock/missing",
        None,
        All,
    ),
    // with its tag inside
    (
        "payments.payment.taken@1.0",
        "/method",
        Some(r#"{"kind":"cash"}"#),
        Nobody,
    ),
    (
        "payments.payment.taken@1.0",
        "/method",
        Some(r#"{"kind":"transfer","iban":"ES91"}"#),
        Nobody,
    ),
    (
        "payments.payment.taken@1.0",
        "/method",
        Some(r#"{"kind":"transfer"}"#),
        All,
    ),
    (
        "payments.payment.taken@1.0",
        "/method/kind",
        Some("\"shells\""),
        All,
    ),
    ("payments.payment.taken@1.0", "/method/kind", None, All),
    (
        "payments.payment.taken@1.0",
        "/method/contactless",
        Some("1"),
        All,
    ),
    // without a tag
    (
        "payments.payment.taken@1.0",
        "/reference",
        Some("7"),
        Nobody,
    ),
    (
        "payments.payment.taken@1.0",
        "/reference",
        Some("-7"),
        Values,
    ),
    (
        "payments.payment.taken@1.0",
        "/reference",
        Some("true"),
        All,
    ),
    (
        "payments.payment.taken@1.0",
        "/reference",
        Some("null"),
        All,
    ),
    (
        "payments.payment.taken@1.0",
        "/amount",
        Some("18446744073709551615"),
        Nobody,
    ),
    (
        "payments.payment.taken@1.0",
        "/amount",
        Some("18446744073709551616"),
        Values,
    ),
    // with tag and content
    (
        "payments.payment.refused@1.0",
        "/cause",
        Some(r#"{"code":"FUNDS","detail":3}"#),
        Nobody,
    ),
    (
        "payments.payment.refused@1.0",
        "/cause",
        Some(r#"{"code":"FUNDS","detail":"3"}"#),
        All,
    ),
    (
        "payments.payment.refused@1.0",
        "/cause",
        Some(r#"{"code":"FUNDS"}"#),
        All,
    ),
    (
        "payments.payment.refused@1.0",
        "/cause",
        Some(r#"{"code":"EXPIRED"}"#),
        Nobody,
    ),
    (
        "payments.payment.refused@1.0",
        "/cause",
        Some(r#"{"code":"expired"}"#),
        All,
    ),
    // numbers, tuples, sets
    (
        "stock.shelf.counted@1.0",
        "/pieces",
        Some("2147483648"),
        Values,
    ),
    ("stock.shelf.counted@1.0", "/weight", Some("3"), Nobody),
    ("stock.shelf.counted@1.0", "/weight", Some("\"3\""), All),
    ("stock.shelf.counted@1.0", "/full", Some("256"), Values),
    ("stock.shelf.counted@1.0", "/full", Some("101"), SchemaAlone),
    ("stock.shelf.counted@1.0", "/place", Some("[1]"), All),
    ("stock.shelf.counted@1.0", "/place", Some("[1,2,3]"), All),
    // json-schema-to-typescript does not read `prefixItems`: any pair compiles
    (
        "stock.shelf.counted@1.0",
        "/place",
        Some("[1,\"2\"]"),
        Values,
    ),
    ("stock.shelf.counted@1.0", "/labels", Some("[]"), Nobody),
    ("stock.shelf.counted@1.0", "/labels", Some("[1]"), All),
    // a type within itself
    (
        "stock.category.moved@1.0",
        "/tree/children/0/children",
        Some(r#"[{"name":"sencha"}]"#),
        Nobody,
    ),
    (
        "stock.category.moved@1.0",
        "/tree/children/0/children",
        Some(r#"[{"title":"sencha"}]"#),
        All,
    ),
    (
        "stock.category.moved@1.0",
        "/tree/children",
        Some("[null]"),
        All,
    ),
    // renamed
    (
        "acme-carrier.Parcel.Scanned@1.0",
        "/Depot",
        Some("null"),
        Nobody,
    ),
    ("acme-carrier.Parcel.Scanned@1.0", "/Depot", Some("7"), All),
];

/// The golden documents, and the changed ones.
pub(crate) fn all(catalogue: &Catalogue) -> Vec<Document> {
    let golden = catalogue.events().iter().flat_map(|entry| {
        let examples = entry.examples().iter().enumerate();
        examples.map(|(at, data)| document(entry, &format!("example {}", at + 1), data, Nobody))
    });
    let changed = CHANGED.iter().map(|(id, at, to, refuses)| {
        let entry = entry(catalogue, id);
        let mut data = entry.examples()[0].clone();
        change(
            &mut data,
            at,
            to.map(|to| serde_json::from_str(to).unwrap()),
        );
        let name = format!("{at} is {}", to.unwrap_or("not there"));
        document(entry, &name, &data, *refuses)
    });
    golden.chain(changed).collect()
}

/// Writes the schemas of all events and the documents into `folder`, for the tools.
pub(crate) fn write(catalogue: &Catalogue, documents: &[Document], folder: &Path) {
    let schemas = folder.join("schemas");
    fs::create_dir_all(&schemas).unwrap();
    for entry in catalogue.events() {
        let file = schemas.join(format!("{}.json", id(entry)));
        let schema = serde_json::to_string_pretty(&entry.envelope()).unwrap();
        fs::write(file, schema).unwrap();
    }
    let documents = serde_json::to_string_pretty(documents).unwrap();
    fs::write(folder.join("documents.json"), documents).unwrap();
}

fn id(entry: &EventEntry) -> String {
    format!("{}@{}", entry.spec().subject(), entry.spec().version())
}

fn entry<'a>(catalogue: &'a Catalogue, wanted: &str) -> &'a EventEntry {
    let mut entries = catalogue.events().iter();
    entries.find(|entry| id(entry) == wanted).unwrap()
}

fn document(entry: &EventEntry, name: &str, data: &Value, refuses: Refuses) -> Document {
    let spec = entry.spec();
    let envelope = json!({
        "event_id": "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "event_type": spec.event_type(),
        "timestamp": "2025-11-06T12:00:00.123456Z",
        "source": "shop",
        "version": spec.version().to_string(),
        "data": data,
        "metadata": { "correlation_id": "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11", "region": "eu" },
    });
    Document {
        schema: id(entry),
        name: name.to_owned(),
        envelope,
        ours: matches!(refuses, Nobody | SchemaAlone | Compiler),
        pydantic: matches!(refuses, Nobody | Compiler),
        typescript: matches!(refuses, Nobody | Values | SchemaAlone),
    }
}

/// Puts `to` at a place, or takes away what is there.
fn change(data: &mut Value, at: &str, to: Option<Value>) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    match (data.pointer_mut(parent).unwrap(), to) {
        (Value::Object(object), Some(to)) => {
            object.insert(name.to_owned(), to);
        }
        (Value::Object(object), None) => {
            object.remove(name).unwrap();
        }
        (other, _) => panic!("{at} is not in an object: {other}"),
    }
}

#[test]
fn our_decoder_takes_what_is_good_and_refuses_what_is_broken() {
    let catalogue = shop::catalogue();
    for document in all(&catalogue) {
        let version: Version = document.envelope["version"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let data = document.envelope["data"].to_string();
        let read = entry(&catalogue, &document.schema).decode(version, data.as_bytes());
        let Document { schema, name, .. } = &document;
        assert_eq!(read.is_ok(), document.ours, "{schema}: {name}: {read:?}");
    }
}
