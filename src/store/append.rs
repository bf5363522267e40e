//! Appends a message to its chat log, once.

use crate::domain::embedded::embedded;
use crate::domain::error::{Error, Result, Stored};
use crate::domain::message::{Author, Draft, Receipt};
use crate::domain::quota::Allowance;
use crate::domain::server_log;
use crate::store::appended::{Reply, decode};
use crate::store::charge::Charge;
use crate::store::cluster;
use crate::store::keys;
use crate::store::receipt::Place;
use crate::store::script::Script;
use crate::store::session::Session;
use crate::store::touch::touch;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static APPEND: Script = Script::sending(&[embedded!("entry.lua"), embedded!("touch.lua"), embedded!("append.lua")]);

/// How far a send time may be ahead of the host's clock without a word.
const MOST_AHEAD: Duration = Duration::from_mins(1);

/// Appends a message to its chat log, once whatever happens on the way, and returns when Redis has it.
///
/// The index is one above the newest one. The time is Redis's, made greater than the newest one, so index and time always agree,
/// whatever clocks do. A message whose key was used for the same text within the window is not stored again: the receipt is
/// that of the first one. With another text, it fails with [`Error::KeyReused`]. If its sender has a quota, it counts in it once it is
/// stored; if the quota is used up, it fails with [`Error::TooManySends`], and stores nothing.
pub async fn append(session: &Session, draft: &Draft) -> Result<Receipt> {
    let log = keys::log(draft.chat());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (reply, allowance) = run(session, draft, &log, now).await?;
    if cluster::is_divided()
        && let Reply::Sent { send_time, .. } = reply
    {
        // Also for a replay: the first request may have ended before this.
        touch(session, draft.chat(), draft.member(), Some(send_time)).await?;
    }
    match reply {
        Reply::Sent {
            index,
            send_time,
            replayed,
            ..
        } => {
            if !replayed {
                compare_clocks(&log, Duration::from_micros(send_time), now);
            }
            Ok(Receipt {
                index,
                send_time,
                replayed,
                allowance,
            })
        }
        Reply::KeyReused => Err(Error::KeyReused),
        Reply::Limited { .. } | Reply::Unknown => Err(allowance.map_or_else(unexpected, Error::TooManySends)),
    }
}

/// What the script does not reply to the send of somebody without a quota.
fn unexpected() -> Error {
    Error::internal("append.lua limits a sender who has no quota".to_owned())
}

/// To the script: the sender has read the chat.
const HAS_READ: u8 = 1;

/// To the script: it is only to look for a receipt.
const ONLY_LOOKS: u8 = 2;

/// Runs the script, in a Cluster with the keys of the chat's slot alone. Returns what the sender may send then, if there is a quota.
async fn run(session: &Session, draft: &Draft, log: &str, now: Duration) -> Result<(Reply, Option<Allowance>)> {
    let nonce = nonce();
    let place = Place::of(session, draft, nonce, now);
    let entry = [draft.sender(), ":", draft.text()].concat();
    let cap = session.max_messages.map_or(0, NonZeroU64::get);
    let has_read = if draft.author() == Author::Service { 0 } else { HAS_READ };
    let packed = |[interval, span]: [u64; 2], flags: u8| {
        let numbers = [place.must_keep, place.keep, cap, interval, span, session.redis_replicas].map(u64::to_be_bytes);
        [&place.field[..], &place.tokens, numbers.as_flattened(), &[flags]].concat()
    };
    let (sender, other) = (draft.member(), draft.chat().other(draft.member()));
    let marks = keys::marks(draft.chat());
    let of_chat = [log, &marks];
    let buckets = || place.buckets.iter().map(String::as_str);
    let quota = session.send_quota.filter(|_| draft.author() == Author::Sender);
    let of_members = [
        keys::inbox(sender),
        keys::inbox(other),
        keys::feed(sender),
        keys::feed(other),
    ];
    let rate = quota.map(|_| keys::rate(sender));
    let of_members = of_members.iter().map(String::as_str);
    let keys = of_chat.into_iter().chain(of_members).chain(buckets());
    let keys: Vec<_> = keys.chain(rate.as_deref()).collect();
    let counts = quota.map_or([0, 0], |quota| [quota.interval(), quota.span()]);
    let arguments = [entry.as_bytes(), &packed(counts, has_read)];
    if let Some(reply) = APPEND.run_undivided(session, &keys, &arguments).await? {
        let reply = decode(&reply).map_err(|why| why.at(log))?;
        let allowance = quota.zip(reply.used()).map(|(quota, used)| quota.allowance(used));
        return Ok((reply, allowance));
    }
    let keys: Vec<_> = of_chat.into_iter().chain(buckets()).collect();
    let charge = quota.map(|quota| Charge::new(sender, quota, nonce));
    let counted = match &charge {
        Some(charge) => Some(charge.take(session).await?),
        None => None,
    };
    // A replay never counts: it is answered whatever is left.
    let flags = if matches!(counted, Some((false, _))) {
        ONLY_LOOKS
    } else {
        has_read
    };
    let packed = packed([0, 0], flags);
    let [sender_name, other_name] = [sender, other].map(keys::field);
    let arguments = [entry.as_bytes(), &packed, sender_name.as_bytes(), other_name.as_bytes()];
    let reply = APPEND.run(session, &keys, &arguments).await;
    let reply = reply.and_then(|reply| decode(&reply).map_err(|why| why.at(log)));
    let mut allowance = counted.map(|(_, allowance)| allowance);
    if let (Some(charge), Some((true, _)), true) = (&charge, &counted, stored_nothing(&reply)) {
        // If this fails, the message counts for its time although it is not stored.
        allowance = charge.give_back(session).await.ok().or(allowance);
    }
    Ok((reply?, allowance))
}

/// Whether this request has not stored a message.
fn stored_nothing(reply: &Result<Reply>) -> bool {
    match reply {
        Ok(Reply::Sent { replayed, .. }) => *replayed,
        Err(Error::Unavailable { stored, .. }) => *stored == Stored::No,
        _ => true,
    }
}

/// Writes one line per instance to the server log if a message is sent in the future: its chat keeps such times until they have come.
fn compare_clocks(log: &str, send_time: Duration, now: Duration) {
    thread_local! {
        static REPORTED: Cell<bool> = const { Cell::new(false) };
    }
    let ahead = send_time.saturating_sub(now);
    if ahead > MOST_AHEAD && !REPORTED.replace(true) {
        let seconds = ahead.as_secs();
        let cause =
            format!("{log} has a send_time {seconds} s ahead of this host's clock: Redis's clock is or was ahead");
        server_log::noticed("clock-ahead", &keys::without_names(&cause));
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
