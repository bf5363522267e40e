//! Names: however a person's name is typed, it is the same person.

use confab_kit::Confab;
use serde_json::json;

#[tokio::test]
async fn all_spellings_of_two_names_are_one_chat_and_one_sender() {
    let confab = Confab::anywhere().start();
    // Each pair of names, in other letter cases, in the other order, and with the marks as characters of their own.
    for (chat, spelled, sender) in [
        ("alice:bob", "BOB:aLICE", "ALICE"),
        ("Οδυσσέας:q", "Q:ΟΔΥΣΣΈΑΣ", "οδυσσε\u{301}ας"),
        ("zoé:ſam", "SAM:ZOE\u{301}", "Sam"),
        ("한:ạ\u{307}", "A\u{307}\u{323}:\u{1112}\u{1161}\u{11ab}", "한"),
        // Folded, its first letter and mark become one.
        ("\u{17f}\u{301}wit:ania", "ANIA:ŚWIT", "s\u{301}wit"),
    ] {
        confab.send_keyed(chat, sender, "hi", "k").await.ok();
        let first = confab.pull(json!({ "chat": spelled })).await.ok();
        // The names come back as they were written.
        assert_eq!(first["messages"][0]["chat"], confab.chat(spelled));
        assert_eq!(first["messages"][0]["sender"], confab.name(sender));
        let (name, _) = chat.split_once(':').unwrap();
        let again = confab.send_keyed(spelled, sender, "hi", "k").await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{chat}");
        assert_eq!(confab.send(spelled, name, "more").await.ok()["index"], 1, "{chat}");
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*:log").await.len(), 5);
    }
}

#[tokio::test]
async fn a_name_has_64_characters_however_many_it_takes_to_type_them() {
    let confab = Confab::anywhere().start();
    // One character, typed as a letter and three marks.
    let typed = "α\u{313}\u{300}\u{345}";
    let left = 64 - confab.name("").len();
    let longest = typed.repeat(left);
    confab.send(&format!("{longest}:b"), &longest, "hi").await.ok();
    assert_eq!(
        confab.texts(json!({ "chat": format!("b:{}", "ᾂ".repeat(left)) })).await,
        ["hi"]
    );
    for name in [typed, "ᾂ", "\u{301}"].map(|character| character.repeat(left + 1)) {
        let answer = confab.send(&format!("{name}:b"), "b", "hi").await;
        assert_eq!(answer.problem(), (400, json!("chat")));
    }
}
