//! Following a chat, once, for both doors: the follower reads the log from its place, and where it has all of it, waits.

use crate::chat::Chat;
use crate::config::{self, Config};
use crate::connection::OwnConnection;
use crate::error::{Error, Result};
use crate::live::{FollowRequest, MESSAGES_AT_ONCE, Position, Update};
use crate::page::{Extent, Limit, Order, PageRequest};
use crate::store;
use futures::future::{Either, select};
use spin_sdk::time;
use spin_sdk::wit_bindgen::StreamWriter;
use std::mem;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long to wait before a Redis that failed is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Follows a chat. It has a Redis connection of its own while it waits, and keeps nothing of what it has told.
pub struct Follower {
    page: PageRequest,
    position: Option<Position>,
    /// How far the log reached when it was read last.
    extent: Option<Extent>,
    /// Whether all that it had then has been told.
    caught_up: bool,
    connection: OwnConnection,
    config: Rc<Config>,
    began: Instant,
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
            extent: None,
            caught_up: false,
            connection: OwnConnection::default(),
            began: Instant::now(),
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
        while !self.left().is_zero() {
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
        if !mem::take(&mut self.caught_up) {
            let updates = self.read().await?;
            if !updates.is_empty() {
                return Ok(updates);
            }
        }
        let patience = self.left().min(self.config.stream_heartbeat);
        let room = self.page.chat.room();
        store::await_message(&mut self.connection, room, self.extent, self.page.cursor, patience).await?;
        // Also after a silence: a log that is begun anew by a clock that was set back wakes nobody.
        self.read().await
    }

    /// What is left of the stream's lifetime.
    fn left(&self) -> Duration {
        self.config.stream_lifetime.saturating_sub(self.began.elapsed())
    }

    async fn read(&mut self) -> Result<Vec<Update>> {
        // There is nothing at the last index: that is to ask only how far the log reaches.
        self.page.cursor = self.position.map_or(u64::MAX, |position| position.index);
        let found = store::read(&self.page).await?;
        let (extent, messages) = found.map_or((None, Vec::new()), |(extent, messages)| (Some(extent), messages));
        let position = self.position.get_or_insert_with(|| Position::after(extent));
        let updates = position.advance(extent, messages);
        self.page.cursor = position.index;
        self.caught_up = extent.is_none_or(|extent| extent.newest < position.index);
        self.extent = extent;
        Ok(updates)
    }
}

/// How much the reader of a stream must take within a heartbeat: messages, or bytes of them.
const ITEMS_AT_ONCE: usize = 16 * 1024;

/// Hands over what the other end of a stream is to read; false where that end is gone, or has read nothing for a heartbeat.
pub async fn hand_over<T: 'static>(to: &mut StreamWriter<T>, items: Vec<T>) -> Result<bool> {
    let patience = config::get().await?.stream_heartbeat;
    let mut items = items.into_iter();
    loop {
        let some: Vec<_> = items.by_ref().take(ITEMS_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(true);
        }
        match select(pin!(to.write_all(some)), pin!(time::sleep(patience))).await {
            Either::Left((unwritten, _)) if unwritten.is_empty() => {}
            Either::Left(_) | Either::Right(_) => return Ok(false),
        }
    }
}
