//! What a layer does when its network runs one step of a sequence at a time. In: a rule's words; out: whether the window can be streamed,
//! and how much is carried from step to step.

/// How a layer takes part in a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    /// Not at all: it needs steps that are yet to come, or has not said otherwise.
    No,
    /// Every step on its own.
    PerStep,
    /// A step from this one and those before, with so many floats carried.
    Carries(usize),
    /// One value from all steps so far, with so many floats carried.
    Ends(usize),
}

impl Stream {
    /// What a rule says to take part so.
    pub(crate) const fn claim(&self) -> &'static str {
        match self {
            Stream::No => "no stream",
            Stream::PerStep => "`per_step`",
            Stream::Carries(_) => "`stream_state`",
            Stream::Ends(_) => "`stream_reduces`",
        }
    }
}
