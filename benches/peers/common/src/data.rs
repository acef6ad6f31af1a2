//! The resident set that all learn from: 8,192 samples as little-endian 32-bit numbers, `NAME.x` and
//! `NAME.y`. Written once by our own program; classes are whole numbers, targets are floats.

use std::fs;
use std::path::Path;

use crate::{Net, Workload};

/// The samples of one network.
#[derive(Clone)]
pub struct Data {
    /// `[samples, width]`.
    pub x: Vec<f32>,
    /// Classes, `[samples]`; empty where there are none.
    pub labels: Vec<u32>,
    /// Targets, `[samples, target width]`; empty where there are classes.
    pub targets: Vec<f32>,
    /// Numbers in a sample.
    pub width: usize,
    /// Numbers in a target.
    pub target_width: usize,
    /// Samples.
    pub len: usize,
}

impl Data {
    /// Writes the files of a network's data.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(dir: &Path, name: &str, x: &[f32], y: &[[u8; 4]]) -> std::io::Result<()> {
        let x: Vec<u8> = x.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(dir.join(format!("{name}.x")), x)?;
        fs::write(dir.join(format!("{name}.y")), y.as_flattened())
    }

    /// Reads the data of a network.
    ///
    /// # Errors
    /// A file that is missing or holds no whole samples.
    pub fn read(dir: &Path, net: Net) -> Result<Self, String> {
        let words = |suffix: &str| -> Result<Vec<[u8; 4]>, String> {
            let path = dir.join(format!("{}.{suffix}", net.data()));
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(bytes.as_chunks().0.to_vec())
        };
        let x: Vec<f32> = words("x")?.into_iter().map(f32::from_le_bytes).collect();
        let y = words("y")?;
        let width = net.input().iter().product();
        let len = x.len() / width;
        if len == 0 || y.len() % len != 0 || y.is_empty() {
            return Err(format!("{}: expected as many targets as samples, found {} and {len}", net.data(), y.len()));
        }
        let (mut labels, mut targets) = (Vec::new(), Vec::new());
        match net.classes() {
            true => labels = y.iter().map(|&word| u32::from_le_bytes(word)).collect(),
            false => targets = y.iter().map(|&word| f32::from_le_bytes(word)).collect(),
        }
        Ok(Data { x, labels, target_width: y.len() / len, targets, width, len })
    }

    /// Sample numbers of each batch, in order; what is left at the end is left out, so that every step is of
    /// one size.
    pub fn batches(&self, workload: &Workload) -> Vec<std::ops::Range<usize>> {
        let batch = workload.batch;
        // Single samples: as many as the batches of 32, so that nobody holds thousands of tensors.
        let count = (self.len / batch).min(if batch == 1 { 256 } else { usize::MAX });
        (0..count).map(|k| k * batch..(k + 1) * batch).collect()
    }

    /// The inputs of some samples.
    pub fn inputs(&self, samples: &std::ops::Range<usize>) -> &[f32] {
        &self.x[samples.start * self.width..samples.end * self.width]
    }

    /// The targets of some samples.
    pub fn values(&self, samples: &std::ops::Range<usize>) -> &[f32] {
        &self.targets[samples.start * self.target_width..samples.end * self.target_width]
    }
}
