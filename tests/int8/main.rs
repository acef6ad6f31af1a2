//! Networks of bytes: against LiteRT's own answers, and on real digits.

mod embedded;
mod litert;
mod mnist;
