//! The receipt of a send: what Redis keeps for a while, so that a second try of the send finds that its message is stored.

use crate::config::{Config, LEAST_WINDOW};
use crate::domain::message::Draft;
use crate::store::keys;
use sha1_smol::Sha1;
use std::time::Duration;

/// The length of the shortest buckets.
const LEAST_LENGTH_S: u64 = 64;

/// The receipt of one request: where Redis keeps it, and what it says. All tries of the request have the same one.
#[derive(Debug, PartialEq)]
pub(super) struct Receipt {
    /// The Redis keys of the buckets: first the one that the receipt goes to, then those in which an earlier one may be. Hosts find
    /// each other's receipts if their clocks differ by no more than a bucket's length, less the window.
    pub(super) buckets: Vec<String>,
    /// Its field in the bucket. Redis keeps a bucket of longer names in a larger form.
    pub(super) field: [u8; 12],
    /// 4 bytes of the digest of the text and the data, and 4 of the nonce.
    pub(super) tokens: [u8; 8],
    /// How long the receipt must be kept, in milliseconds.
    pub(super) must_keep: u64,
    /// How long a bucket is kept from now on, in milliseconds, if it would expire before the receipt may. It is a sixteenth of the
    /// bucket's length more than the receipt needs, so that few sends have to set it.
    pub(super) keep: u64,
}

impl Receipt {
    /// The receipt of a message that is sent `now`, a time since the Unix epoch. No other request has this `nonce`.
    ///
    /// Without an idempotency key, the nonce is the key: only the tries of this request find the receipt.
    pub(super) fn new(config: &Config, draft: &Draft, nonce: [u64; 2], now: Duration) -> Self {
        let window = match draft.key() {
            Some(_) => config.idempotency_window.max(LEAST_WINDOW),
            None => LEAST_WINDOW,
        };
        let length = window.as_secs().max(LEAST_LENGTH_S).next_power_of_two();
        let bucket = now.as_secs().checked_div(length).unwrap_or(0);
        let key_of = |bucket| keys::receipts(draft.chat(), length, bucket);
        let nonce = nonce.map(u64::to_be_bytes).concat();
        let (buckets, name, text) = if let Some(key) = draft.key() {
            let buckets = [bucket, bucket.saturating_sub(1), bucket.saturating_add(1)];
            let text = match draft.data() {
                // No text has this byte.
                Some(data) => digest(&[draft.text().as_bytes(), &[0xff], data.as_str().as_bytes()]),
                None => digest(&[draft.text().as_bytes()]),
            };
            (buckets.map(key_of).into(), key.as_str().as_bytes(), text)
        } else {
            // All tries have this one bucket, and one text.
            (vec![key_of(bucket)], &nonce[..], [0; 4])
        };
        let mut tokens = [0; 8];
        for (token, byte) in tokens.iter_mut().zip(text.iter().chain(nonce.iter().rev())) {
            *token = *byte;
        }
        let [first, _] = draft.chat().members();
        let member: &[u8] = if draft.member() == first { b"0" } else { b"1" };
        let must_keep = window.as_secs().saturating_mul(1000);
        Self {
            buckets,
            field: digest(&[member, name]),
            tokens,
            must_keep,
            keep: must_keep.saturating_add(length.saturating_mul(1000).div_ceil(16)),
        }
    }
}

/// The first bytes of a SHA-1, at most 20.
fn digest<const BYTES: usize>(parts: &[&[u8]]) -> [u8; BYTES] {
    let mut sha1 = Sha1::new();
    for part in parts {
        sha1.update(part);
    }
    let all = sha1.digest().bytes();
    all.first_chunk().copied().unwrap_or([0; BYTES])
}
