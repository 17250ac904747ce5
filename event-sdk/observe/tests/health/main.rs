//! Health: its states on a stepped clock, the cost of many probes, the routes over HTTP, and servers and
//! databases that are stopped and started.

mod database;
mod http;
mod rig;
mod server;
mod single_flight;
mod states;
