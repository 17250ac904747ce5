//! Helper program for the guard's test: starts a server and holds it until its input ends.

use std::error::Error;
use std::io::{self, Read as _, Write as _};

use event_sdk_test_servers::{Postgres, Server};

/// `hold`, `hold paused` or `hold postgres`.
fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let argument = std::env::args().nth(1).unwrap_or_default();
    runtime.block_on(async {
        if argument == "postgres" {
            let mut server = Postgres::start().await?;
            hold(&server.folder().display(), server.port())?;
            server.stop().await?;
        } else {
            let mut server = Server::start().await?;
            if argument == "paused" {
                server.pause()?;
            }
            hold(&server.folder().display(), server.port())?;
            server.stop().await?;
        }
        Ok(())
    })
}

fn hold(folder: &impl std::fmt::Display, port: u16) -> io::Result<()> {
    println!("{folder}\n{port}");
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
