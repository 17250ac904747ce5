//! Helper program for the guard's test: starts a server and holds it until its input ends.

use std::io::{self, Read as _, Write as _};

use event_sdk_test_servers::{Error, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut server = runtime.block_on(started())?;
    println!("{}\n{}", server.folder().display(), server.port());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    runtime.block_on(server.stop())?;
    Ok(())
}

/// Paused, if an argument says so.
async fn started() -> Result<Server, Error> {
    let mut server = Server::start().await?;
    if std::env::args().any(|argument| argument == "paused") {
        server.pause()?;
    }
    Ok(server)
}
