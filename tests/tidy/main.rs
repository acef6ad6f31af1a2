//! The rules of CONTRIBUTING as tests: where `unsafe` may stand, what the macro may know, how a module
//! begins, what belongs to a layer, a loss, an optimiser. Each failure names the file and what to do.

mod boundaries;
mod checklist;
mod circles;
mod fixtures;
mod modules;
mod names;
mod options;
mod orphans;
mod readme;
mod source;
mod text;
mod tree;
mod unsafety;
