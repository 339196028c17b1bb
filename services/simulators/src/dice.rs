//! Cheap chance and cheap hashes: deciding about a fault must not cost more than answering.

use uuid::{Builder, Uuid};

/// A small random generator (SplitMix64) that every connection owns for itself.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self(rand::random())
    }
}

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scatter(self.0)
    }

    /// True in the given share of calls, 0 to 1.
    pub(crate) fn falls(&mut self, share: f64) -> bool {
        within(self.roll(), share)
    }

    /// A version 4 UUID, for answers to requests that named none.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.roll().to_ne_bytes());
        bytes[8..].copy_from_slice(&self.roll().to_ne_bytes());
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// A 64-bit hash that is the same in every run (FNV-1a, scattered): who is gone today is gone tomorrow.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let folded = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3));
    scatter(folded)
}

/// Whether an evenly spread value lies in the given share of all values.
pub(crate) fn within(value: u64, share: f64) -> bool {
    share >= 1.0 || (value >> 11) as f64 / ((1_u64 << 53) as f64) < share
}

fn scatter(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
