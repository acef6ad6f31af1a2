//! `nn`: networks of other tools as declarations, and what is in their files.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use nn_cli::{Kind, tensors};
use replace::replace;

mod replace;

/// Networks of other tools as declarations, and what is in their files.
#[derive(Parser)]
#[command(name = "nn", version)]
enum Command {
    /// Prints a network as a `network!` declaration, and writes its weights as safetensors.
    Import {
        /// A file of ONNX, Keras, Neural Amp Modeler (`.nam`) or RTNeural (`.json`).
        file: PathBuf,
        /// What the network is called; after the file if nothing is said.
        #[arg(long)]
        name: Option<String>,
        /// Where the weights go; beside the file if nothing is said.
        #[arg(long)]
        weights: Option<PathBuf>,
    },
    /// Prints what is in a file: inputs, operators, parameters of ONNX; the tensors of others.
    Inspect {
        /// An ONNX file, safetensors, `.npz`, a file of Keras, or what `torch.save` writes.
        file: PathBuf,
    },
    /// Writes the tensors of a file as another one. Nothing of it is executed. Of Keras, parameters come in
    /// the layouts that are usual here; else no number is changed.
    Convert {
        /// Safetensors, `.npz`, a file of Keras, or what `torch.save` writes.
        from: PathBuf,
        /// What is written: its name ends in `.safetensors` or `.npz`, or in `.keras` or `.h5`.
        to: PathBuf,
        /// For Keras: a file that it wrote of the same network, whose numbers are replaced in the new one.
        #[arg(long)]
        like: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            // Whoever reads it may have read enough: `nn inspect FILE | head`.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                eprintln!("cannot print: {error}");
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        },
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<String, String> {
    let in_file = |file: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", file.display());
    match command {
        Command::Inspect { file } => {
            let bytes = read(file)?;
            match Kind::of(&bytes) {
                Kind::Other => nn_cli::inspect::onnx(&bytes).map_err(|error| in_file(file, &error)),
                _ => tensors::inspect(&bytes).map_err(|error| in_file(file, &error)),
            }
        }
        Command::Convert { from, to, like } => {
            let like = like.as_ref().map(|like| read(like)).transpose()?;
            let written = tensors::convert(&read(from)?, &to.to_string_lossy(), like.as_deref())
                .map_err(|error| in_file(from, &error))?;
            replace(to, &written).map_err(|error| format!("cannot write `{}`: {error}", to.display()))?;
            Ok(String::new())
        }
        Command::Import { file, name, weights } => {
            let bytes = read(file)?;
            let name = name.clone().unwrap_or_else(|| type_name(file));
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            let fetch = |other: &str, at: u64, len: usize| beside(&folder, other, at, len);
            let imported = nn_cli::import(&bytes, &name, &fetch).map_err(|error| in_file(file, &error))?;
            let to = weights.clone().unwrap_or_else(|| file.with_extension("safetensors"));
            replace(&to, &imported.weights).map_err(|error| format!("cannot write `{}`: {error}", to.display()))?;
            for note in &imported.notes {
                eprintln!("{note}");
            }
            eprintln!("weights: {}, read by `Model::<{}>::load`", to.display(), imported.name);
            Ok(imported.declaration)
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))
}

/// Numbers that lie in a file beside the model's, and nowhere else.
fn beside(folder: &Path, name: &str, at: u64, len: usize) -> Result<Vec<u8>, String> {
    let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain {
        return Err(format!("expected a file beside the model, found `{name}`"));
    }
    let path = folder.join(name);
    let cannot = |error: io::Error| format!("cannot read `{}`, which holds its weights: {error}", path.display());
    let mut file = fs::File::open(&path).map_err(cannot)?;
    let there = file.metadata().map_err(cannot)?.len();
    if at.checked_add(len as u64).is_none_or(|end| end > there) {
        return Err(format!("expected {len} bytes from {at} on in `{}`, found a file of {there}", path.display()));
    }
    file.seek(SeekFrom::Start(at)).map_err(cannot)?;
    let mut bytes = vec![0; len];
    file.read_exact(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

/// `lenet-5.onnx` as `Lenet5`.
fn type_name(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Net{name}") }
}
