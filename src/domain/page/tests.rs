//! Tests of the limits of a pull and of the cursors of its pages.

use super::*;

#[test]
fn a_limit_is_never_nothing_and_never_too_much() {
    for (asked, limit) in [
        (None, 10),
        (Some(0), 10),
        (Some(1), 1),
        (Some(999), 999),
        (Some(1000), 1000),
        (Some(1001), 1000),
        (Some(65_536), 1000),
        (Some(u64::MAX), 1000),
    ] {
        assert_eq!(Limit::new(asked).get(), limit, "{asked:?}");
    }
}

fn parse(reverse: Option<bool>, before: Option<u64>, wait: Option<u64>) -> Result<Span> {
    let fields = PageFields {
        chat: "a:b".into(),
        cursor: Some(3),
        reverse,
        before,
        wait,
        ..PageFields::default()
    };
    PageRequest::parse(&fields).map(|request| request.span)
}

#[test]
fn a_wait_is_at_most_twenty_five_seconds() {
    for (asked, seconds) in [
        (None, 0),
        (Some(0), 0),
        (Some(1), 1),
        (Some(25), 25),
        (Some(26), 25),
        (Some(30), 25),
    ] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(parse(None, None, asked), Ok(Span::From { from: 3, wait }));
    }
    for asked in [31, u64::MAX] {
        for reverse in [None, Some(true)] {
            let error = parse(reverse, None, Some(asked)).unwrap_err();
            let named = matches!(
                &error,
                Error::Invalid {
                    field: Some(Field::Wait),
                    ..
                }
            );
            assert!(named, "{asked}: {error:?}");
        }
    }
}

#[test]
fn after_takes_the_place_of_the_cursor_and_is_a_position() {
    let parse = |after: &str, reverse| {
        let fields = PageFields {
            chat: "a:b".into(),
            cursor: Some(3),
            epoch: Some(16),
            reverse: Some(reverse),
            after: Some(after.into()),
            ..PageFields::default()
        };
        PageRequest::parse(&fields).map(|request| (request.span, request.basis))
    };
    let wait = Duration::ZERO;
    for (after, from) in [("17-41-18", 42), ("0", 0)] {
        let basis = Basis::After(after.parse().unwrap());
        assert_eq!(parse(after, false), Ok((Span::From { from, wait }, basis)));
    }
    for (after, reverse) in [("17-41-18", true), ("17-41", false), ("", false), ("0-0-0", false)] {
        let error = parse(after, reverse).unwrap_err();
        let named = matches!(
            &error,
            Error::Invalid {
                field: Some(Field::After),
                ..
            }
        );
        assert!(named, "{after}: {error:?}");
    }
}

#[test]
fn only_the_open_end_of_a_log_can_be_waited_for() {
    let back = |before| Ok(Span::Back { skip: 3, before });
    assert_eq!(parse(Some(true), None, Some(1)), back(None));
    assert_eq!(parse(Some(true), Some(9), Some(1)), back(Some(9)));
    assert_eq!(
        parse(Some(false), Some(9), Some(1)),
        Ok(Span::Between { from: 3, before: 9 })
    );
}

/// The page that holds `indexes`, in a chat that has the messages 3 to 9, each sent at its index.
fn page(span: Span, indexes: &[u64]) -> Page {
    let message = |index: &u64| Message {
        index: *index,
        sender: "a".into(),
        text: "hi".into(),
        data: None,
        send_time: *index,
    };
    let extent = Extent {
        epoch: Epoch::new(17).unwrap(),
        oldest: 3,
        newest: 9,
        newest_time: 9,
    };
    let far = match span {
        Span::From { .. } => Some(9),
        Span::Between { before, .. } => before.checked_sub(1).map(|last| last.min(9)),
        Span::Back { .. } => Some(3),
    };
    let slice = Slice {
        extent,
        items: indexes.iter().map(message).map(Item::Message).collect(),
        far,
        told: Vec::new(),
    };
    Page::new(span, Basis::Any, Some(slice))
}

fn next(span: Span, indexes: &[u64]) -> Option<u64> {
    page(span, indexes).next
}

#[test]
fn a_forward_page_has_a_next_until_the_newest_or_the_bound() {
    let wait = Duration::ZERO;
    for (from, before, indexes, expected) in [
        (3, None, &[3, 4][..], Some(5)),
        (8, None, &[8, 9], None),
        (10, None, &[], None),
        (0, None, &[3, 4], Some(5)),
        (3, Some(6), &[3, 4], Some(5)),
        (3, Some(5), &[3, 4], None),
        (8, Some(100), &[8, 9], None),
    ] {
        let span = match before {
            None => Span::From { from, wait },
            Some(before) => Span::Between { from, before },
        };
        assert_eq!(next(span, indexes), expected, "{span:?}");
    }
}

#[test]
fn a_reverse_page_has_a_next_until_the_oldest() {
    for (skip, before, indexes, expected) in [
        (0, None, &[9, 8][..], Some(2)),
        (2, None, &[7, 6, 5], Some(5)),
        (5, None, &[4, 3], None),
        (7, None, &[], None),
        (0, Some(5), &[4], Some(1)),
        (0, Some(4), &[3], None),
        (0, Some(100), &[9], Some(1)),
        // 8 and 6 were removed by hand.
        (0, None, &[9, 7], Some(3)),
        (3, None, &[5], Some(5)),
    ] {
        assert_eq!(
            next(Span::Back { skip, before }, indexes),
            expected,
            "{skip} {before:?}"
        );
    }
}

#[test]
fn a_page_has_the_position_of_its_highest_message() {
    let wait = Duration::ZERO;
    let from = |from| Span::From { from, wait };
    let back = Span::Back { skip: 0, before: None };
    for (span, indexes, position) in [
        (from(3), &[3, 4][..], Some("17-4-4")),
        (from(10), &[], Some("17-9-9")),
        (from(99), &[], Some("17-9-9")),
        (Span::Between { from: 5, before: 5 }, &[], None),
        (back, &[9, 8], Some("17-9-9")),
    ] {
        let position = position.map(|position| position.parse().unwrap());
        assert_eq!(page(span, indexes).position, position, "{span:?} {indexes:?}");
    }
    let after = Basis::After("17-6-6".parse().unwrap());
    assert_eq!(Page::new(from(7), after, None).position.unwrap().to_string(), "17-6-6");
    assert_eq!(Page::new(from(0), Basis::Any, None).position, Some(Position::Start));
}
