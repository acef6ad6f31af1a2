//! Graphs written by hand: each against its pieces put together by hand, its gradients against differences of
//! its predictions. In: declarations; out: nothing, or a panic. Nothing here may know how a graph is planned.
#![deny(warnings)]

mod by_hand;
mod chains;
mod dropped;
mod gates;
mod joins;
mod layers;
mod pools;
mod token_ids;
mod training;
mod transformer;
