//! Which versions are compared, and the effect of a newer major.

use event_schemas::compat::{
    Contract, Current, Decode, Facts, Finding, History, Mitigation, Mode, Options, Severity,
    compare_event, read_goldens,
};
use event_sdk::Version;
use event_sdk::event::{DataError, decode_data};
use event_sdk::{Event, event::DataErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Event, Serialize, Deserialize)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "1.4"
)]
struct OrderPlacedV1 {
    total: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed", version = "2.0", upcast_from = OrderPlacedV1)]
struct OrderPlacedV2 {
    cents: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed", version = "3.1", upcast_from = OrderPlacedV2)]
struct OrderPlaced {
    price: Price,
}

#[derive(Serialize, Deserialize)]
struct Price {
    cents: u32,
}

impl From<OrderPlacedV1> for OrderPlacedV2 {
    fn from(old: OrderPlacedV1) -> Self {
        Self { cents: old.total }
    }
}

impl From<OrderPlacedV2> for OrderPlaced {
    fn from(old: OrderPlacedV2) -> Self {
        Self {
            price: Price { cents: old.cents },
        }
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A version whose data are an object with these required fields, all of them numbers.
fn with(number: &str, fields: &[&str]) -> Contract {
    let properties: serde_json::Map<_, _> = fields
        .iter()
        .map(|field| {
            (
                (*field).to_owned(),
                json!({ "type": "integer", "minimum": 0, "maximum": 9 }),
            )
        })
        .collect();
    of(
        number,
        json!({ "type": "object", "properties": properties, "required": fields }),
    )
}

fn of(number: &str, schema: Value) -> Contract {
    let facts = Facts::new("orders.order.placed", "order.placed", "OrderPlaced");
    Contract::new(version(number), facts, schema.clone(), schema)
}

fn golden(mut contract: Contract, data: Value) -> Contract {
    contract.golden = Some(data);
    contract
}

fn decode<E: Event>(found: Version, data: &[u8]) -> Result<(), DataError> {
    decode_data::<E>(found, data).map(drop)
}

fn compare(
    committed: Vec<Contract>,
    code: Contract,
    decode: &Decode<'_>,
    mode: Mode,
) -> Vec<Finding> {
    let history = History::new("orders.order.placed", false, committed);
    let options = Options {
        mode,
        ..Options::default()
    };
    compare_event(&history, &[Current::new(code, decode)], options).unwrap()
}

fn told(findings: &[Finding]) -> Vec<String> {
    let told = findings.iter().map(|finding| {
        let versions = finding.versions.unwrap();
        let severity = finding.severity.name();
        let path = finding.path.as_deref().unwrap_or("-");
        format!("{severity} {} {path} {versions}", finding.rule)
    });
    told.collect()
}

#[test]
fn a_transitive_mode_compares_with_all_versions_and_another_with_the_one_before() {
    // `b` came with 1.1 and is gone again; 1.0 never knew it.
    let committed = || vec![with("1.0", &["a"]), with("1.1", &["a", "b"])];
    let found = |code, mode| told(&compare(committed(), code, &decode::<OrderPlacedV1>, mode));
    // 1.0 has no `b`, which 1.2 needs; 1.1 has it.
    let needs_b = || with("1.2", &["a", "b"]);
    assert_eq!(found(needs_b(), Mode::Backward), [""; 0]);
    assert_eq!(
        found(needs_b(), Mode::BackwardTransitive),
        ["error required-added b 1.0 → 1.2, BACKWARD"]
    );
    let without = || with("1.2", &["a"]);
    assert_eq!(
        found(without(), Mode::Forward),
        ["error required-added b 1.1 → 1.2, FORWARD"]
    );
    let without_a = || with("1.2", &["b"]);
    assert_eq!(
        found(without_a(), Mode::Forward),
        ["error required-added a 1.1 → 1.2, FORWARD"]
    );
    // What holds of both is said once, of the newest.
    let findings = compare(
        committed(),
        without_a(),
        &decode::<OrderPlacedV1>,
        Mode::ForwardTransitive,
    );
    assert_eq!(
        told(&findings),
        ["error required-added a 1.1 → 1.2, FORWARD"]
    );
    assert!(
        findings[0].why.ends_with("The same holds of 1.0."),
        "{}",
        findings[0].why
    );
}

#[test]
fn the_version_that_was_just_generated_does_not_hide_the_one_before_it() {
    let committed = vec![with("1.0", &["a"]), with("1.1", &["a", "b"])];
    let findings = compare(
        committed,
        with("1.1", &["a", "b"]),
        &decode::<OrderPlacedV1>,
        Mode::Full,
    );
    assert_eq!(
        told(&findings),
        ["error required-added b 1.0 → 1.1, BACKWARD"]
    );
}

#[test]
fn between_majors_the_chain_counts_and_forward_breaks_are_put_back() {
    let committed = vec![
        golden(with("1.0", &["total"]), json!({ "total": 1 })),
        golden(with("2.0", &["cents"]), json!({ "cents": 1 })),
    ];
    let price = json!({ "type": "object", "properties": { "price": {
        "type": "object", "properties": { "cents": { "type": "integer" } }, "required": ["cents"],
    } }, "required": ["price"] });
    let findings = compare(
        committed.clone(),
        of("3.0", price),
        &decode::<OrderPlaced>,
        Mode::FullTransitive,
    );
    assert!(
        findings.iter().all(|one| one.severity == Severity::Note),
        "{findings:#?}"
    );
    let told = told(&findings);
    assert!(
        told.contains(&"note required-added price 2.0 → 3.0, BACKWARD".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"note required-added cents 2.0 → 3.0, FORWARD".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"note required-added total 1.0 → 3.0, FORWARD".to_owned()),
        "{told:?}"
    );
    let backward = findings
        .iter()
        .find(|one| one.path.as_deref() == Some("price"))
        .unwrap();
    let into = "OrderPlaced".to_owned();
    assert_eq!(backward.mitigation, Some(Mitigation::Upcaster { into }));
    assert!(
        backward.why.ends_with("The same holds of 1.0."),
        "{}",
        backward.why
    );
}

#[test]
fn a_document_that_the_chain_refuses_is_a_break() {
    // The old schema allows what the old type does not read.
    let lax = json!({ "type": "object", "properties": { "total": { "type": "integer" } }, "required": ["total"] });
    let committed = vec![golden(of("1.0", lax), json!({ "total": 1 }))];
    let strict = |found: Version, data: &[u8]| -> Result<(), DataError> {
        decode::<OrderPlacedV2>(found, data)?;
        let value: Value = serde_json::from_slice(data).unwrap();
        if value["total"] == 0 {
            // Any refusal will do: this one is of data that are no event.
            return decode::<OrderPlacedV2>(found, b"null");
        }
        Ok(())
    };
    let findings = compare(committed, with("2.0", &["cents"]), &strict, Mode::Backward);
    assert_eq!(
        told(&findings),
        ["error upcaster-refuses cents 1.0 → 2.0, BACKWARD"]
    );
    assert_eq!(
        findings[0].document.as_ref().unwrap().data,
        json!({ "total": 0 })
    );
}

#[test]
fn a_major_without_a_way_is_said_of_the_golden_document_and_not_of_every_field() {
    // The type of 2.0 is there, and does not lead on.
    #[derive(Event, Serialize, Deserialize)]
    #[event(
        domain = "orders",
        entity = "order",
        action = "placed",
        version = "3.0"
    )]
    struct Cut {
        price: u32,
    }
    let old = golden(with("1.0", &["total"]), json!({ "total": 1 }));
    let code = || with("3.0", &["price"]);
    let findings = compare(vec![old.clone()], code(), &decode::<Cut>, Mode::Backward);
    assert_eq!(told(&findings), [""; 0]);
    let findings = read_goldens([&old], &Current::new(code(), &decode::<Cut>));
    assert_eq!(told(&findings), ["error upcaster-missing - 1.0 → 3.0"]);
    assert!(
        findings[0].ways_out[0].contains("upcast_from = OrderPlacedV2"),
        "{findings:#?}"
    );
    let no_way = decode::<Cut>(version("1.0"), b"{}").unwrap_err();
    assert_eq!(no_way.kind(), DataErrorKind::Older);
}

#[test]
fn golden_documents_of_all_majors_are_read_by_the_newest_type() {
    let one = golden(with("1.0", &["total"]), json!({ "total": 1 }));
    let two = golden(with("2.3", &["cents"]), json!({ "cents": 1 }));
    let bad = golden(with("2.4", &["cents"]), json!({ "cents": "one" }));
    let newer = golden(with("4.0", &["x"]), json!({ "x": 1 }));
    let code = Current::new(with("3.1", &["price"]), &decode::<OrderPlaced>);
    let findings = read_goldens([&one, &two, &bad, &newer], &code);
    assert_eq!(told(&findings), ["error golden-refused - 2.4 → 3.1"]);
    assert!(
        findings[0].why.contains("invalid type: string"),
        "{}",
        findings[0].why
    );
}

#[test]
fn an_older_type_in_the_catalogue_is_held_to_its_own_major() {
    let committed = vec![
        golden(with("1.0", &["total"]), json!({ "total": 1 })),
        golden(with("2.0", &["cents"]), json!({ "cents": 1 })),
    ];
    let history = History::new("orders.order.placed", false, committed);
    let one = Current::new(with("1.1", &["total", "extra"]), &decode::<OrderPlacedV1>);
    let two = Current::new(with("2.0", &["cents"]), &decode::<OrderPlacedV2>);
    let options = Options {
        mode: Mode::Backward,
        ..Options::default()
    };
    let findings = compare_event(&history, &[one, two], options).unwrap();
    let told = told(&findings);
    assert!(
        told.contains(&"error required-added extra 1.0 → 1.1, BACKWARD".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"note required-added cents 1.0 → 2.0, BACKWARD".to_owned()),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn another_way_to_write_the_same_schema_is_no_other_contract() {
    let old = json!({ "type": "object", "properties": { "a": { "type": ["integer", "null"] } } });
    let new = json!({ "type": "object", "properties": { "a": { "anyOf": [
        { "type": "integer" }, { "type": "null" },
    ] } } });
    let findings = compare(
        vec![of("1.0", old)],
        of("1.0", new),
        &decode::<OrderPlacedV1>,
        Mode::Full,
    );
    assert_eq!(told(&findings), [""; 0]);
}

#[test]
fn more_personal_data_is_another_contract() {
    let mut code = with("1.0", &["a"]);
    code.pii = vec!["a".to_owned()];
    let findings = compare(
        vec![with("1.0", &["a"])],
        code,
        &decode::<OrderPlacedV1>,
        Mode::Full,
    );
    assert_eq!(
        told(&findings),
        ["warning pii-added a 1.0", "error version-not-raised - 1.0"]
    );
    assert!(
        findings[1]
            .why
            .contains("other fields are marked as personal data")
    );
}
