//! Exports a person's chats: what there was when it began, chat by chat and page by page.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::error::Result;
use crate::domain::export::{ExportFields, ExportRequest, Listed, Tally};
use crate::domain::member::Member;
use crate::domain::message::Message;
use crate::domain::notice::Item;
use crate::domain::page::{Basis, Limit, PageRequest, Span};
use crate::domain::position::Position;
use crate::domain::slice::Found;
use crate::service::export_list::list;
use crate::service::lease::lease_of_export;
use crate::service::rights;
use crate::session::Session;
use crate::store::{self, Lease};
use std::collections::btree_map::IntoIter;

/// The most messages that are read at once.
const MESSAGES_AT_ONCE: usize = 250;

/// About how many bytes of texts are read at once: Redis does nothing else meanwhile.
const BYTES_AT_ONCE: usize = 256 * 1024;

/// What a caller may export.
pub struct MayExport {
    caller: Caller,
    request: ExportRequest,
}

impl MayExport {
    /// Parses a request to export chats. Fails with [`Unproven`](crate::domain::error::Error::Unproven) on an open deployment, and with
    /// [`Forbidden`](crate::domain::error::Error::Forbidden) if the caller may not have them.
    pub fn check(caller: Caller, fields: &ExportFields) -> Result<Self> {
        let request = rights::export_request(&caller, fields)?;
        Ok(Self { caller, request })
    }

    /// Fixes which chats the export has, and the last message of each. Fails with
    /// [`TooManyExports`](crate::domain::error::Error::TooManyExports) if the caller has as many as are allowed.
    pub async fn begin(self, session: &Session) -> Result<(Option<Lease>, Export)> {
        let Self { caller, request } = self;
        let lease = lease_of_export(session, &caller).await?;
        match Lease::during(lease.as_ref(), session, list(session, &request)).await {
            Ok(list) => {
                let export = Export {
                    chats: list.chats.into_iter(),
                    reading: None,
                    tally: Tally::default(),
                    request,
                };
                Ok((lease, export))
            }
            Err(error) => {
                Lease::give_back(lease, session).await;
                Err(error)
            }
        }
    }
}

/// The next part of an export.
pub enum Part {
    /// A chat, before its messages.
    Chat(Chat, Listed),
    /// More messages of that chat, oldest first; there may be none.
    Messages(Vec<Message>),
}

/// An export that goes on. It keeps the list of what is still to come, and no message.
pub struct Export {
    request: ExportRequest,
    chats: IntoIter<Member, Listed>,
    reading: Option<Reading>,
    tally: Tally,
}

impl Export {
    /// What is exported.
    pub fn request(&self) -> &ExportRequest {
        &self.request
    }

    /// What has been exported so far, in numbers.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Reads on; `None` at the end.
    pub async fn next(&mut self, session: &Session) -> Result<Option<Part>> {
        let Export { request, tally, .. } = self;
        if let Some(mut reading) = self.reading.take() {
            let mut messages = reading.read(session).await?;
            if reading.is_over {
                tally.removed = tally.removed.saturating_add(reading.missing);
            } else {
                self.reading = Some(reading);
            }
            if request.own {
                messages.retain(|message| message.member() == request.person.as_str());
            }
            tally.messages = tally.messages.saturating_add(count(&messages));
            return Ok(Some(Part::Messages(messages)));
        }
        let Some((other, listed)) = self.chats.next() else {
            return Ok(None);
        };
        let chat = Chat::of(request.person.clone(), other);
        self.reading = Some(Reading::new(chat.clone(), listed));
        tally.chats = tally.chats.saturating_add(1);
        Ok(Some(Part::Chat(chat, listed)))
    }
}

/// A chat that is being read.
struct Reading {
    /// The next page.
    page: PageRequest,
    listed: Listed,
    /// How many of its messages have not been found so far.
    missing: u64,
    is_over: bool,
}

impl Reading {
    fn new(chat: Chat, listed: Listed) -> Self {
        let before = listed.newest.saturating_add(1);
        let page = PageRequest {
            chat,
            span: Span::Between { from: 0, before },
            limit: limit(MESSAGES_AT_ONCE),
            // With its notices.
            basis: Basis::After(Position::Start),
            named: 0,
        };
        Self {
            page,
            missing: listed.messages,
            listed,
            is_over: false,
        }
    }

    async fn read(&mut self, session: &Session) -> Result<Vec<Message>> {
        let Listed { epoch, newest, .. } = self.listed;
        let items = match store::page(session, &self.page).await? {
            Found::Slice(Some(slice)) if slice.extent.epoch == epoch => slice.items,
            // The log was begun anew, or has lost its newest messages: no other message has the place of one that is gone.
            Found::Slice(_) | Found::Reset(_) => Vec::new(),
        };
        let last = items.last().map(|last| (last.index(), last.time()));
        let oldest = newest.saturating_add(1).saturating_sub(self.listed.messages);
        let mut messages = Vec::new();
        for item in items {
            // What was deleted before the export began is not missing, and neither is the notice that says so.
            let places = match &item {
                Item::Notice(notice) if notice.deleted.index >= oldest => 2,
                Item::Notice(_) | Item::Message(_) => 1,
            };
            self.missing = self.missing.saturating_sub(places);
            if let Item::Message(message) = item {
                messages.push(message);
            }
        }
        match last {
            Some((index, time)) if index < newest => {
                let position = Position::after(epoch, index, time);
                self.page.limit = as_long_as(&messages);
                self.page.basis = Basis::After(position);
                self.page.span = Span::Between {
                    from: position.next_index(),
                    before: newest.saturating_add(1),
                };
            }
            Some(_) | None => self.is_over = true,
        }
        Ok(messages)
    }
}

/// How many messages to read next, if they are as long as these.
fn as_long_as(messages: &[Message]) -> Limit {
    let bytes: usize = messages.iter().map(|message| message.text.len()).sum();
    let many = BYTES_AT_ONCE.saturating_mul(messages.len()).checked_div(bytes);
    limit(many.unwrap_or(MESSAGES_AT_ONCE).clamp(1, MESSAGES_AT_ONCE))
}

fn limit(messages: usize) -> Limit {
    Limit::new(u64::try_from(messages).ok())
}

fn count(messages: &[Message]) -> u64 {
    u64::try_from(messages.len()).unwrap_or(u64::MAX)
}
