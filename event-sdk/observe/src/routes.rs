//! `routes`: answers probes over HTTP with the health of the service, for axum.
//!
//! | route | status | body |
//! |---|---|---|
//! | `GET /live` | 200 as long as the process answers | `{"live":true}` |
//! | `GET /ready` | 200 if the service is [ready](Health::is_ready), otherwise 503 | `{"ready":false,"problems":[…]}` |
//! | `GET /health` | 200 for `ok` and `degraded`, 503 for `down` | the [report](crate::health::HealthReport) |
//!
//! `/live` and `/ready` make no request to the server. `/health` makes the requests of at most one
//! check in each [interval](crate::health::HealthBuilder::interval), however many probes there are.
//!
//! ```no_run
//! use event_sdk::EventBus;
//! use event_sdk_observe::health::Health;
//! use event_sdk_observe::routes::routes;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = EventBus::memory();
//! let health = Health::builder(&bus).version(env!("CARGO_PKG_VERSION")).build();
//!
//! let app = axum::Router::new().merge(routes(health));
//! let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
//! axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The report has names of streams and consumers, and texts of errors, but no credentials and no
//! data of events. Nevertheless, serve it on a port that is not open to the public.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::health::{Health, Problem, Status};

/// The routes `/live`, `/ready` and `/health`. Nest them to give them another path.
pub fn routes<S: Clone + Send + Sync + 'static>(health: Health) -> Router<S> {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/health", get(report))
        .with_state(health)
}

#[derive(Serialize)]
struct Live {
    live: bool,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    problems: Vec<Problem>,
}

async fn live() -> Response {
    answer(true, &Live { live: true })
}

async fn ready(State(health): State<Health>) -> Response {
    let problems = health.unready();
    let ready = problems.is_empty();
    answer(ready, &Ready { ready, problems })
}

async fn report(State(health): State<Health>) -> Response {
    let report = health.check().await;
    answer(report.status != Status::Down, &*report)
}

/// JSON that no proxy keeps.
fn answer(good: bool, body: &impl Serialize) -> Response {
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
