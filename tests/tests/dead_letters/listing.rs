//! Counting, listing, filters, groups by cause; what another client wrote; no personal data.

use event_sdk::Subject;
use event_sdk::dead_letters::{
    Cause, DeadLetterClass, LetterFilter, LetterSummary, Page, QueuedLetter,
};
use event_sdk::transport::{Body, PublishRequest};

use crate::rig::{PLANTED, buses, letter, put, stored, time, within};

fn numbers(letters: &[LetterSummary]) -> Vec<u64> {
    letters
        .iter()
        .map(|letter| letter.origin.sequence)
        .collect()
}

/// Ten letters: every third is of another consumer, class and error.
async fn fill(bus: &event_sdk::EventBus) {
    for number in 1..=10 {
        let mut letter = letter(number);
        letter.last_failure = time(i64::try_from(number).unwrap() * 10);
        if number % 3 == 0 {
            letter.consumer = "shipping".into();
            letter.class = DeadLetterClass::Rejected;
            letter.errors = vec!["shop::NoAddress".to_owned()];
        }
        put(bus, &letter).await;
    }
}

#[tokio::test]
async fn letters_are_counted_listed_and_filtered() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let queue = bus.dead_letters("DLQ");
        let open = LetterFilter::open;
        assert_eq!(within("a count", queue.count(&open())).await.unwrap(), 0);
        fill(&bus).await;
        assert_eq!(within("a count", queue.count(&open())).await.unwrap(), 10);
        let all = open();
        let page = queue.list(&all, Page::new(2, 3));
        assert_eq!(numbers(&within("a list", page).await.unwrap()), [3, 4, 5]);
        let rejected = open().class(DeadLetterClass::Rejected);
        for (filter, expected) in [
            (open().consumer("shipping"), vec![3, 6, 9]),
            (open().consumer("ship"), vec![]),
            (rejected.clone(), vec![3, 6, 9]),
            (rejected.event_type("order.paid"), vec![]),
            (
                open().event_type("order.placed").ids([2, 5, 99]),
                vec![2, 5],
            ),
            (open().failed_since(time(80)), vec![8, 9, 10]),
            (open().failed_before(time(20)), vec![1]),
            (
                LetterFilter::all().status(event_sdk::dead_letters::LetterStatus::Archived),
                vec![],
            ),
        ] {
            let list = within("a list", queue.list(&filter, Page::ALL)).await;
            assert_eq!(numbers(&list.unwrap()), expected, "{filter:?}");
        }
        let none: Option<QueuedLetter> = within("a letter", queue.show(99)).await.unwrap();
        assert_eq!(none, None);
    }
}

/// One line for each, without data of the event, and without what acts on a terminal.
#[tokio::test]
async fn a_list_is_printed_line_by_line() {
    let (_server, buses) = buses().await;
    for bus in buses {
        fill(&bus).await;
        let mut odd = letter(11);
        odd.event_type = Some("order.\u{1b}[31mred".into());
        odd.errors = vec!["line\nbreak".to_owned()];
        (odd.attempts, odd.redrive) = (1, 2);
        put(&bus, &odd).await;
        let queue = bus.dead_letters("DLQ");
        let all = LetterFilter::all();
        let list = within("a list", queue.list(&all, Page::ALL)).await.unwrap();
        let lines: Vec<_> = list.iter().map(ToString::to_string).collect();
        let payment = "retry-exhausted (shop::PaymentError) after 5 attempts, open";
        assert_eq!(
            lines[1],
            format!("2 billing ORDERS/2 order.placed: {payment}")
        );
        let address = "rejected (shop::NoAddress) after 5 attempts, open";
        assert_eq!(
            lines[2],
            format!("3 shipping ORDERS/3 order.placed: {address}")
        );
        let escaped = r"11 billing ORDERS/11 order.\u{1b}[31mred: retry-exhausted (line\nbreak)";
        assert_eq!(
            lines[10],
            format!("{escaped} after 1 attempt, redrive 2, open")
        );
        assert!(!lines.concat().contains(PLANTED));
    }
}

#[tokio::test]
async fn letters_are_grouped_by_cause() {
    let (_server, buses) = buses().await;
    for bus in buses {
        fill(&bus).await;
        let queue = bus.dead_letters("DLQ");
        let groups = within("groups", queue.groups(&LetterFilter::open())).await;
        let groups = groups.unwrap();
        let seen: Vec<_> = groups
            .iter()
            .map(|group| (group.cause.error.as_deref(), group.count, &*group.newest))
            .collect();
        assert_eq!(
            seen,
            [
                (Some("shop::PaymentError"), 7, &[10, 8, 7, 5, 4][..]),
                (Some("shop::NoAddress"), 3, &[9, 6, 3][..]),
            ]
        );
        assert_eq!(groups[1].first_failure, time(1));
        assert_eq!(groups[1].last_failure, time(90));
        let of_it = LetterFilter::open().cause(groups[1].cause.clone());
        let list = within("a list", queue.list(&of_it, Page::ALL))
            .await
            .unwrap();
        assert_eq!(numbers(&list), [3, 6, 9]);
        assert_eq!(Cause::of(&list[0]), groups[1].cause);
    }
}

#[tokio::test]
async fn what_is_no_letter_hides_no_letter() {
    let (_server, buses) = buses().await;
    for bus in buses {
        put(&bus, &letter(1)).await;
        for subject in [
            "dlq.billing.x",
            "dlq.billing.orders.order.placed.7.0",
            "dlq.=other.a.b",
        ] {
            let subject = Subject::parse(subject).unwrap();
            let request = PublishRequest::new(&subject, Body::Encoded("?".into()));
            let stored = async { bus.transport().publish(request).await?.await };
            within("a publish", stored).await.unwrap();
        }
        // A letter of another consumer than its subject says.
        let forged = Subject::parse("dlq.shipping.orders.order.placed.7.0").unwrap();
        let letters = stored(&bus, "DLQ", "dlq.billing.orders.>").await;
        let mut request = PublishRequest::new(&forged, letters[0].body.clone());
        request.headers = letters[0].headers.clone();
        let published = async { bus.transport().publish(request).await?.await };
        within("a publish", published).await.unwrap();
        put(&bus, &letter(2)).await;
        let queue = bus.dead_letters("DLQ");
        let list = within("a list", queue.list(&LetterFilter::open(), Page::ALL)).await;
        assert_eq!(numbers(&list.unwrap()), [1, 2]);
        assert_eq!(
            within("ids", queue.unreadable()).await.unwrap(),
            [2, 3, 4, 5]
        );
        assert_eq!(within("a letter", queue.show(3)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn lists_groups_and_debug_show_no_data_of_events() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let mut letter = letter(1);
        letter.headers.insert("X-Customer", PLANTED).unwrap();
        letter.key = Some(PLANTED.to_owned());
        put(&bus, &letter).await;
        let queue = bus.dead_letters("DLQ");
        let open = LetterFilter::open();
        let list = within("a list", queue.list(&open, Page::ALL))
            .await
            .unwrap();
        let groups = within("groups", queue.groups(&open)).await.unwrap();
        let shown = within("a letter", queue.show(1)).await.unwrap().unwrap();
        assert_eq!(shown.letter, letter, "it is there for those who ask for it");
        let report = within("a redrive", queue.redrive(open).dry_run())
            .await
            .unwrap();
        let texts = format!("{list:#?}{groups:#?}{shown:#?}{letter:#?}{report:#?}{queue:#?}");
        assert!(!texts.contains(PLANTED), "{texts}");
    }
}
