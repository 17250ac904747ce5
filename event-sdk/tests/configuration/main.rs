//! Configuration: loading, precedence, errors, the template and the page, and the bus that is made of
//! it, on memory, on a real server, and without a transport.

mod absent;
mod familiar;
mod naming;
mod pages;
mod precedence;
mod reach;
mod refusals;
mod server;
mod support;
