//! Reads what scripts pack with `cmsgpack`: arrays and strings of `MessagePack`. Strings are bytes here, so that one that
//! is not UTF-8 does not make the rest unreadable.

use rmp::decode::{read_array_len, read_str_len};

/// The bytes are not `MessagePack` of this shape.
#[derive(Debug, PartialEq)]
pub struct NotPacked;

/// cmsgpack packs a table without values as a map.
const EMPTY_MAP: u8 = 0x80;

/// Reads a list of strings.
pub fn strings(mut packed: &[u8]) -> Result<Vec<&[u8]>, NotPacked> {
    take_list(&mut packed, take_string).ok_or(NotPacked)
}

/// Reads a list of lists of strings.
pub fn lists(mut packed: &[u8]) -> Result<Vec<Vec<&[u8]>>, NotPacked> {
    take_list(&mut packed, |packed| take_list(packed, take_string)).ok_or(NotPacked)
}

/// Takes the list at the front; `None` if there is another value.
fn take_list<'a, T>(packed: &mut &'a [u8], take: impl Fn(&mut &'a [u8]) -> Option<T>) -> Option<Vec<T>> {
    if let [EMPTY_MAP, rest @ ..] = packed {
        *packed = rest;
        return Some(Vec::new());
    }
    let count = read_array_len(packed).ok()?;
    (0..count).map(|_| take(packed)).collect()
}

/// Takes the string at the front; `None` if there is another value.
fn take_string<'a>(packed: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_str_len(packed).ok()?).ok()?;
    let (string, rest) = packed.split_at_checked(length)?;
    *packed = rest;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn a_list_is_an_array_of_strings() {
        assert_eq!(strings(b"\x92\xa1a\xa2\xff\0"), Ok(vec![&b"a"[..], b"\xff\0"]));
        for empty in [&b"\x80"[..], b"\x90"] {
            assert_eq!(strings(empty), Ok(Vec::new()));
        }
        for wrong in [&b""[..], b"\x81", b"\xa1a", b"\x91", b"\x91\xa2a", b"\x91\x91\xa1a"] {
            assert!(strings(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lists_are_arrays_of_arrays_of_strings() {
        let packed = b"\x92\x92\xa1a\xa2\xff\0\x90";
        assert_eq!(lists(packed), Ok(vec![vec![&b"a"[..], b"\xff\0"], vec![]]));
        for empty in [&b"\x80"[..], b"\x90"] {
            assert_eq!(lists(empty), Ok(Vec::new()));
        }
        for wrong in [
            &b""[..],
            b"\x91",
            b"\x91\xa1a",
            b"\x91\x91\xa2a",
            b"\x91\x91\x01",
            b"\xdd\xff\xff\xff\xff",
        ] {
            assert!(lists(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn fuzz_lists() {
        fuzz("lists", &near(&["\u{11}", "a"]), |tail| {
            let mut packed = vec![0x92, 0x91, 0xa1, b'a'];
            packed.extend(tail);
            _ = lists(&packed);
            _ = strings(&packed);
        });
    }
}
