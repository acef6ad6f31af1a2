//! TensorBoard's event files: TFRecords, each a protocol buffer `Event`. In: numbers with names; out: a file
//! that TensorBoard reads while it grows.

use std::format;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::string::String;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use std::vec::Vec;

/// A file of events.
pub(super) struct EventFile(File);

impl EventFile {
    /// A new file in `folder`. What older files of that folder tell is forgotten by who reads them.
    pub(super) fn create(folder: &Path) -> io::Result<EventFile> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (seconds, count) = (now() as u64, COUNT.fetch_add(1, Ordering::Relaxed));
        // Readers take files in the order of their names.
        let name = format!("events.out.tfevents.{seconds:010}.nn.{}.{count}.v2", process::id());
        let mut file = EventFile(OpenOptions::new().write(true).create_new(true).open(folder.join(name))?);
        file.event(&mut Message::default().text(3, "brain.Event:2"))?;
        // `session_log { status: START }`: events of this step and later ones come again.
        let start = Message::default().number(1, 1);
        file.event(&mut Message::default().number(2, 0).message(7, &start))?;
        Ok(file)
    }

    /// The numbers at `step`, by name.
    pub(super) fn scalars(&mut self, step: usize, numbers: &[(String, f64)]) -> io::Result<()> {
        let mut summary = Message::default();
        for (name, number) in numbers {
            summary = summary.message(1, &Message::default().text(1, name).float(2, *number as f32));
        }
        self.event(&mut Message::default().number(2, step as u64).message(5, &summary))
    }

    fn event(&mut self, event: &mut Message) -> io::Result<()> {
        let wall_time = Message::default().double(1, now());
        let bytes = [&wall_time.0[..], &event.0].concat();
        self.0.write_all(&record(&bytes))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A TFRecord: its length, a checksum of that, its bytes, a checksum of them.
fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(bytes.len() + 16);
    record.extend(length);
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(bytes);
    record.extend(masked(crc32c(bytes)).to_le_bytes());
    record
}

/// TFRecords hold no bare checksums, so that a checksum of theirs is none of its own.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli): RFC 3720, appendix B.4.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

/// A protocol buffer: fields, each a key and its bytes.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut number: u64) -> Message {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    fn key(self, field: u64, wire: u64) -> Message {
        self.varint(field << 3 | wire)
    }

    fn number(self, field: u64, number: u64) -> Message {
        self.key(field, 0).varint(number)
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Message {
        let mut message = self.key(field, 2).varint(bytes.len() as u64);
        message.0.extend(bytes);
        message
    }

    fn text(self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: &Message) -> Message {
        self.bytes(field, &message.0)
    }

    fn double(self, field: u64, number: f64) -> Message {
        let mut message = self.key(field, 1);
        message.0.extend(number.to_le_bytes());
        message
    }

    fn float(self, field: u64, number: f32) -> Message {
        let mut message = self.key(field, 5);
        message.0.extend(number.to_le_bytes());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3720, and the check value of the catalogue of CRCs.
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let counted: [u8; 32] = core::array::from_fn(|i| i as u8);
        assert_eq!(crc32c(&counted), 0x46dd_794e);
    }
}
