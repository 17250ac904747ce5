//! Example `quickstart`: replays three days of flights as events, with a live delay board and a
//! summary by carrier and airport.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! The modules, in the order in which data flows:
//!
//! - `args`, `flights_file`, `airlines`: arguments, the CSV file, names of airlines;
//! - `timeline`, `replay`, `pace`: rows become events in order of time;
//! - `announcer`: publishes them;
//! - `follower`: receives them;
//! - `board`, `screen`: the live delay board;
//! - `summary`, `mean`: the figures by carrier and airport.

mod airlines;
mod announcer;
mod args;
mod board;
mod flights_file;
mod follower;
mod mean;
mod pace;
mod replay;
mod screen;
mod summary;
mod timeline;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk_examples::events::flights as events;

use crate::airlines::Airlines;
use crate::announcer::Announcer;
use crate::args::Args;
use crate::board::Board;
use crate::events::FlightEvents;
use crate::flights_file::FlightsFile;
use crate::follower::{Followers, follow};
use crate::pace::Pace;
use crate::replay::Replay;
use crate::screen::Screen;
use crate::summary::Summary;

/// How many events the stream keeps. Publishing waits for the consumers before
/// it goes further than that ahead of them, so none is dropped unread.
const STREAM_KEEPS: u64 = 10_000;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // the reader of the output has read enough
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let of_file = || args.input.display().to_string();
    let airlines =
        Airlines::open(&args.airlines).with_context(|| args.airlines.display().to_string())?;
    let file = FlightsFile::open(&args.input).with_context(of_file)?;

    let mut screen = Screen::new(args.plain);
    let style = screen.table_style();
    let progress = screen.progress_bar(file.size());
    let warnings = screen.warnings();
    let mut replay = Replay::new(file, |bad_row| {
        warnings.warn(&format!("{}, {bad_row}; left out", args.input.display()));
    });

    let bus = EventBus::builder()
        .source("quickstart")
        .stream(
            StreamSpec::new("FLIGHTS")
                .subject("flights.>")
                .max_messages(STREAM_KEEPS),
        )
        .memory()?;

    // Two consumers that know nothing of each other, nor of the publisher.
    let mut followers = Followers::default();
    let flights = bus.subscribe::<FlightEvents>().durable("board").await?;
    let position = followers.add();
    let board = tokio::spawn(async move {
        let mut board = Board::default();
        follow(flights, position, |event| {
            let report = board.observe(event);
            screen.show(&board, report.as_ref())
        })
        .await?;
        anyhow::Ok((screen, board))
    });
    let flights = bus.subscribe::<FlightEvents>().durable("summary").await?;
    let position = followers.add();
    let summary = tokio::spawn(async move {
        let mut summary = Summary::default();
        follow(flights, position, |event| {
            summary.observe(event);
            Ok(())
        })
        .await?;
        anyhow::Ok(summary)
    });

    let mut announcer = Announcer::new(&bus);
    let mut pace = Pace::new(args.pace);
    let mut last = 0;
    'publishing: while let Some(chunk) = replay.next() {
        for moment in chunk.with_context(of_file)? {
            // tokio's shortest sleep is a millisecond.
            let delay = pace.delay(moment.at);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            last = announcer.announce(moment).await?;
            // A consumer that has ended says why below.
            if !followers.reach(last.saturating_sub(STREAM_KEEPS / 2)).await {
                break 'publishing;
            }
        }
        progress.set_position(replay.stats().bytes_read);
    }
    followers.reach(last).await;
    bus.close().await?;
    progress.finish_and_clear();

    let (screen, board) = board.await??;
    let summary = summary.await??;
    screen.finish(board)?;
    let mut out = io::stdout().lock();
    writeln!(out, "\nBy carrier; mean delays in minutes")?;
    writeln!(out, "{}", summary.by_carrier(&airlines, style))?;
    writeln!(out, "\nBy airport of departure; mean delays in minutes")?;
    writeln!(out, "{}", summary.by_airport(style))?;
    writeln!(out, "\n{}", replay.stats())?;
    Ok(())
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
