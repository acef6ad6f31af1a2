//! `nn`: networks of other tools as declarations, and what is in their files.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Networks of other tools as declarations, and what is in their files.
#[derive(Parser)]
#[command(name = "nn", version)]
enum Command {
    /// Prints what is in a file: inputs, operators, parameters.
    Inspect {
        /// An ONNX file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<String, String> {
    match command {
        Command::Inspect { file } => {
            let bytes = std::fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            nn_cli::inspect::onnx(&bytes).map_err(|error| format!("`{}`: {error}", file.display()))
        }
    }
}
