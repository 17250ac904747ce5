//! Health: its states on a stepped clock, the cost of many probes, the periodic line, the routes and metrics
//! over HTTP, certificates, and servers and databases that are stopped and started.

mod certificates;
mod database;
mod http;
mod line;
mod rig;
mod scraped;
mod server;
mod single_flight;
mod states;
