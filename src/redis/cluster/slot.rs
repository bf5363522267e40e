//! The hash slot of a key: which part of a Redis Cluster has it.

use crc::{CRC_16_XMODEM, Crc, NoTable};

const CRC: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_XMODEM);

/// One of the 16,384 parts into which a Cluster divides all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::redis) struct Slot(u16);

/// The highest slot.
const LAST: u16 = 16_383;

impl Slot {
    /// The slot with this number; `None` above 16,383.
    pub(in crate::redis) fn numbered(number: u16) -> Option<Self> {
        (number <= LAST).then_some(Self(number))
    }

    /// The slot of a key: that of what is in its first braces, if there is something.
    pub(in crate::redis) fn new(key: &str) -> Self {
        let tag = key.split_once('{').and_then(|(_, after)| after.split_once('}'));
        let hashed = tag.map_or(key, |(tag, _)| if tag.is_empty() { key } else { tag });
        Self(CRC.checksum(hashed.as_bytes()) & LAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_what_redis_computes() {
        // Of `CLUSTER KEYSLOT` of Redis 7.0.
        for (key, slot) in [
            ("", 0),
            ("123456789", 12_739),
            ("foo", 12_182),
            ("{foo}bar", 12_182),
            ("x{foo}{bar}", 12_182),
            ("{}foo", 9_500),
            ("foo{bar", 15_278),
            ("foo}{bar}", 5_061),
            ("{{foo}}", 13_308),
            ("confab:{alice:bob}:log", 6_677),
            ("confab:{s:%C3%9F}:log", 5_637),
        ] {
            assert_eq!(Slot::new(key), Slot(slot), "{key}");
        }
        assert_eq!(
            (Slot::numbered(LAST), Slot::numbered(LAST + 1)),
            (Some(Slot(LAST)), None)
        );
    }
}
