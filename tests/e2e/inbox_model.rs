//! Random programs of sends, reads and inbox pages by several people. Each answer is compared with that of a list in memory.

mod chat;
mod step;

use crate::delete::{delete, service, start};
use chat::Chat;
use confab_kit::{Confab, Redis, log_key, seed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use step::{Step, step};

const PROGRAMS: u32 = 80;
const LONGEST: usize = 60;
/// The cap of the chats in those programs that have one.
const CAP: usize = 4;

const PEOPLE: [&str; 4] = ["a", "b", "c", "é"];
const CHATS: [[&str; 2]; 6] = [["a", "b"], ["a", "c"], ["a", "é"], ["b", "c"], ["b", "é"], ["a", "a"]];

struct Program<'a> {
    redis: &'a Redis,
    confab: &'a Confab,
    closed: &'a Confab,
    chats: Vec<Chat>,
    sent: usize,
}

fn name_of(chat: usize) -> String {
    CHATS[chat].join(":")
}

fn key_of(chat: usize) -> String {
    log_key(&name_of(chat).replace('é', "%C3%A9"))
}

impl Program<'_> {
    async fn run(&mut self, step: &Step) {
        match *step {
            Step::Send { chat, member } => {
                self.sent += 1;
                let (sender, text) = (CHATS[chat][member], format!("text{}", self.sent));
                let answer = self.confab.send_keyed(&name_of(chat), sender, &text, &text).await;
                if self.chats[chat].is_blocked(CHATS[chat][1 - member]) {
                    assert_eq!(answer.json()["type"], "/problems/blocked");
                } else {
                    self.chats[chat].send(sender, &text, &answer.ok());
                }
            }
            Step::SendAgain { chat } => {
                let Some((sender, text, receipt)) = self.chats[chat].last_sent.clone() else {
                    return;
                };
                let again = self.confab.send_keyed(&name_of(chat), &sender, &text, &text).await;
                assert_eq!((again.header("idempotency-replayed"), again.json()), ("true", receipt));
            }
            Step::Read {
                chat,
                member,
                index,
                by_position,
            } => self.read(chat, member, index, by_position).await,
            Step::Set {
                chat,
                member,
                blocked,
                value,
            } => {
                let name = CHATS[chat][member];
                let field = if blocked { "blocked" } else { "muted" };
                let body = json!({ "chat": name_of(chat), "name": name, field: value });
                let answer = self.confab.set(body).await;
                let is_own_block = blocked && value && CHATS[chat][0] == CHATS[chat][1];
                if is_own_block {
                    assert_eq!(answer.status, 400);
                    return;
                }
                match self.chats[chat].set(name, blocked, value) {
                    None => assert_eq!(answer.status, 409),
                    Some((is_blocked, is_muted)) => {
                        let set = answer.ok();
                        assert_eq!((&set["blocked"], &set["muted"]), (&json!(is_blocked), &json!(is_muted)));
                    }
                }
            }
            Step::Inbox { person, limit } => {
                let expected = self.inbox(PEOPLE[person]);
                assert_eq!(self.confab.inbox_walk(PEOPLE[person], limit).await, expected);
            }
            Step::Delete { chat, index } => {
                if let Some((message, epoch)) = self.chats[chat].message(index) {
                    delete(self.closed, &service(), &name_of(chat), &message, &epoch)
                        .await
                        .ok();
                    let newest = ["XREVRANGE", &key_of(chat), "+", "-", "COUNT", "1"];
                    let notice: Vec<(String, Vec<String>)> = self.redis.command(newest).await;
                    self.chats[chat].delete(index, notice[0].1[0].parse().unwrap());
                }
            }
            Step::Remove { chat, index } => {
                // The last one stays: a log that is emptied begins anew.
                if let Some(id) = self.chats[chat].remove(index) {
                    self.redis.command::<()>(["XDEL", &key_of(chat), &id]).await;
                }
            }
            Step::LoseLog { chat } => {
                self.redis.delete(&key_of(chat)).await;
                self.chats[chat].lose();
            }
        }
    }

    async fn read(&mut self, chat: usize, member: usize, index: usize, by_position: bool) {
        let (reader, model) = (CHATS[chat][member], &mut self.chats[chat]);
        let mut request = json!({ "chat": name_of(chat), "name": reader });
        let expected = if by_position {
            let Some((position, is_lost)) = model.position(index) else {
                return;
            };
            request["position"] = json!(position);
            if is_lost {
                let gone = self.confab.read(request).await;
                assert_eq!(gone.problem(), (410, json!("epoch")));
                return;
            }
            model.read_position(reader, &position)
        } else {
            request["index"] = json!(index);
            model.read_index(reader, index)
        };
        let mut answer = self.confab.read(request).await.ok();
        assert_eq!(answer["chat"].take(), json!(name_of(chat)));
        assert_eq!(answer, expected);
    }

    /// The chats of a person, as they should be.
    fn inbox(&self, person: &str) -> Vec<Value> {
        let mine =
            (0..CHATS.len()).filter(|chat| CHATS[*chat].contains(&person) && self.chats[*chat].newest().is_some());
        let mut mine: Vec<_> = mine.collect();
        mine.sort_by_key(|chat| std::cmp::Reverse(self.chats[*chat].time));
        let entry = |chat: usize| {
            let [one, other] = CHATS[chat];
            let with = if one == person { other } else { one };
            self.chats[chat].entry(&name_of(chat), person, with)
        };
        mine.into_iter().map(entry).collect()
    }
}

#[test]
fn confab_answers_random_programs_of_inboxes_as_a_list_in_memory_does() {
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config {
        cases: PROGRAMS,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let mut programs = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let redis = Redis::start();
    let (unlimited, capped, closed) = runtime.block_on(async {
        let capped = Confab::on(&redis).variable("max_messages_per_chat", CAP).start();
        (Confab::start(&redis), capped, start(&redis).1)
    });
    let program = (any::<bool>(), vec(step(), 1..=LONGEST));
    let ran = programs.run(&program, |(is_capped, steps)| {
        runtime.block_on(async {
            redis.empty().await;
            let cap = is_capped.then_some(CAP);
            let mut program = Program {
                redis: &redis,
                confab: if is_capped { &capped } else { &unlimited },
                closed: &closed,
                chats: CHATS.iter().map(|_| Chat::new(cap)).collect(),
                sent: 0,
            };
            for step in &steps {
                program.run(step).await;
            }
            for person in 0..PEOPLE.len() {
                program.run(&Step::Inbox { person, limit: 20 }).await;
            }
        });
        Ok(())
    });
    if let Err(why) = ran {
        panic!("{why}");
    }
    println!("inbox model: {PROGRAMS} programs of up to {LONGEST} steps agree");
}
