//! The alert rules, the dashboard and the documented table: each expression is valid for Prometheus, and each name is
//! one that an exporter for Prometheus writes for a service in which everything happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Failure, Retry};
use event_sdk::time::SteppedClock;
use event_sdk::transport::DeliverPolicy;
use event_sdk_observe::health::{Health, Thresholds};
use event_sdk_sql::{Outbox, Sqlite};
use metrics_exporter_prometheus::PrometheusBuilder;
use promql_parser::parser::token::{T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE, T_MAX, T_MIN, T_NEQ};
use promql_parser::parser::{Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;
use sqlx::sqlite::SqlitePoolOptions;

use crate::{OrderPlaced, bus};

const ALERTS: &str = include_str!("../../monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../monitoring/dashboard.json");
const TABLE: &str = include_str!("../../src/metrics.rs");

/// It needs a server with TLS: the tests of the health over HTTP scrape it.
const WITH_TLS: &str = "event_sdk_certificate_expiry_seconds";

/// What an exporter writes for a service that publishes, receives again, fails, retries and checks its
/// health.
pub(crate) async fn rendered(exporter: PrometheusBuilder) -> String {
    let recorder = exporter.build_recorder();
    let handle = recorder.handle();
    // For the whole thread, which ends with the test.
    let recorder: &'static _ = Box::leak(Box::new(recorder));
    let _installed = metrics::set_default_local_recorder(recorder);

    let clock = SteppedClock::new();
    let bus = bus(&clock);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    let outbox = Outbox::<Sqlite>::new(pool, bus.clone());
    outbox.migrate().await.unwrap();
    bus.publisher()
        .publish(OrderPlaced { id: 1 })
        .await
        .unwrap();
    let before = bus.subscribe::<OrderPlaced>().durable("billing");
    let mut before = before.deliver(DeliverPolicy::All).await.unwrap();
    let delivery = before.next().await.unwrap().unwrap();
    delivery.nak(Duration::ZERO).await.unwrap();
    drop((delivery, before));

    let failed = AtomicBool::new(false);
    let handled = Arc::new(tokio::sync::Notify::new());
    let done = Arc::clone(&handled);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .retry(Retry::steps([Duration::ZERO]).max_attempts(2))
        .on(move |_: OrderPlaced, _| {
            let first = !failed.swap(true, Ordering::SeqCst);
            let done = Arc::clone(&done);
            async move {
                if first {
                    return Err(Failure::retry("busy"));
                }
                done.notify_one();
                Ok(())
            }
        });
    let health = Health::builder(&bus)
        .consumer(&consumer)
        .dead_letters("BILLING");
    let health = health.outbox(Arc::clone(outbox.store())).build();
    consumer.run_until(handled.notified()).await.unwrap();
    health.check().await;
    handle.render()
}

/// The names of the metrics that an exporter has written.
pub(crate) fn names_of_metrics(rendered: &str) -> BTreeSet<String> {
    let lines = rendered.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split(['{', ' ']).next());
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The names that an exporter writes by default.
async fn exported() -> BTreeSet<String> {
    names_of_metrics(&rendered(PrometheusBuilder::new()).await)
}

/// The expressions of the alerts, each in one line.
fn of_alerts() -> Vec<&'static str> {
    let lines = ALERTS.lines().map(str::trim_start);
    let exprs: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("expr: "))
        .collect();
    assert_eq!(exprs.len(), ALERTS.matches("- alert: ").count());
    exprs
}

fn of_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let exprs = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    exprs.collect()
}

/// The names in an expression.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, selector: &VectorSelector) {
        self.0
            .insert(selector.name.clone().expect("a selector has a name"));
    }
}

impl ExprVisitor for Names {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.add(selector),
            Expr::MatrixSelector(matrix) => self.add(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

fn names_of(expr: &Expr) -> BTreeSet<String> {
    let mut names = Names::default();
    walk_expr(&mut names, expr).unwrap();
    names.0
}

/// The documented metrics, as an exporter for Prometheus names them, with their kinds.
fn rows() -> impl Iterator<Item = (String, &'static str)> {
    let rows = TABLE.lines();
    let rows = rows.filter_map(|line| line.strip_prefix("//! | `"));
    rows.flat_map(|row| {
        let mut cells = row.split(" | ");
        let (names, kind) = (cells.next().unwrap(), cells.next().unwrap());
        let names = names.split(['`', ',', ' ']);
        let names = names.filter(|name| !name.is_empty());
        names.map(move |name| (name.replace('.', "_"), kind))
    })
}

pub(crate) fn names_in(exprs: impl IntoIterator<Item = impl AsRef<str>>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for expr in exprs {
        let expr = expr.as_ref();
        let parsed = promql_parser::parser::parse(expr);
        let parsed = parsed.unwrap_or_else(|why| panic!("{expr}: {why}"));
        let mut names = names_of(&parsed);
        assert!(!names.is_empty(), "{expr}");
        all.append(&mut names);
    }
    all
}

#[tokio::test]
async fn every_expression_is_promql_over_names_that_are_exported() {
    let mut exported = exported().await;
    // Of the exporter's process collector.
    exported.insert("process_resident_memory_bytes".to_owned());
    exported.insert(WITH_TLS.to_owned());
    for used in [names_in(of_alerts()), names_in(of_dashboard())] {
        let unknown: Vec<_> = used.difference(&exported).collect();
        assert!(
            unknown.is_empty(),
            "{unknown:?} are not among {exported:#?}"
        );
    }
}

#[tokio::test]
async fn the_documented_metrics_are_those_that_are_exported() {
    let mut documented = BTreeSet::new();
    for (name, kind) in rows() {
        if kind.starts_with("histogram") {
            documented.insert(format!("{name}_sum"));
            documented.insert(format!("{name}_count"));
        }
        documented.insert(name);
    }
    let mut exported = exported().await;
    exported.insert(WITH_TLS.to_owned());
    assert_eq!(documented, exported);
}

/// Without its limit beside it, a panel does not show how full a stream is.
#[test]
fn the_dashboard_shows_each_limit_beside_what_it_limits() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().map(|panel| {
        let targets = panel["targets"].as_array().unwrap().iter();
        names_in(targets.map(|target| target["expr"].as_str().unwrap()))
    });
    let panels: Vec<_> = panels.collect();
    let mut limits = 0;
    for (limit, _) in rows().filter(|(name, _)| name.contains("_max_")) {
        limits += 1;
        let limited = limit.replace("_max_", "_");
        let both = |names: &BTreeSet<String>| names.contains(&limit) && names.contains(&limited);
        assert!(
            panels.iter().any(both),
            "no panel has {limit} and {limited}"
        );
    }
    assert_eq!(limits, 2);
}

/// No two panels lie on each other.
#[test]
fn each_panel_of_the_dashboard_has_its_own_place_and_id() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let number = |panel: &Value, field: &str| panel["gridPos"][field].as_u64().unwrap();
    let cells = panels.iter().flat_map(|panel| {
        let of = |field| number(panel, field);
        let columns = of("x")..of("x") + of("w");
        let (from, to) = (of("y"), of("y") + of("h"));
        columns.flat_map(move |x| (from..to).map(move |y| (x, y)))
    });
    let cells: Vec<_> = cells.collect();
    assert_eq!(cells.iter().collect::<BTreeSet<_>>().len(), cells.len());
    assert!(cells.iter().all(|(x, _)| *x < 24));
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
}

/// The gauges in an expression that are unknown (`NaN`) where that makes more than their own series
/// unknown, or raises an alert: in an aggregation or a range that does not leave them out.
struct Unknown<'a>(&'a BTreeSet<String>, Vec<String>);

/// The gauges that are unknown in this expression where more than their own series suffers.
pub(crate) fn spreading_unknown(expr: &str) -> Vec<String> {
    let gauges = rows().filter(|(_, kind)| kind.starts_with("gauge"));
    let gauges: BTreeSet<_> = gauges.map(|(name, _)| name).collect();
    assert!(gauges.contains("event_sdk_consumer_lag"), "{gauges:?}");
    let mut unknown = Unknown(&gauges, Vec::new());
    walk_expr(&mut unknown, &promql_parser::parser::parse(expr).unwrap()).unwrap();
    unknown.1
}

impl Unknown<'_> {
    /// A comparison drops the series that are `NaN`.
    fn add_unless_compared(&mut self, expr: &Expr) {
        match expr {
            Expr::Paren(inner) => self.add_unless_compared(&inner.expr),
            Expr::Binary(binary)
                if [T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE].contains(&binary.op.id()) => {}
            _ => self.1.extend(names_of(expr).intersection(self.0).cloned()),
        }
    }
}

impl ExprVisitor for Unknown<'_> {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            // `max` and `min` leave `NaN` out where there is a number.
            Expr::Aggregate(sum) if ![T_MAX, T_MIN].contains(&sum.op.id()) => {
                self.add_unless_compared(&sum.expr);
            }
            // One sample makes the result unknown as long as the range holds it.
            Expr::MatrixSelector(_) => {
                self.1.extend(names_of(expr).intersection(self.0).cloned());
            }
            Expr::Subquery(range) => self.add_unless_compared(&range.expr),
            // `NaN` differs from every number.
            Expr::Binary(binary) if binary.op.id() == T_NEQ => {
                self.1.extend(names_of(expr).intersection(self.0).cloned());
            }
            _ => {}
        }
        Ok(true)
    }
}

/// A gauge that is not known is `NaN`.
#[test]
fn a_gauge_that_is_not_known_neither_raises_an_alert_nor_hides_others() {
    let wrong = spreading_unknown;
    for expr in of_alerts()
        .into_iter()
        .map(str::to_owned)
        .chain(of_dashboard())
    {
        assert!(wrong(&expr).is_empty(), "{expr}: {:?}", wrong(&expr));
    }
    let lag = ["event_sdk_consumer_lag"];
    assert_eq!(wrong("sum by (job) (event_sdk_consumer_lag) > 0"), lag);
    assert_eq!(wrong("event_sdk_consumer_lag != 0"), lag);
    assert_eq!(wrong("deriv(event_sdk_consumer_lag[5m])"), lag);
    assert_eq!(wrong("deriv((event_sdk_consumer_lag + 0)[5m:])"), lag);
}

/// One check that reads nothing does not begin the `for` of an alert anew.
#[test]
fn an_alert_that_waits_takes_the_last_known_value_of_a_gauge() {
    // It becomes unknown when the health is dropped, which ends the alert.
    let always_known = "event_sdk_health_status";
    let gauges = rows().filter(|(name, kind)| kind.starts_with("gauge") && name != always_known);
    let gauges: BTreeSet<_> = gauges.map(|(name, _)| name).collect();
    let waits = ALERTS.split("- alert: ").skip(1);
    let waits: Vec<_> = waits
        .filter(|alert| alert.contains("\n        for: "))
        .collect();
    assert!(waits.len() > 2, "{waits:?}");
    for alert in waits {
        let expr = alert
            .lines()
            .find_map(|line| line.trim().strip_prefix("expr: "));
        let mut at_once = AtOnce::default();
        walk_expr(
            &mut at_once,
            &promql_parser::parser::parse(expr.unwrap()).unwrap(),
        )
        .unwrap();
        let at_once: Vec<_> = at_once.names.intersection(&gauges).collect();
        assert!(at_once.is_empty(), "{at_once:?} in {alert}");
    }
}

/// The names in an expression that are not in a range.
#[derive(Default)]
struct AtOnce {
    names: BTreeSet<String>,
    /// How many ranges are around.
    depth: usize,
}

impl ExprVisitor for AtOnce {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::Subquery(_) => self.depth += 1,
            Expr::VectorSelector(selector) if self.depth == 0 => {
                self.names.extend(selector.name.clone());
            }
            _ => {}
        }
        Ok(true)
    }

    fn post_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        if matches!(expr, Expr::Subquery(_)) {
            self.depth -= 1;
        }
        Ok(true)
    }
}

/// The last known value of a gauge, as alerts with a `for` take it.
fn last_known(gauge: &str) -> String {
    format!("last_over_time(({gauge} >= 0)[2m:15s])")
}

#[test]
fn the_alerts_have_the_limits_of_the_thresholds() {
    let limits = Thresholds::default();
    let alerts = of_alerts();
    for alert in [
        format!(
            "{} > {}",
            last_known("event_sdk_consumer_lag"),
            limits.lag_events.unwrap()
        ),
        format!(
            "{} > {}",
            last_known("event_sdk_consumer_lag_seconds"),
            limits.lag_time.unwrap().as_secs()
        ),
        format!("event_sdk_dead_letters > {}", limits.dead_letters.unwrap()),
        format!(
            "{} > {}",
            last_known("event_sdk_outbox_oldest_age_seconds"),
            limits.outbox_age.unwrap().as_secs()
        ),
        format!(
            "event_sdk_certificate_expiry_seconds - time() < {}",
            limits.certificate_expiry.unwrap().as_secs()
        ),
        {
            // Of both limits of a stream.
            let nearly = f64::from(limits.stream_full_percent.unwrap()) / 100.0;
            let of = |unit| {
                format!(
                    "{} / on (job, instance, health, stream) {} > {nearly}",
                    last_known(&format!("event_sdk_stream_{unit}")),
                    last_known(&format!("event_sdk_stream_max_{unit}{{discard=\"new\"}}"))
                )
            };
            format!("{} or {}", of("bytes"), of("messages"))
        },
    ] {
        assert!(
            alerts.contains(&&*alert),
            "{alert} is not among {alerts:#?}"
        );
    }
}

#[test]
fn each_alert_has_a_section_in_the_runbook() {
    let runbook = include_str!("../../../../docs/runbook.md");
    let sections: BTreeSet<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|title| title.starts_with("Event"))
        .collect();
    let alerts: BTreeSet<_> = ALERTS
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- alert: "))
        .collect();
    assert_eq!(sections, alerts);
}
