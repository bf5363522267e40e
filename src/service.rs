//! What confab does, once, for all doors.

use crate::chat::Chat;
use crate::config::{self, Config};
use crate::connection::OwnConnection;
use crate::error::{Error, Result};
use crate::live::{FollowRequest, MESSAGES_AT_ONCE, Position, Update};
use crate::message::{Draft, Receipt};
use crate::page::{Extent, Limit, Order, Page, PageRequest};
use crate::store;
use futures::future::{Either, select};
use spin_sdk::time;
use spin_sdk::wit_bindgen::StreamWriter;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Appends a message to its chat, after all that are there, and answers once Redis has it. With a key, a second time answers
/// as the first did, and appends nothing.
pub async fn send(draft: &Draft) -> Result<Receipt> {
    store::append(draft).await
}

/// Reads one page of a chat's messages. Where it would be empty, it waits for a message as long as the request has it. Where the
/// request's epoch is not that of the chat's log, it is [`Error::Gone`].
pub async fn pull(request: &PageRequest) -> Result<Page> {
    let waits = !request.wait.is_zero() && request.can_grow();
    let since = waits.then(Instant::now);
    let mut connection = OwnConnection::default();
    loop {
        let found = store::read(request).await?;
        let extent = found.as_ref().map(|(extent, _)| *extent);
        let page = found.map_or_else(Page::default, |(extent, messages)| Page::new(request, extent, messages));
        // 0 is what a chat without messages is answered with, and a cursor of 0 is in any log.
        if request.epoch.is_some_and(|epoch| epoch != 0 && epoch != page.epoch) {
            return Err(Error::Gone { epoch: page.epoch });
        }
        let left = since.map_or(Duration::ZERO, |since| request.wait.saturating_sub(since.elapsed()));
        if !page.messages.is_empty() || left.is_zero() {
            return Ok(page);
        }
        store::await_message(&mut connection, request.chat.room(), extent, request.cursor, left).await?;
    }
}

/// How long to wait before a Redis that failed is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Follows a chat. It has a Redis connection of its own while it waits, and keeps nothing of what it has told.
pub struct Follower {
    page: PageRequest,
    position: Option<Position>,
    connection: OwnConnection,
    config: Rc<Config>,
    ends: Instant,
}

impl Follower {
    /// Begins to follow a chat. Every message that is sent after this has returned is told, if all before it are.
    pub async fn new(request: FollowRequest) -> Result<Self> {
        let config = config::get().await?;
        let mut follower = Self {
            page: PageRequest {
                chat: request.chat,
                cursor: 0,
                limit: Limit::of(Some(MESSAGES_AT_ONCE)),
                order: Order::OldestFirst,
                before: None,
                epoch: None,
                wait: Duration::ZERO,
            },
            position: request.from,
            connection: OwnConnection::default(),
            ends: Instant::now() + config.stream_lifetime,
            config,
        };
        if follower.position.is_none() {
            follower.read().await?;
        }
        Ok(follower)
    }

    /// The chat that is followed.
    pub fn chat(&self) -> &Chat {
        &self.page.chat
    }

    /// The id of the event that it is after, as [`Position::last_event`] has it.
    pub fn last_event(&self) -> Option<String> {
        self.position?.last_event()
    }

    /// What there is to tell, as soon as there is; nothing after a heartbeat of silence; none when the stream's lifetime is over.
    ///
    /// While Redis is away, it is asked again for as long as the deadline of a request, and then this is [`Error::Unavailable`].
    pub async fn next(&mut self) -> Result<Option<Vec<Update>>> {
        let mut failing: Option<Instant> = None;
        while Instant::now() < self.ends {
            match self.look().await {
                Err(Error::Unavailable(why)) => {
                    let since = failing.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.config.redis_timeout {
                        return Err(Error::Unavailable(why));
                    }
                    time::sleep(PAUSE).await;
                }
                result => return result.map(Some),
            }
        }
        Ok(None)
    }

    /// What is new now, or else within a heartbeat.
    async fn look(&mut self) -> Result<Vec<Update>> {
        let (extent, updates) = self.read().await?;
        if !updates.is_empty() {
            return Ok(updates);
        }
        let left = self.ends.saturating_duration_since(Instant::now());
        let patience = left.min(self.config.stream_heartbeat);
        let room = self.page.chat.room();
        store::await_message(&mut self.connection, room, extent, self.page.cursor, patience).await?;
        // Also after a silence: a log that is begun anew by a clock that was set back wakes nobody.
        Ok(self.read().await?.1)
    }

    async fn read(&mut self) -> Result<(Option<Extent>, Vec<Update>)> {
        // There is nothing at the last index: that is to ask only how far the log reaches.
        self.page.cursor = self.position.map_or(u64::MAX, |position| position.index);
        let found = store::read(&self.page).await?;
        let (extent, messages) = found.map_or((None, Vec::new()), |(extent, messages)| (Some(extent), messages));
        let position = self.position.get_or_insert_with(|| Position::after(extent));
        let updates = position.advance(extent, messages);
        self.page.cursor = position.index;
        Ok((extent, updates))
    }
}

/// How much the reader of a stream must take within a heartbeat: messages, or bytes of them.
const ITEMS_AT_ONCE: usize = 16 * 1024;

/// Hands over what the other end of a stream is to read; false where that end is gone, or has read nothing for a heartbeat.
pub async fn hand_over<T: 'static>(to: &mut StreamWriter<T>, mut items: Vec<T>) -> Result<bool> {
    let patience = config::get().await?.stream_heartbeat;
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(ITEMS_AT_ONCE));
        let written = pin!(to.write_all(items));
        match select(written, pin!(time::sleep(patience))).await {
            Either::Left((unwritten, _)) if unwritten.is_empty() => items = rest,
            Either::Left(_) | Either::Right(_) => return Ok(false),
        }
    }
    Ok(true)
}
