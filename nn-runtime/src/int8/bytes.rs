//! A quantised model as bytes. In a file stand the scales of all values and the constants; the steps follow
//! from the network, as they did when it was quantised. What was read is whole, or refused.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{QuantizationReport, QuantizeError, QuantizeErrorKind, Quantized, check, emit, lower};
use crate::model::Network;
use nn_kernels::int8::CodeScale;

/// Which kind of file it is, and which edition of it.
const MAGIC: [u8; 8] = *b"nn-int8\x01";

impl<N: Network> Quantized<N> {
    /// The model as bytes, for [`from_bytes`](Quantized::from_bytes): about a byte a parameter. The report is
    /// not among them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let program = &self.program;
        let mut body = Vec::with_capacity(program.constants());
        for scale in &self.scales {
            body.extend(scale.scale.to_le_bytes());
            body.push(scale.zero);
        }
        body.extend(program.weights.all().iter().map(|weight| *weight as u8));
        body.extend(program.biases.iter().flat_map(|bias| bias.to_le_bytes()));
        body.extend(program.scales.iter().flat_map(|scale| scale.to_le_bytes()));
        body.extend(program.tables.iter().flatten());
        body.extend(program.exponentials.iter().flatten().flat_map(|number| number.to_le_bytes()));
        let mut bytes = MAGIC.to_vec();
        bytes.extend(N::COMPILED.fingerprint().to_le_bytes());
        bytes.extend(checksum(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// A model that [`to_bytes`](Quantized::to_bytes) has written, here or on another machine.
    ///
    /// # Errors
    /// Bytes of something else, of another network, or not as they were written.
    ///
    /// # Panics
    /// Never at run time; see [`quantize`](Quantized::quantize) for what stops the build.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuantizeError> {
        const { check(N::COMPILED) };
        Self::read(bytes).map_err(|text| QuantizeError::new(QuantizeErrorKind::Bytes, text))
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let network = N::COMPILED;
        let mut from = QuantizedReader(bytes);
        if from.take().ok() != Some(MAGIC) {
            return Err("expected the bytes of a quantised model, found others\nhelp: give what `to_bytes` made".into());
        }
        if u64::from_le_bytes(from.take()?) != network.fingerprint() {
            let text =
                "expected a quantised model of `{}`, found one of another network\nhelp: quantise the model again";
            return Err(text.replace("{}", network.name));
        }
        let expected = u64::from_le_bytes(from.take()?);
        if checksum(from.0) != expected {
            return Err("expected the bytes as they were written, found others\nhelp: copy the file again".into());
        }
        let mut floats = lower::lower(network, &vec![0.0; network.params_len]);
        floats.fold();
        let mut scales = Vec::new();
        for value in 0..floats.lens.len() {
            let (scale, [zero]) = (f32::from_le_bytes(from.take()?), from.take()?);
            if !(scale > 0.0 && scale < f32::INFINITY) {
                return Err(format!(
                    "expected a scale above 0, found {scale} of value {value}\nhelp: copy the file again"
                ));
            }
            scales.push(CodeScale { scale, zero });
        }
        let (mut program, _) = emit::emit(&floats, &scales, [network.inputs, network.outputs])?;
        for weight in program.weights.all_mut() {
            *weight = i8::from_le_bytes(from.take()?);
        }
        for bias in &mut program.biases {
            *bias = i32::from_le_bytes(from.take()?);
        }
        for scale in &mut program.scales {
            *scale = f32::from_le_bytes(from.take()?);
        }
        for table in &mut program.tables {
            *table = from.take()?;
        }
        for number in program.exponentials.iter_mut().flatten() {
            *number = u32::from_le_bytes(from.take()?);
        }
        if !from.0.is_empty() {
            return Err(format!("expected the end, found {} bytes more\nhelp: copy the file again", from.0.len()));
        }
        let report = QuantizationReport { layers: Vec::new(), samples: 0 };
        Ok(Quantized { program, scales, report, network: core::marker::PhantomData })
    }
}

/// What has not been read.
struct QuantizedReader<'a>(&'a [u8]);

impl QuantizedReader<'_> {
    fn take<const L: usize>(&mut self) -> Result<[u8; L], String> {
        let Some((first, rest)) = self.0.split_first_chunk::<L>() else {
            return Err("expected more bytes, found the end\nhelp: copy the file again".into());
        };
        self.0 = rest;
        Ok(*first)
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
