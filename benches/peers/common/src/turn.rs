//! A peer's turns. In: `make ID`, then `go MILLISECONDS` as often as it is this peer's turn; out: a line of
//! JSON for each, with the microseconds of a step in each stretch that was timed. Every turn begins with
//! fresh parameters and ends after a few epochs, so that the fast do not measure a network that has long
//! learnt everything while the slow still learn.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Data, Workload};

/// A stretch of steps: how many were done, and the time they took.
pub struct Done {
    /// Steps done: at least one, and not always as many as asked.
    pub steps: usize,
    /// Time of those steps alone.
    pub time: Duration,
}

/// A workload as one peer runs it.
pub trait Run {
    /// Begins anew with untrained parameters and fresh optimiser state. Nothing to do where nothing is
    /// learnt.
    fn fresh(&mut self) {}

    /// One training step on the next batch, or one prediction.
    fn step(&mut self);

    /// About `steps` steps, timed. For who has a better way than one by one.
    fn steps(&mut self, steps: usize) -> Done {
        let begun = Instant::now();
        for _ in 0..steps {
            self.step();
        }
        Done { steps, time: begun.elapsed() }
    }

    /// The mean loss of the last step; nothing where nothing is learnt.
    fn loss(&mut self) -> Option<f64> {
        None
    }
}

/// The shortest stretch worth timing: a thousand times what reading the clock takes.
const STRETCH: Duration = Duration::from_millis(1);
/// How long a turn trains before its parameters are too good to be typical.
const EPOCHS: usize = 4;

fn turn(run: &mut dyn Run, workload: &Workload, epoch: usize, budget: Duration) -> Value {
    run.fresh();
    // The first steps allocate, fault in pages, and compile.
    let mut steps = 1;
    let mut total = 0;
    loop {
        let done = run.steps(steps);
        total += done.steps;
        if (done.time >= STRETCH && total >= 4) || total >= epoch {
            break;
        }
        if done.time < STRETCH {
            steps = (steps * 2).min(epoch);
        }
    }
    let limit = if workload.train { total + EPOCHS * epoch.max(64) } else { usize::MAX };
    let mut times = Vec::new();
    let mut spent = Duration::ZERO;
    while times.len() < 3 || (spent < budget && total < limit) {
        let done = run.steps(steps);
        times.push(done.time.as_secs_f64() * 1e6 / done.steps as f64);
        spent += done.time;
        total += done.steps;
    }
    json!({ "us": times, "steps": total, "loss": run.loss() })
}

/// Serves turns until standard input ends. Arguments of the program: the directory of the data, and the form,
/// one of `forms`.
pub fn serve<M>(package: &str, forms: &[&str], mut make: M)
where
    M: FnMut(&str, Workload, Data, &Path) -> Result<Box<dyn Run>, String>,
{
    let args: Vec<String> = std::env::args().collect();
    let [_, dir, form] = &args[..] else {
        panic!("expected `DATA FORM`, a form of {}, found {} arguments", forms.join(", "), args.len() - 1);
    };
    assert!(forms.contains(&form.as_str()), "expected a form of {}, found `{form}`", forms.join(", "));
    let dir = Path::new(dir);
    say(&json!({ "version": crate::version(package) }));
    let mut made: Option<(Workload, usize, Box<dyn Run>)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("lines of text");
        let answer = match line.split_once(' ') {
            Some(("make", id)) => {
                made = None;
                caught(|| {
                    let workload = Workload::parse(id)
                        .ok_or_else(|| format!("expected an id such as `step/cnn/32`, found `{id}`"))?;
                    let data = Data::read(dir, workload.net)?;
                    // SGD on four samples has no epochs worth the name: a thousand steps, as the table says.
                    let epoch = if workload.batch >= data.len { 1_000 } else { data.len / workload.batch };
                    made = Some((workload, epoch, make(form, workload, data, dir)?));
                    Ok(json!({}))
                })
            }
            Some(("go", millis)) => caught(|| {
                let (workload, epoch, run) = made.as_mut().ok_or("expected `make` before `go`")?;
                let budget = Duration::from_millis(
                    millis.parse().map_err(|_| format!("expected milliseconds, found `{millis}`"))?,
                );
                Ok(turn(&mut **run, workload, *epoch, budget))
            }),
            _ => json!({ "error": format!("expected `make ID` or `go MILLISECONDS`, found `{line}`") }),
        };
        say(&answer);
    }
}

/// A peer that cannot do a workload says so and goes on to the next.
fn caught(work: impl FnOnce() -> Result<Value, String>) -> Value {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => json!({ "error": error }),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_string()));
            json!({ "error": text.unwrap_or_else(|| "panicked".to_string()) })
        }
    }
}

fn say(answer: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody who listens");
}
