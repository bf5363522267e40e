//! Texts that are part of the component. It is loaded with them, so they leave out what only people need who read the source.

/// A file beside the caller's, as [`stripped`] leaves it.
macro_rules! embedded {
    ($file:literal) => {{
        const TEXT: &[u8] = include_bytes!($file);
        const SIZE: usize = $crate::domain::embedded::stripped::<{ TEXT.len() }>(TEXT).1;
        const STRIPPED: [u8; SIZE] = $crate::domain::embedded::stripped(TEXT).0;
        const {
            match str::from_utf8(&STRIPPED) {
                Ok(text) => text,
                Err(_) => panic!("not UTF-8"),
            }
        }
    }};
}

pub(crate) use embedded;

/// The text without the spaces that begin its lines and without lines of comment, as Lua has them, and how many bytes that is. The
/// lines stay, so that Redis names those of the source.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "runs at compile time"
)]
pub(crate) const fn stripped<const SIZE: usize>(text: &[u8]) -> ([u8; SIZE], usize) {
    let (mut bytes, mut size) = ([0; SIZE], 0);
    let (mut begins, mut comments) = (true, false);
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let ends = *byte == b'\n';
        comments = !ends && (comments || begins && matches!(rest, [b'-', b'-', ..]));
        begins = ends || begins && *byte == b' ';
        if !begins && !comments || ends {
            bytes[size] = *byte;
            size += 1;
        }
        rest = after;
    }
    (bytes, size)
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn what_only_readers_need_is_left_out() {
        for (text, left) in [
            ("", ""),
            ("a", "a"),
            ("  a  b  \n    c\n", "a  b  \nc\n"),
            ("-- a\n  --b\n--\nc -- d\n", "\n\n\nc -- d\n"),
            ("- -\n   \n\n  \"é\"", "- -\n\n\n\"é\""),
        ] {
            let (bytes, size) = stripped::<40>(text.as_bytes());
            assert_eq!(&bytes[..size], left.as_bytes(), "{text}");
        }
    }
}
