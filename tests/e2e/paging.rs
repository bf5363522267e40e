//! Walks through a chat to its end, forwards and backwards.

use confab_kit::{Confab, Follower, numbers, texts};
use serde_json::{Value, json};

/// The texts of each page from `request` on.
async fn walk(confab: &Confab, request: Value) -> Vec<Vec<String>> {
    confab.pages(request).await.iter().map(texts).collect()
}

#[tokio::test]
async fn twenty_five_messages_are_three_pages_in_each_direction() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..25)).await;
    assert_eq!(
        walk(&confab, json!({ "chat": "a:b", "limit": 10 })).await,
        [numbers(0..10), numbers(10..20), numbers(20..25)]
    );
    assert_eq!(
        walk(&confab, json!({ "chat": "a:b", "limit": 10, "reverse": true })).await,
        [numbers((15..25).rev()), numbers((5..15).rev()), numbers((0..5).rev())]
    );
}

#[tokio::test]
async fn the_last_page_has_no_next_cursor_even_if_it_is_full() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..20)).await;
    for reverse in [false, true] {
        let request = json!({ "chat": "a:b", "limit": 10, "reverse": reverse });
        assert_eq!(walk(&confab, request).await.len(), 2);
        let request = json!({ "chat": "a:b", "limit": 20, "reverse": reverse });
        assert_eq!(walk(&confab, request).await.len(), 1);
    }
}

#[tokio::test]
async fn a_reverse_walk_below_a_bound_does_not_drift_while_others_send() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..9)).await;
    let mut request = json!({ "chat": "a:b", "limit": 2, "reverse": true, "before": 7 });
    let mut seen = Vec::new();
    loop {
        let page = confab.pull(request.clone()).await.ok();
        seen.extend(texts(&page));
        confab.send_all("a:b", "b", ["new"]).await;
        let Some(next) = page.get("next_cursor") else { break };
        request["cursor"] = next.clone();
    }
    assert_eq!(seen, numbers((0..7).rev()));
}

#[tokio::test]
async fn before_bounds_both_directions() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..6)).await;
    for (request, expected) in [
        (json!({ "before": 0 }), vec![]),
        (json!({ "before": 0, "reverse": true }), vec![]),
        (json!({ "before": 1 }), vec![numbers(0..1)]),
        (json!({ "before": 4 }), vec![numbers(0..3), numbers(3..4)]),
        (json!({ "before": 4, "cursor": 4 }), vec![]),
        (json!({ "before": 6 }), vec![numbers(0..3), numbers(3..6)]),
        (json!({ "before": u64::MAX }), vec![numbers(0..3), numbers(3..6)]),
        (
            json!({ "before": 4, "reverse": true }),
            vec![numbers((1..4).rev()), numbers(0..1)],
        ),
        (
            json!({ "before": 4, "reverse": true, "cursor": 3 }),
            vec![numbers(0..1)],
        ),
        (json!({ "before": 4, "reverse": true, "cursor": 4 }), vec![]),
        (
            json!({ "before": u64::MAX, "reverse": true, "cursor": 4 }),
            vec![numbers((0..2).rev())],
        ),
    ] {
        let asked = request.to_string();
        let mut request = request;
        request["chat"] = json!("a:b");
        request["limit"] = json!(3);
        let pages: Vec<_> = walk(&confab, request)
            .await
            .into_iter()
            .filter(|page| !page.is_empty())
            .collect();
        assert_eq!(pages, expected, "{asked}");
    }
}

#[tokio::test]
async fn a_page_ends_after_512_kibibytes_and_has_a_next_cursor() {
    let confab = Confab::anywhere().start();
    let text = |number: usize| format!("{number:02}{}", "x".repeat(64 * 1024 - 2));
    confab.send_all("a:b", "a", (0..20).map(text)).await;
    for reverse in [false, true] {
        let request = json!({ "chat": "a:b", "limit": 1000, "reverse": reverse });
        let page = confab.pull(request.clone()).await.ok();
        assert_eq!((&page["has_more"], &page["next_cursor"]), (&json!(true), &json!(8)));
        let pages = walk(&confab, request).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
        let mut all = pages.concat();
        if reverse {
            all.reverse();
        }
        assert!(all.into_iter().eq((0..20).map(text)), "reverse: {reverse}");
    }
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(20).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_ends_before_1_mebibyte_of_json() {
    let confab = Confab::anywhere().start();
    // JSON makes six bytes of each: 384 KiB of a text. Those between are short.
    let text = |number: usize| "\u{1}".repeat(if number.is_multiple_of(3) { 64 * 1024 } else { 1 });
    confab.send_all("a:b", "a", (0..20).map(text)).await;
    for reverse in [false, true] {
        let mut request = json!({ "chat": "a:b", "limit": 1000, "reverse": reverse });
        let mut found = Vec::new();
        loop {
            let page = confab.pull(request.clone()).await;
            assert!(page.body.len() <= 1024 * 1024, "{} bytes", page.body.len());
            let page = page.ok();
            let indexes = page["messages"].as_array().unwrap().iter();
            found.extend(indexes.map(|message| message["index"].as_u64().unwrap()));
            let Some(next) = page.get("next_cursor") else { break };
            assert_eq!(page["has_more"], json!(true));
            request["cursor"] = next.clone();
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, (0..20).collect::<Vec<_>>(), "reverse: {reverse}");
    }
    let page = confab.pull(json!({ "chat": "a:b", "limit": 1000 })).await.ok();
    assert_eq!(texts(&page).len(), 6);
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(20).await, (0..20).collect::<Vec<_>>());
}
