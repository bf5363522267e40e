//! Random programs of sends, pulls and walks over a few chats. Each answer is compared with that of a list in memory.

mod chat;
mod step;

use crate::delete::{delete, service, start};
use chat::Chat;
use confab_kit::{Confab, Redis, TestResponse, log_key, seed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use step::{Epoch, Step, step};

const PROGRAMS: u32 = 250;
const PROGRAMS_AT_A_URL: u32 = 50;
const LONGEST: usize = 60;
/// The cap of the chats in those programs that have one.
const CAP: usize = 5;

/// The chats: two names each.
const CHATS: [&str; 3] = ["a:b", "a:{", "é:é"];

/// The chats as they are written in Redis keys.
const STORED: [&str; 3] = ["a:b", "a:%7B", "%C3%A9:%C3%A9"];

const WITH_DATA: u8 = 3;

struct Program<'a> {
    /// `None` at a URL, where no log is lost.
    redis: Option<&'a Redis>,
    confab: &'a Confab,
    /// The same chats; `None` at a URL.
    closed: Option<&'a Confab>,
    cap: Option<usize>,
    chats: [Chat; CHATS.len()],
}

impl Program<'_> {
    async fn run(&mut self, step: &Step) {
        match *step {
            Step::Send {
                chat,
                other_member,
                text,
                key,
            } => self.send(chat, other_member, text, key).await,
            Step::Pull {
                chat,
                cursor,
                limit,
                reverse,
                before,
                epoch,
            } => {
                let mut request = json!({ "chat": CHATS[chat], "cursor": cursor, "limit": limit, "reverse": reverse });
                if let Some(before) = before {
                    request["before"] = json!(before);
                }
                let mut gone = false;
                if let Epoch::Of(other) = epoch {
                    let epoch = self.chats[other].epoch();
                    let past_the_end = !reverse && cursor > u64::try_from(self.chats[chat].len()).unwrap();
                    gone = epoch != 0 && (epoch != self.chats[chat].epoch() || past_the_end);
                    request["epoch"] = epoch;
                }
                let answer = self.confab.pull(request).await;
                if gone {
                    assert_eq!(answer.problem(), (410, json!("epoch")));
                    assert_eq!(answer.json()["epoch"], self.chats[chat].epoch());
                } else {
                    let expected = self.chats[chat].page(cursor, limit, reverse, before);
                    assert_eq!(answer.ok(), expected);
                }
            }
            Step::Walk { chat, limit, reverse } => {
                let request = json!({ "chat": CHATS[chat], "limit": limit, "reverse": reverse });
                let walked = self.confab.walk(request).await;
                let mut expected = self.chats[chat].messages();
                if reverse {
                    expected.reverse();
                }
                assert_eq!(walked, expected);
            }
            Step::Delete { chat, index } => {
                let model = &mut self.chats[chat];
                let (Some(closed), Some(redis), Some(message)) = (self.closed, self.redis, model.message(index)) else {
                    return;
                };
                delete(closed, &service(), CHATS[chat], message, &model.epoch())
                    .await
                    .ok();
                let notice: Vec<(String, Vec<String>)> = redis
                    .command(["XREVRANGE", &log_key(STORED[chat]), "+", "-", "COUNT", "1"])
                    .await;
                assert!(notice[0].0.ends_with(&format!("-{}", model.len())), "{notice:?}");
                model.delete(index, notice[0].1[0].parse().unwrap());
            }
            Step::LoseLog { chat } => {
                if let Some(redis) = self.redis {
                    redis.delete(&log_key(STORED[chat])).await;
                    self.chats[chat] = Chat::default();
                }
            }
        }
    }

    async fn send(&mut self, chat: usize, other_member: bool, text: u8, key: Option<u8>) {
        let name = CHATS[chat];
        let (one, other) = name.split_once(':').unwrap();
        let sender = if other_member { other } else { one };
        // In a chat with oneself, both are the same member.
        let member = other_member && one != other;
        let data = (text >= WITH_DATA).then(|| json!({ "n": text }));
        let words = if data.is_some() {
            String::new()
        } else {
            format!("text {text}")
        };
        let keys: Vec<_> = key.iter().map(u8::to_string).collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let answer = match &data {
            None => self.confab.send_with_keys(name, sender, &words, &keys).await,
            Some(data) => self.confab.send_data(name, sender, data, &keys).await,
        };
        let model = &mut self.chats[chat];
        if let Some((sent_text, sent)) = key.and_then(|key| model.sent.get(&(member, key))) {
            if *sent_text == text {
                assert_eq!((&answer.body, answer.header("idempotency-replayed")), (sent, "true"));
            } else {
                assert_eq!(answer.problem(), (422, json!("Idempotency-Key")));
            }
            return;
        }
        assert_eq!(answer.header("idempotency-replayed"), "");
        let TestResponse { status, body, .. } = answer;
        assert_eq!(status, 200);
        let receipt: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(receipt["index"], model.len());
        if let Some(key) = key {
            model.sent.insert((member, key), (text, body));
        }
        let mut message = json!({
            "chat": self.confab.chat(name), "text": words, "sender": self.confab.name(sender),
            "member": self.confab.name(sender),
            "send_time": receipt["send_time"], "index": receipt["index"],
        });
        if let Some(data) = data {
            message["data"] = data;
        }
        model.send(message, self.cap);
    }
}

#[test]
fn confab_answers_random_programs_as_a_list_in_memory_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (unlimited, capped, closed) = runtime.block_on(async {
        let unlimited = Confab::anywhere().start();
        let capped = |redis| Confab::on(redis).variable("max_messages_per_chat", CAP).start();
        let capped = unlimited.redis().map(capped);
        let closed = unlimited.redis().map(|redis| start(redis).1);
        (unlimited, capped, closed)
    });
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let cases = if capped.is_some() { PROGRAMS } else { PROGRAMS_AT_A_URL };
    let config = Config {
        cases,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let mut programs = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes));
    let program = (any::<bool>(), vec(step(), 1..=LONGEST));
    let ran = programs.run(&program, |(is_capped, steps)| {
        runtime.block_on(async {
            let new_chats;
            let (confab, cap) = if let (Some(redis), Some(capped)) = (unlimited.redis(), &capped) {
                redis.empty().await;
                if is_capped {
                    (capped, Some(CAP))
                } else {
                    (&unlimited, None)
                }
            } else {
                new_chats = Confab::anywhere().start();
                (&new_chats, None)
            };
            let mut program = Program {
                redis: unlimited.redis(),
                confab,
                closed: closed.as_ref(),
                cap,
                chats: Default::default(),
            };
            for step in &steps {
                program.run(step).await;
            }
        });
        Ok(())
    });
    if let Err(why) = ran {
        panic!("{why}");
    }
    println!("model: {cases} programs of up to {LONGEST} steps agree");
}
