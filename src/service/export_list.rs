//! Lists a person's chats, each up to where it reaches: what an export will have.

use crate::domain::chat::Chat;
use crate::domain::error::{Error, Field, Result, Stored};
use crate::domain::export::{ExportRequest, Listed};
use crate::domain::member::Member;
use crate::session::Session;
use crate::store::{self, Head};
use std::collections::BTreeMap;
use std::mem::size_of;
use std::slice;

/// How many places of the inbox are read at once.
const PLACES_AT_ONCE: usize = 500;

/// How many chats are looked at at once.
const CHATS_AT_ONCE: usize = 50;

/// The most bytes that the list may take: some 200,000 chats.
const MOST_BYTES: usize = 24 * 1024 * 1024;

/// What a chat of the list takes besides the name in it, with what its place in the tree and the allocator add.
const BYTES_BESIDES: usize = 2 * size_of::<(Member, Listed)>();

/// The chats that are asked for and have messages, by the other member. Fails with [`Error::Invalid`] if they are more than one export can
/// have.
///
/// All chats are found, also those that move meanwhile: the inbox is read from its oldest place on, and a chat's next message moves it ahead.
pub(super) async fn list(session: &Session, request: &ExportRequest) -> Result<List> {
    let person = &request.person;
    let mut list = List::default();
    if let Some(chat) = &request.chat {
        list.add(session, person, slice::from_ref(chat)).await?;
        return Ok(list);
    }
    let mut after = None;
    loop {
        let places = store::places_after(session, person, after.as_ref(), PLACES_AT_ONCE).await?;
        let is_last = places.len() < PLACES_AT_ONCE;
        after = places.last().cloned().or(after);
        let chats = places.into_iter().map(|place| place.chat);
        let new: Vec<_> = chats.filter(|chat| !list.has(chat.other(person))).collect();
        for some in new.chunks(CHATS_AT_ONCE) {
            list.add(session, person, some).await?;
        }
        if is_last {
            return Ok(list);
        }
    }
}

/// Chats by their other member.
#[derive(Default)]
pub(super) struct List {
    pub(super) chats: BTreeMap<Member, Listed>,
    bytes: usize,
}

impl List {
    fn has(&self, other: &Member) -> bool {
        self.chats.contains_key(other)
    }

    /// Looks at chats, and adds those that have messages.
    async fn add(&mut self, session: &Session, person: &Member, chats: &[Chat]) -> Result<()> {
        let asked: Vec<_> = chats.iter().collect();
        for head in store::heads(session, person, &asked, asked.len()).await? {
            match head {
                Head::Entry(entry) => {
                    self.bytes = self
                        .bytes
                        .saturating_add(entry.with.as_str().len())
                        .saturating_add(BYTES_BESIDES);
                    self.chats.insert(entry.with.clone(), Listed::from(&*entry));
                }
                Head::Empty => {}
                // An export without them would look whole. The causes are in the server log.
                Head::Unreadable => return Err(Error::internal("a chat of the export could not be read")),
                Head::Away => return Err(Error::unavailable("a chat of the export is away", Stored::NotAsked)),
            }
        }
        if self.bytes > MOST_BYTES {
            let reason = "is required: the person has more chats than one export can have";
            return Err(Error::invalid(Field::Chat, reason));
        }
        Ok(())
    }
}
