//! Health: its states on a stepped clock, the cost of many probes, the periodic line, the routes and metrics
//! over HTTP, certificates, servers and databases that are stopped and started, and planted secrets and
//! personal data.

mod certificates;
mod database;
mod http;
mod line;
mod logged;
mod planted;
mod rig;
mod scraped;
mod server;
mod single_flight;
mod states;
