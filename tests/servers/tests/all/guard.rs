//! A server ends with the program that started it, even after a kill.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the program that holds a server; where that server is.
fn hold(arguments: &[&str]) -> (Child, PathBuf, u16) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hold"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let (folder, port) = (line().into(), line().parse().unwrap());
    (program, folder, port)
}

#[tokio::test]
async fn killing_the_program_ends_the_server_and_removes_its_folder() {
    for arguments in [&[][..], &["paused"], &["postgres"]] {
        let (mut program, folder, port) = hold(arguments);
        assert!(folder.is_dir());
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
        program.kill().unwrap();
        program.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while folder.exists() || TcpListener::bind(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "{arguments:?}: it is still there"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[test]
fn ending_the_program_in_order_ends_the_server_too() {
    for arguments in [&[][..], &["postgres"]] {
        let (mut program, folder, port) = hold(arguments);
        drop(program.stdin.take());
        assert!(program.wait().unwrap().success());
        assert!(!folder.exists());
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}
