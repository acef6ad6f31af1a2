//! The numbers of every epoch in files, for other programs to read while a run goes on. In: a history; out:
//! JSON lines, or what TensorBoard reads.

use std::boxed::Box;
use std::format;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use super::event_file::EventFile;
use super::{Epoch, History, TrainError};
use crate::quote::quoted_path;

/// Where [`Fit::log`](super::Fit::log) writes the numbers of each epoch; a path alone is
/// [`json_lines`](Log::json_lines).
///
/// What was there before is replaced, but for a run that [goes on](super::Trainer::resume), whose log tells
/// of all its epochs, each once. A log that cannot be written ends training
/// ([`TrainError::Log`](super::TrainError::Log)).
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::train::Log;
///
/// network! { struct Line: [1] -> [1] { Dense(1) } }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = std::env::temp_dir().join(format!("logs-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]])?;
/// let mut model = Line::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let fit = Fit::epochs(3).validate(&data);
/// trainer.fit(&data, fit.log(folder.join("run.jsonl")).log(Log::tensorboard(folder.join("runs/first"))))?;
///
/// let lines = std::fs::read_to_string(folder.join("run.jsonl"))?;
/// assert_eq!(lines.lines().count(), 3);
/// assert!(lines.starts_with("{\"epoch\":1,\"loss\":"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    kind: LogKind,
    path: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LogKind {
    JsonLines,
    TensorBoard,
}

impl Log {
    /// A file with a JSON object on each line, as by [`Epoch::to_json`].
    pub fn json_lines(path: impl AsRef<Path>) -> Log {
        Log { kind: LogKind::JsonLines, path: path.as_ref().into() }
    }

    /// A folder for `tensorboard --logdir`, which is made where there is none: `train` and `validation` in it
    /// have their numbers under the same names (`loss`, `accuracy`, metrics), so that TensorBoard draws them
    /// into one chart, over the epochs; as Keras's callback has it.
    pub fn tensorboard(folder: impl AsRef<Path>) -> Log {
        Log { kind: LogKind::TensorBoard, path: folder.as_ref().into() }
    }
}

macro_rules! json_lines_of {
    ($($path:ty),*) => {$(
        impl From<$path> for Log {
            fn from(path: $path) -> Log {
                Log::json_lines(path)
            }
        }
    )*};
}
json_lines_of!(&str, &Path, PathBuf, &PathBuf, String, &String);

/// What writes one log.
trait EpochWriter {
    fn epoch(&mut self, epoch: &Epoch) -> io::Result<()>;
}

/// All logs of a call of `fit`.
pub(super) struct Logs(Vec<(PathBuf, Box<dyn EpochWriter>)>);

impl Logs {
    /// Makes the files, and writes the epochs that there are already.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn begin(logs: &[Log], history: &History) -> Result<Logs, TrainError> {
        let mut all = Vec::new();
        for Log { kind, path } in logs {
            let writer = || -> io::Result<Box<dyn EpochWriter>> {
                let mut writer: Box<dyn EpochWriter> = match kind {
                    LogKind::JsonLines => Box::new(File::create(path)?),
                    LogKind::TensorBoard => Box::new(Events::create(path)?),
                };
                history.epochs.iter().try_for_each(|epoch| writer.epoch(epoch))?;
                Ok(writer)
            };
            all.push((path.clone(), writer().map_err(|error| cannot_write(path, &error, history))?));
        }
        Ok(Logs(all))
    }

    /// Writes the last epoch.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn epoch(&mut self, history: &History) -> Result<(), TrainError> {
        let Some(epoch) = history.last() else { return Ok(()) };
        let mut logs = self.0.iter_mut();
        logs.try_for_each(|(path, writer)| writer.epoch(epoch).map_err(|error| cannot_write(path, &error, history)))
    }
}

fn cannot_write(path: &Path, error: &io::Error, history: &History) -> TrainError {
    let path = quoted_path(path);
    let error = format!(
        "{path}: expected a log that can be written, found {error}\nhelp: make its folder, or leave out `.log(..)`"
    );
    TrainError::Log { error, history: history.clone() }
}

impl EpochWriter for File {
    fn epoch(&mut self, epoch: &Epoch) -> io::Result<()> {
        // In one piece: who reads meanwhile sees whole lines.
        self.write_all((epoch.to_json() + "\n").as_bytes())
    }
}

/// TensorBoard's files of both kinds of samples.
struct Events {
    folder: PathBuf,
    train: EventFile,
    validation: Option<EventFile>,
}

impl Events {
    fn create(folder: &Path) -> io::Result<Events> {
        Ok(Events { folder: folder.into(), train: create(&folder.join("train"))?, validation: None })
    }
}

fn create(folder: &Path) -> io::Result<EventFile> {
    fs::create_dir_all(folder)?;
    EventFile::create(folder)
}

impl EpochWriter for Events {
    fn epoch(&mut self, epoch: &Epoch) -> io::Result<()> {
        let numbers = epoch.numbers();
        let of_validation = |(name, number): &(&'_ str, f64)| Some((String::from(name.strip_prefix("val_")?), *number));
        let validation: Vec<_> = numbers.iter().filter_map(of_validation).collect();
        let train = numbers.iter().filter(|(name, _)| !name.starts_with("val_"));
        let train: Vec<_> = train.map(|(name, number)| (String::from(*name), *number)).collect();
        self.train.scalars(epoch.number, &train)?;
        if validation.is_empty() {
            return Ok(());
        }
        if self.validation.is_none() {
            self.validation = Some(create(&self.folder.join("validation"))?);
        }
        self.validation.as_mut().map_or(Ok(()), |file| file.scalars(epoch.number, &validation))
    }
}
