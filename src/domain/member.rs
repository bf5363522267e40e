//! Names of people: which are allowed, and which spellings are one person.

use crate::domain::error::Result;
use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::ComposingNormalizerBorrowed;

/// The most characters (Unicode scalar values) of a name in normal form C.
pub const MAX_NAME_CHARS: usize = 64;

const TOO_LONG: &str = "must be at most 64 characters";

const LETTER_CASE: CaseMapperBorrowed<'static> = CaseMapper::new();

const NORMAL_FORM_C: ComposingNormalizerBorrowed = ComposingNormalizerBorrowed::new_nfc();

/// The name of one person: equal values are one person, however the name was typed.
///
/// It is in Unicode's normal form C, then each letter gives up its case by itself (simple case folding), and then it is in normal
/// form C again, which folding can break. No locale and no neighbouring letter matters: `Σ`, `σ` and the final `ς` are one letter,
/// and so are `S`, `s` and the long `ſ`. `ß` is not `ss`, and neither `İ` nor `ı` is `i`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member(String);

impl Member {
    /// Parses a name: 1 to [`MAX_NAME_CHARS`] characters, none of them a control character or a colon.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        if name.is_empty() {
            return Err("must not be empty");
        }
        let name = NORMAL_FORM_C.normalize(name);
        if name.chars().count() > MAX_NAME_CHARS {
            return Err(TOO_LONG);
        }
        if name.chars().any(char::is_control) {
            return Err("must not have control characters");
        }
        if name.contains(':') {
            return Err("must not have a colon");
        }
        let folded: String = name.chars().map(|letter| LETTER_CASE.simple_fold(letter)).collect();
        Ok(Self(NORMAL_FORM_C.normalize(&folded).into_owned()))
    }

    /// The folded name, 1 character or longer, without colons or control characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    fn member(name: &str) -> Member {
        Member::parse(name).unwrap_or_else(|why| panic!("{name:?} {why}"))
    }

    #[test]
    fn spellings_of_one_name_are_one_person() {
        for spellings in [
            &["alice", "ALICE", "aLiCe"][..],
            // The final sigma of Greek, in any place.
            &["Ὀδυσσεύς", "ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"],
            &["ΟΔΥΣΣΈΑΣ", "Οδυσσέας", "οδυσσέασ"],
            // The long s, and signs that are letters.
            &["Straſse", "STRASSE", "strasse"],
            &["K", "k", "\u{212a}"],
            &["å", "Å", "\u{212b}", "a\u{30a}", "A\u{30a}"],
            &["µ", "μ", "Μ"],
            // Composed and decomposed, with marks in any order.
            &["é", "É", "e\u{301}", "E\u{301}"],
            &["ế", "e\u{302}\u{301}", "ê\u{301}", "Ế"],
            &["a\u{323}\u{307}", "a\u{307}\u{323}", "ạ\u{307}", "ȧ\u{323}"],
            &["한", "\u{1112}\u{1161}\u{11ab}"],
            &["ᾳ", "ᾼ", "α\u{345}", "Α\u{345}"],
            &["ś", "Ś", "ſ\u{301}"],
            &["ẛ", "Ṡ", "ſ\u{307}", "s\u{307}"],
            &["ß", "ẞ"],
            &["ǆ", "ǅ", "Ǆ"],
            // Letters that are folded to the upper case, and beyond the basic plane.
            &["Ꭰ", "ꭰ"],
            &["𐐀", "𐐨"],
            // Letters of recent versions of Unicode.
            &["\u{a7ce}", "\u{a7cf}"],
            &["\u{16ea0}", "\u{16ebb}"],
        ] {
            for spelling in spellings {
                assert_eq!(member(spelling), member(spellings[0]), "{spelling} of {spellings:?}");
            }
        }
    }

    #[test]
    fn other_names_are_other_people() {
        let names = [
            "i", "İ", "ı", "i\u{307}", "ß", "ss", "e", "é", "è", "ﬁ", "fi", "１", "1", "a", "а", "ά", "α", " ", "  ",
            "a ", "\u{202e}", "²",
        ];
        for (index, one) in names.iter().enumerate() {
            for other in &names[index + 1..] {
                assert_ne!(member(one), member(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_characters_of_the_normal_form_count() {
        // Four code points that are one character, and one that is three.
        let (four, three) = ("α\u{313}\u{300}\u{345}", "\u{1d160}");
        assert_eq!(member(four).as_str(), "ᾂ");
        _ = member(&four.repeat(MAX_NAME_CHARS));
        _ = member(&three.repeat(MAX_NAME_CHARS / 3));
        for name in [
            four.repeat(MAX_NAME_CHARS + 1),
            three.repeat(MAX_NAME_CHARS / 3 + 1),
            "a".repeat(MAX_NAME_CHARS + 1),
            "\u{301}".repeat(100_000),
        ] {
            assert_eq!(Member::parse(&name), Err(TOO_LONG), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (name, reason) in [
            ("", "empty"),
            ("a:b", "colon"),
            (":", "colon"),
            ("\0", "control"),
            ("a\n", "control"),
            ("a\u{7f}", "control"),
            ("e\u{301}\u{85}", "control"),
        ] {
            let why = Member::parse(name).unwrap_err();
            assert!(why.contains(reason), "{name:?} {why}");
        }
    }

    /// Clients send names back as confab stores them.
    #[test]
    fn a_folded_name_stays_as_it_is() {
        let check = |name: &str| {
            if let Ok(member) = Member::parse(name) {
                assert_eq!(Member::parse(member.as_str()).as_ref(), Ok(&member), "{name:?}");
            }
        };
        for letter in ('\0'..=char::MAX).filter(|letter| letter.is_lowercase() || letter.is_uppercase()) {
            for mark in ["", "\u{301}", "\u{307}", "\u{345}"] {
                check(&format!("{letter}{mark}"));
            }
        }
        let names = near(&[
            "Ὀδυσσεύς",
            "Straſse",
            "e\u{301}\u{345}",
            "한\u{1161}\u{11ab}",
            "\u{1d160}ẛ\u{323}",
        ]);
        fuzz("names", &names, |name| check(&String::from_utf8_lossy(&name)));
    }
}
