//! Four processes that write and relay on one SQLite file: none of them starves.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, Sqlite};
use event_sdk_test_stores::sqlite_pool;

/// How long they write, in milliseconds.
const TIME: &str = "2000";

struct Writer(Child);

impl Writer {
    fn start(file: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sqlite_writer"));
        command.arg(file).arg(TIME);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn four_processes_on_a_sqlite_file_get_at_least_a_tenth_of_the_commits_each() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shared.db");
    let pool = sqlite_pool(&file).await.unwrap();
    let outbox = Outbox::<Sqlite>::new(pool.clone(), EventBus::memory());
    outbox.migrate().await.unwrap();
    let mut writers: Vec<_> = (0..4).map(|_| Writer::start(&file)).collect();
    let mut answers: Vec<_> = writers
        .iter_mut()
        .map(|writer| BufReader::new(writer.0.stdout.take().unwrap()).lines())
        .collect();
    for answer in &mut answers {
        assert_eq!(answer.next().unwrap().unwrap(), "ready");
    }
    for writer in &mut writers {
        writeln!(writer.0.stdin.take().unwrap(), "go").unwrap();
    }
    let commits = answers.iter_mut().map(|answer| {
        let line = answer.next().expect("a writer failed").unwrap();
        line.parse::<u64>().unwrap()
    });
    let commits: Vec<_> = commits.collect();
    for writer in &mut writers {
        assert!(writer.0.wait().unwrap().success());
    }
    let all: u64 = commits.iter().sum();
    println!("commits: {commits:?}");
    assert!(commits.iter().all(|count| count * 10 >= all), "{commits:?}");
    let rows: i64 = sqlx::query_scalar("select count(*) from event_outbox")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(u64::try_from(rows).unwrap(), all, "each commit has its row");
}
