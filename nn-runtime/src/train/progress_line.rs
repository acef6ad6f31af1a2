//! What a run shows while it goes on. In: steps and epochs; out: on a terminal a bar, elsewhere a line for
//! each epoch, both on standard error; or nothing.

use std::format;
use std::io::{IsTerminal, Write, stderr};
use std::string::String;
use std::time::{Duration, Instant};

use super::Epoch;
use super::epoch_sums::EpochSums;

/// How often the bar is drawn anew.
const PAUSE: Duration = Duration::from_millis(50);

/// Characters of a line, which any terminal has.
const WIDTH: usize = 79;

/// The progress of one call of `fit`.
pub(super) enum ProgressLine {
    Quiet,
    /// A line for each epoch.
    Lines,
    Bar(Bar),
}

/// A bar with what the epoch has come to, samples a second, and the time that is left.
pub(super) struct Bar {
    epochs: usize,
    steps: usize,
    /// When the call began, and how many steps had been taken then.
    begun: Instant,
    before: usize,
    /// When the epoch began, and how many of its samples had been trained on then.
    epoch: Instant,
    samples: usize,
    drawn: Instant,
    /// What was drawn.
    line: String,
}

impl ProgressLine {
    /// Of `epochs` of `steps` each, of which `done` steps have been taken.
    pub(super) fn new(shown: bool, epochs: usize, steps: usize, done: usize) -> ProgressLine {
        match (shown, stderr().is_terminal()) {
            (false, _) => ProgressLine::Quiet,
            (true, false) => ProgressLine::Lines,
            (true, true) => {
                let now = Instant::now();
                let (begun, epoch, drawn, line) = (now, now, now, String::new());
                ProgressLine::Bar(Bar { epochs, steps, begun, before: done, epoch, samples: 0, drawn, line })
            }
        }
    }

    /// Epoch `number` begins, or goes on at a step.
    pub(super) fn begin(&mut self, number: usize, step: usize, sums: &EpochSums) {
        let ProgressLine::Bar(bar) = self else { return };
        (bar.epoch, bar.samples) = (Instant::now(), sums.samples);
        bar.draw(number, step, "");
    }

    /// So many steps of the epoch have been taken.
    pub(super) fn step(&mut self, number: usize, step: usize, sums: &EpochSums) {
        if let ProgressLine::Bar(bar) = self
            && (bar.drawn.elapsed() >= PAUSE || step == bar.steps)
        {
            let rate = (sums.samples - bar.samples) as f64 / bar.epoch.elapsed().as_secs_f64();
            let done = (number - 1) * bar.steps + step;
            let left = time_left(bar.begun.elapsed(), done - bar.before, bar.epochs * bar.steps - done);
            let message = format!("{}, {rate:.0} samples/s, {} left", sums.evaluation(), clock(left));
            bar.draw(number, step, &message);
        }
    }

    /// An epoch has ended.
    pub(super) fn epoch(&self, epoch: &Epoch) {
        match self {
            ProgressLine::Quiet => {}
            ProgressLine::Lines => write(&format!("{epoch}\n")),
            // Above the bar.
            ProgressLine::Bar(bar) => {
                let epoch = epoch.to_string();
                write(&format!("\r{epoch:<WIDTH$}\n{}", bar.line));
            }
        }
    }

    /// The run has ended, well or not.
    pub(super) fn end(&self) {
        if let ProgressLine::Bar(_) = self {
            write(&format!("\r{:WIDTH$}\r", ""));
        }
    }
}

impl Bar {
    fn draw(&mut self, number: usize, step: usize, message: &str) {
        self.drawn = Instant::now();
        self.line = line(&format!("epoch {number}/{}", self.epochs), step, self.steps, message);
        write(&format!("\r{}", self.line));
    }
}

/// Whoever closes standard error does not want to know.
fn write(text: &str) {
    let mut stderr = stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// A bar between what stands before and behind it, as long as there is room: a whole line, so that nothing
/// is left of the one before.
fn line(before: &str, step: usize, steps: usize, message: &str) -> String {
    let count = format!("{step}/{steps}");
    let room = WIDTH.saturating_sub(before.len() + count.len() + message.len() + 3);
    let done = (room * step).checked_div(steps).unwrap_or(0).min(room);
    let line = format!("{before} {}{} {count} {message}", "█".repeat(done), "░".repeat(room - done));
    format!("{line:<WIDTH$.WIDTH$}")
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
    fn a_line_fills_a_terminal() {
        let shown = line("epoch 1/2", 3, 4, "loss 0.5000");
        assert!(shown.starts_with("epoch 1/2 ███") && shown.ends_with("░ 3/4 loss 0.5000"), "{shown}");
        assert_eq!([shown.matches('█').count(), shown.matches('░').count()], [39, 14]);
        for (step, steps, message) in [(0, 0, ""), (0, 9, ""), (9, 9, ""), (10, 9, "m"), (1, 9, &*"m".repeat(100))] {
            assert_eq!(line("epoch 1/2", step, steps, message).chars().count(), WIDTH);
        }
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_was() {
        assert_eq!(time_left(Duration::from_secs(10), 5, 15), Duration::from_secs(30));
        assert_eq!(time_left(Duration::from_secs(10), 5, 0), Duration::ZERO);
        assert_eq!(time_left(Duration::ZERO, 0, 7), Duration::ZERO);
    }
}
