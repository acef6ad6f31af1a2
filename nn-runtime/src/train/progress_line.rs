//! What a run shows while it goes on. In: steps and epochs; out: on a terminal a bar, elsewhere a line for
//! each epoch, both on standard error; or nothing.

use std::format;
use std::io::{IsTerminal, Write, stderr};
use std::string::String;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Epoch;
use super::epoch_sums::EpochSums;

/// How often the bar is drawn anew.
const PAUSE: Duration = Duration::from_millis(50);

/// The progress of one call of `fit`.
pub(super) enum ProgressLine {
    Quiet,
    /// A line for each epoch.
    Lines,
    Bar(Bar),
}

/// A bar with what the epoch has come to, samples a second, and the time that is left.
pub(super) struct Bar {
    bar: ProgressBar,
    epochs: usize,
    steps: usize,
    /// When the call began, and how many steps had been taken then.
    begun: Instant,
    before: usize,
    /// When the epoch began, and how many of its samples had been trained on then.
    epoch: Instant,
    samples: usize,
    drawn: Instant,
}

impl ProgressLine {
    /// Of `epochs` of `steps` each, of which `done` steps have been taken.
    pub(super) fn new(shown: bool, epochs: usize, steps: usize, done: usize) -> ProgressLine {
        match (shown, stderr().is_terminal()) {
            (false, _) => ProgressLine::Quiet,
            (true, false) => ProgressLine::Lines,
            (true, true) => {
                let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}");
                let bar = ProgressBar::new(steps as u64).with_style(style.expect("a valid template"));
                let now = Instant::now();
                let (begun, epoch, drawn) = (now, now, now);
                ProgressLine::Bar(Bar { bar, epochs, steps, begun, before: done, epoch, samples: 0, drawn })
            }
        }
    }

    /// Epoch `number` begins, or goes on at a step.
    pub(super) fn begin(&mut self, number: usize, step: usize, sums: &EpochSums) {
        let ProgressLine::Bar(bar) = self else { return };
        (bar.epoch, bar.samples) = (Instant::now(), sums.samples);
        bar.bar.set_prefix(format!("epoch {number}/{}", bar.epochs));
        bar.bar.set_position(step as u64);
    }

    /// So many steps of the epoch have been taken.
    pub(super) fn step(&mut self, number: usize, step: usize, sums: &EpochSums) {
        if let ProgressLine::Bar(bar) = self
            && (bar.drawn.elapsed() >= PAUSE || step == bar.steps)
        {
            bar.drawn = Instant::now();
            bar.bar.set_position(step as u64);
            let rate = (sums.samples - bar.samples) as f64 / bar.epoch.elapsed().as_secs_f64();
            let done = (number - 1) * bar.steps + step;
            let left = time_left(bar.begun.elapsed(), done - bar.before, bar.epochs * bar.steps - done);
            bar.bar.set_message(format!("{}, {rate:.0} samples/s, {} left", sums.evaluation(), clock(left)));
        }
    }

    /// An epoch has ended.
    pub(super) fn epoch(&self, epoch: &Epoch) {
        match self {
            ProgressLine::Quiet => {}
            ProgressLine::Lines => {
                // Whoever closes it does not want to know.
                let _ = writeln!(stderr(), "{epoch}");
            }
            ProgressLine::Bar(bar) => bar.bar.println(format!("{epoch}")),
        }
    }

    /// The run has ended, well or not.
    pub(super) fn end(&self) {
        if let ProgressLine::Bar(bar) = self {
            bar.bar.finish_and_clear();
        }
    }
}

/// What so many steps more will take, as those before have; validation between them included.
fn time_left(elapsed: Duration, done: usize, left: usize) -> Duration {
    Duration::try_from_secs_f64(elapsed.as_secs_f64() / done.max(1) as f64 * left as f64).unwrap_or(Duration::MAX)
}

/// `0:07`, `12:30`, `3:00:00`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_on_a_clock() {
        let texts = [0, 7, 61, 3599, 3600, 100_000].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0:00", "0:07", "1:01", "59:59", "1:00:00", "27:46:40"]);
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_was() {
        assert_eq!(time_left(Duration::from_secs(10), 5, 15), Duration::from_secs(30));
        assert_eq!(time_left(Duration::from_secs(10), 5, 0), Duration::ZERO);
        assert_eq!(time_left(Duration::ZERO, 0, 7), Duration::ZERO);
    }
}
