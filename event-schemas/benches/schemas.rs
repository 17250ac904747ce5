//! Times a catalogue of 1,000 events: collected from types, generated, checked.
//!
//! The events are 1,000 types with schemas of their own. Run without optimizations
//! too (`cargo bench -p event-schemas --bench schemas --profile dev`): that is how
//! a command line is mostly run.

use std::time::{Duration, Instant};

use event_schemas::Catalogue;
use event_schemas::check::{Request, check};
use event_schemas::compat::Verdict;
use event_schemas::lock::{self, Options};
use event_sdk::codec::DecodeFault;
use event_sdk::event::EventSpec;
use event_sdk::json::WriteJson;
use event_sdk::set::Opened;
use event_sdk::subject::grammar::subject_hash;
use event_sdk::{Event, EventSet, Readable, Visit, Visitor};
use jiff::civil::date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed, in one of a thousand ways.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Placed<const N: usize> {
    /// The order.
    id: u64,
    /// What was ordered.
    items: Vec<Item>,
    /// Who ordered.
    customer: Customer,
    /// How it is paid.
    payment: Payment,
    /// What the customer wrote.
    note: Option<String>,
}

/// The same with a field more, which breaks nobody.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Grown<const N: usize> {
    id: u64,
    items: Vec<Item>,
    customer: Customer,
    payment: Payment,
    note: Option<String>,
    gift: Option<bool>,
}

/// The same with a field that is another type, which breaks everybody.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Broken<const N: usize> {
    id: String,
    items: Vec<Item>,
    customer: Customer,
    payment: Payment,
    note: Option<String>,
}

/// Something that was ordered.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    article: String,
    count: u32,
    #[serde(default)]
    cents: i64,
}

/// Who ordered.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Customer {
    name: String,
    email: Option<String>,
}

/// How it is paid.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Payment {
    Card { number: String },
    Cash,
}

/// `orders.order.placed-0042`
struct Subject([u8; 24]);

impl Subject {
    #[expect(clippy::cast_possible_truncation, reason = "a digit is small")]
    const fn of(number: usize) -> Self {
        let mut text = *b"orders.order.placed-0000";
        let mut rest = number;
        let mut at = text.len();
        while rest > 0 {
            at -= 1;
            text[at] += (rest % 10) as u8;
            rest /= 10;
        }
        Self(text)
    }

    const fn text(&self) -> &str {
        match str::from_utf8(&self.0) {
            Ok(text) => text,
            Err(_) => panic!("it is ASCII"),
        }
    }
}

/// The subjects of the events, which are computed.
struct Subjects<const N: usize>;

impl<const N: usize> Subjects<N> {
    const NAME: &'static str = const { &Subject::of(N) }.text();
}

macro_rules! visit_ten {
    ($visitor:ident, $event:ident, $($tens:literal)*) => {
        $( visit_ten!(@ $visitor, $event, $tens, 0 1 2 3 4 5 6 7 8 9); )*
    };
    (@ $visitor:ident, $event:ident, $tens:literal, $($ones:literal)*) => {
        $( Visitor::<$event<{ $tens * 10 + $ones }>>::visit($visitor); )*
    };
}

/// What the derive writes, for a subject that it could not compute, and a set of all.
macro_rules! thousand {
    ($event:ident, $version:expr, $set:ident) => {
        impl<const N: usize> Event for $event<N> {}

        impl<const N: usize> Readable for $event<N> {
            const __AS_JSON: Option<fn(&Self) -> &dyn WriteJson> =
                Some(event_sdk::__private::as_json::<Self>);
            const SPEC: EventSpec = event_sdk::__private::SpecBuilder::new(
                "Placed",
                Subjects::<N>::NAME,
                subject_hash(Subjects::<N>::NAME),
                "order.placed",
                $version,
            )
            .build();
        }

        struct $set;

        impl Visit<event_schemas::Collect> for $set {
            fn visit_all(visitor: &mut event_schemas::Collect) {
                visit_ten!(visitor, $event,
                    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24
                    25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
                    48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70
                    71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93
                    94 95 96 97 98 99);
            }
        }

        impl EventSet for $set {
            const MEMBERS: &'static [&'static EventSpec] = &[];
            const PATTERN: Option<&'static str> = None;
            const TAKES_OTHER: bool = false;

            fn decode(_: &Opened<'_>) -> Result<Self, DecodeFault> {
                Ok(Self)
            }
        }
    };
}

thousand!(Placed, (1, 0), AllPlaced);
thousand!(Grown, (1, 1), AllGrown);
thousand!(Broken, (1, 1), AllBroken);

fn catalogue() -> Catalogue {
    Catalogue::new("A thousand")
        .events_of::<AllPlaced>()
        .example(Placed::<7> {
            id: 7,
            items: vec![Item {
                article: "lamp".to_owned(),
                count: 1,
                cents: 990,
            }],
            customer: Customer {
                name: "Ada".to_owned(),
                email: None,
            },
            payment: Payment::Cash,
            note: None,
        })
}

fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (catalogue, made) = timed(catalogue);
    assert_eq!(catalogue.events().len(), 1000);
    let (faults, looked_over) = timed(|| catalogue.faults());
    assert!(faults.is_empty(), "{faults:?}");
    let generate = |catalogue| lock::generate(catalogue, dir.path(), &Options::default());
    let (written, first) = timed(|| generate(&catalogue));
    assert_eq!(written.expect("it is written").files.len(), 2002);
    let (written, again) = timed(|| generate(&catalogue));
    assert_eq!(written.expect("it is read").files.len(), 0);
    let request = Request::new(dir.path(), date(2026, 11, 28));
    let check = |catalogue| check(catalogue, &request, Vec::new()).expect("it is checked");
    let (report, unchanged) = timed(|| check(&catalogue));
    assert_eq!(report.verdict(), Verdict::Compatible);

    let broken = Catalogue::new("A thousand").events_of::<AllBroken>();
    let (report, breaks) = timed(|| check(&broken));
    assert_eq!(report.verdict(), Verdict::Broken);
    let narrowed = report.findings.iter();
    let narrowed = narrowed.filter(|one| one.rule.id() == "type-narrowed");
    assert_eq!(narrowed.count(), 2000);

    let grown = Catalogue::new("A thousand").events_of::<AllGrown>();
    let (written, second) = timed(|| generate(&grown));
    assert_eq!(written.expect("it is written").files.len(), 2001);
    let (report, versions) = timed(|| check(&grown));
    assert_eq!(report.verdict(), Verdict::Compatible);
    for (what, took) in [
        ("made from 1,000 types, both schemas twice", made),
        ("looked over for faults", looked_over),
        ("generate, nothing there yet", first),
        ("generate, nothing to write", again),
        ("generate, a second version of each", second),
        ("check, nothing changed", unchanged),
        ("check, two versions of each", versions),
        ("check, each broken both ways", breaks),
    ] {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let cpu = took
            .cpu
            .map_or("not known".to_owned(), |cpu| format!("{:.0} ms", ms(cpu)));
        println!("{what:45} {:8.0} ms, on all cores {cpu}", ms(took.wall));
    }
}

/// How long something took.
struct Took {
    wall: Duration,
    /// The time of the processors, of all threads: what a busy machine does not change.
    cpu: Option<Duration>,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (start, before) = (Instant::now(), cpu_time());
    let result = work();
    let (wall, after) = (start.elapsed(), cpu_time());
    let cpu = after
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before));
    (result, Took { wall, cpu })
}

/// The processor time of this program as Linux has it, in ticks of 10 ms.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may have spaces in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}
