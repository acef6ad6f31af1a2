//! What every Rust peer shares. In: a directory with the data, then lines on standard input; out: one line of
//! JSON for each. A peer says how a network is made and stepped; when, how long and on which data is said
//! here, and in `turns.py` for Python. Never: a number that only one peer would use.

mod data;
mod turn;
mod workload;

pub use data::Data;
pub use turn::{Done, Run, serve};
pub use workload::{Activation, Net, Workload};

/// The version of a package in this workspace's lock file; the newest where there are several.
pub fn version(package: &str) -> String {
    let name = format!("name = \"{package}\"");
    let versions =
        include_str!("../../Cargo.lock").split("[[package]]").filter(|entry| entry.lines().any(|line| line == name));
    let version = versions.filter_map(|entry| entry.lines().find_map(|line| line.strip_prefix("version = "))).last();
    version.unwrap_or("unknown").trim_matches('"').to_string()
}
