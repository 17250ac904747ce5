//! The tokio runtime of a connection: the caller's, if it has an I/O driver and a time driver.

use std::net::{Ipv4Addr, UdpSocket};
use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// The runtime in which this is called.
///
/// # Errors
///
/// [`InvalidOption`](ErrorKind::InvalidOption) outside of a runtime, and in one without drivers.
pub(super) fn current() -> Result<Handle, Error> {
    let refused = |reason| Error::new(ErrorKind::InvalidOption, Operation::Configure, reason);
    let runtime = Handle::try_current().map_err(|error| {
        refused("a connection to NATS needs a tokio runtime, and is made outside of one; connect under `#[tokio::main]` or `Runtime::block_on`")
            .with_source(error)
    })?;
    if !has_timers() {
        return Err(refused(
            "a connection to NATS needs timers, and the tokio runtime has none; call `enable_all` on its builder",
        ));
    }
    if !has_io() {
        return Err(refused(
            "a connection to NATS needs network I/O, and the tokio runtime has none; call `enable_all` on its builder",
        ));
    }
    Ok(runtime)
}

/// Whether the runtime has a time driver. A handle does not tell; without the driver, making a timer
/// panics.
fn has_timers() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// Whether the runtime has an I/O driver. Without it, the registration of a socket panics.
fn has_io() -> bool {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let Ok(socket) = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket)) else {
        // A process that may have no such socket. Connecting says what is missing.
        return true;
    };
    catch_unwind(|| drop(tokio::net::UdpSocket::from_std(socket))).is_ok()
}
