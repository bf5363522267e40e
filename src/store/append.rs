//! Appends a message to its chat log, once: on one Redis in one step, in a Cluster in three.

use crate::config::FirstMessage;
use crate::domain::data::Data;
use crate::domain::error::{Error, Result, Stored};
use crate::domain::message::{Author, Draft, Sent};
use crate::domain::quota::{Allowance, Quota};
use crate::redis::Script;
use crate::session::Session;
use crate::store::appended::{Appended, decode};
use crate::store::charge::Charge;
use crate::store::clocks::compare_clocks;
use crate::store::keys;
use crate::store::receipt::Receipt;
use crate::store::touch::{Newest, touch};
use spin_sdk::redis::RedisResult;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static APPEND: Script = Script::replicating(&[
    include_str!("entry.lua"),
    include_str!("touch.lua"),
    include_str!("rate.lua"),
    include_str!("append.lua"),
]);

/// Appends a message to its chat log, once whatever happens on the way, and returns when Redis has it.
///
/// The index is one above the newest one. The time is Redis's, made greater than the newest one, so index and time always agree,
/// whatever clocks do. A message whose key was used for the same text within the window is not stored again: the answer is
/// that of the first one. With other text or data, it fails with [`Error::KeyReused`]. If its sender has a quota, it counts in it once it is
/// stored; if the quota is used up, it fails with [`Error::TooManySends`], and stores nothing. If the other member has blocked the
/// sender, it fails with [`Error::Blocked`], and with [`Error::NotOpen`] if the sender needs an open chat: both store nothing, and the
/// key stays unused.
pub async fn append(session: &Session, draft: &Draft) -> Result<Sent> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let append = Append::new(session, draft, now);
    let (appended, allowance) = match append.at_once().await? {
        Some(done) => done,
        None => append.in_steps().await?,
    };
    match appended {
        Appended::Stored {
            index,
            send_time,
            replayed,
            ..
        } => {
            if !replayed {
                compare_clocks(&append.log, Duration::from_micros(send_time), now);
            }
            Ok(Sent {
                index,
                send_time,
                replayed,
                allowance,
            })
        }
        Appended::KeyReused => Err(Error::KeyReused),
        Appended::Blocked => Err(Error::Blocked),
        Appended::Closed => Err(Error::NotOpen),
        Appended::Limited { .. } | Appended::Unknown => Err(allowance.map_or_else(
            || Error::internal("append.lua limits a sender who has no quota"),
            Error::TooManySends,
        )),
    }
}

/// What became of the message, and what its sender may send then, if there is a quota.
type Done = (Appended, Option<Allowance>);

/// What `append.lua` does to the sender's mark, if it does anything.
#[derive(Clone, Copy)]
enum Mode {
    /// The sender has read the chat.
    Read,
    /// The same, of a sender who may send only in an open chat.
    Guest,
    /// Somebody else sends in the sender's name.
    Unread,
    /// Nothing is stored: it only looks for a receipt.
    Look,
}

/// One message that is to be appended.
struct Append<'a> {
    session: &'a Session,
    draft: &'a Draft,
    nonce: [u64; 2],
    receipt: Receipt,
    log: String,
    marks: String,
    settings: String,
    /// What the chat log stores.
    entry: String,
}

impl<'a> Append<'a> {
    fn new(session: &'a Session, draft: &'a Draft, now: Duration) -> Self {
        let nonce = nonce();
        Self {
            session,
            draft,
            nonce,
            receipt: Receipt::new(session.config(), draft, nonce, now),
            log: keys::log(draft.chat()),
            marks: keys::marks(draft.chat()),
            settings: keys::settings(draft.chat()),
            entry: [draft.sender(), ":", draft.text()].concat(),
        }
    }

    /// On one Redis: one script charges the sender, appends the message, and touches what is the members'. `None` if Redis is a Cluster,
    /// where their keys are in several slots: nothing is done then.
    async fn at_once(&self) -> Result<Option<Done>> {
        let quota = self.quota();
        let (sender, other) = (self.draft.member(), self.draft.chat().other(self.draft.member()));
        let of_members = [
            keys::inbox(sender),
            keys::inbox(other),
            keys::feed(sender),
            keys::feed(other),
        ];
        let rate = quota.map(|_| keys::rate(sender));
        let of_chat = [&self.log, &self.marks, &self.settings];
        let keys = of_chat.into_iter().chain(&of_members).chain(&self.receipt.buckets);
        let keys: Vec<_> = keys.chain(&rate).map(String::as_str).collect();
        let numbers = self.numbers(quota);
        let arguments = self.arguments(self.mode(), &numbers);
        let Some(reply) = APPEND.run_undivided(self.session, &keys, &arguments).await? else {
            return Ok(None);
        };
        let appended = self.decode(&reply)?;
        let allowance = quota.zip(appended.used()).map(|(quota, used)| quota.allowance(used));
        Ok(Some((appended, allowance)))
    }

    /// In a Cluster: first charges the sender, then appends the message, then touches what is the members', each on the node that has
    /// the keys.
    async fn in_steps(&self) -> Result<Done> {
        let sender = self.draft.member();
        let charge = match self.quota() {
            Some(quota) => Some(Charge::take(self.session, sender, quota, self.nonce).await?),
            None => None,
        };
        // A replay never counts: it is answered whatever is left.
        let is_limited = charge.as_ref().is_some_and(|charge| !charge.is_taken());
        let mode = if is_limited { Mode::Look } else { self.mode() };
        let appended = self.in_its_slot(mode).await;
        let allowance = match &charge {
            Some(charge) if stored_nothing(&appended) => Some(charge.give_back(self.session).await),
            Some(charge) => Some(charge.allowance()),
            None => None,
        };
        let appended = appended?;
        if let Appended::Stored { index, send_time, .. } = appended {
            let newest = Newest {
                time: send_time,
                begins: index == 0,
            };
            // Also for a replay: the first request may have ended before this.
            touch(self.session, self.draft.chat(), sender, Some(newest)).await?;
        }
        Ok((appended, allowance))
    }

    /// Runs the script with the keys of the chat's slot alone.
    async fn in_its_slot(&self, mode: Mode) -> Result<Appended> {
        let of_chat = [&self.log, &self.marks, &self.settings].into_iter();
        let keys: Vec<_> = of_chat.chain(&self.receipt.buckets).map(String::as_str).collect();
        let sender = self.draft.member();
        let names = [sender, self.draft.chat().other(sender)].map(keys::field);
        let numbers = self.numbers(None);
        let mut arguments = self.arguments(mode, &numbers);
        arguments.extend(names.iter().map(String::as_bytes));
        self.decode(&APPEND.run(self.session, &keys, &arguments).await?)
    }

    fn decode(&self, reply: &[RedisResult]) -> Result<Appended> {
        decode(reply).map_err(|why| why.at(&self.log))
    }

    /// The arguments of the script that are numbers, in its order.
    fn numbers(&self, quota: Option<Quota>) -> [String; 6] {
        let config = self.session.config();
        let [interval, span] = quota.map_or([0, 0], |quota| [quota.interval(), quota.span()]);
        let cap = config.max_messages.map_or(0, NonZeroU64::get);
        let Receipt { must_keep, keep, .. } = self.receipt;
        [must_keep, keep, cap, config.redis_replicas, interval, span].map(|number| number.to_string())
    }

    fn arguments<'b>(&'b self, mode: Mode, numbers: &'b [String; 6]) -> Vec<&'b [u8]> {
        let mode = match mode {
            Mode::Read => "read",
            Mode::Guest => "guest",
            Mode::Unread => "unread",
            Mode::Look => "look",
        };
        let Receipt { field, tokens, .. } = &self.receipt;
        let first = [self.entry.as_bytes(), field, tokens, mode.as_bytes()];
        let data = self.draft.data().map_or("", Data::as_str);
        let numbers = numbers.iter().map(String::as_bytes);
        first.into_iter().chain(numbers).chain([data.as_bytes()]).collect()
    }

    fn mode(&self) -> Mode {
        match self.draft.author() {
            Author::Service => Mode::Unread,
            Author::Sender if self.session.config().first_message == FirstMessage::Service => Mode::Guest,
            Author::Sender | Author::Unproven => Mode::Read,
        }
    }

    fn quota(&self) -> Option<Quota> {
        let is_limited = self.draft.author() == Author::Sender;
        self.session.config().send_quota.filter(|_| is_limited)
    }
}

/// Whether this request has not stored a message.
fn stored_nothing(appended: &Result<Appended>) -> bool {
    match appended {
        Ok(Appended::Stored { replayed, .. }) => *replayed,
        Err(Error::Unavailable { stored, .. }) => *stored == Stored::No,
        _ => true,
    }
}

/// A number that no other request has, of this instance or another.
fn nonce() -> [u64; 2] {
    thread_local! {
        static NEXT: Cell<Option<[u64; 2]>> = const { Cell::new(None) };
    }
    // The host is asked once per instance, as each call costs; 128 random bits leave room to count up from.
    let [of_instance, number] = NEXT.get().unwrap_or_else(|| [get_random_u64(), get_random_u64()]);
    NEXT.set(Some([of_instance, number.wrapping_add(1)]));
    [of_instance, number]
}
