//! The WIT transport: `wit/messaging.wit` exported, so that a component composed with this one needs no HTTP.

mod bindings;
mod convert;
mod convert_inbox;

use crate::config;
use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::domain::inbox::InboxRequest;
use crate::domain::inbox_update::FollowInboxRequest;
use crate::domain::message::DraftFields;
use crate::domain::page::PageRequest;
use crate::domain::server_log;
use crate::domain::update::{FollowRequest, Start};
use crate::service::{self, Follower, InboxFollower, Session, deliver};
use bindings::exports::confab::messaging::messenger::{self as wit, Guest};
use bindings::wit_stream;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The implementation of the WIT interface `messenger`.
pub struct Messenger;

impl Guest for Messenger {
    async fn send(draft: wit::Draft) -> Result<wit::Receipt, wit::Error> {
        let send = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            let key = draft.idempotency_key.map(IdempotencyKey::parse).transpose()?;
            let fields = DraftFields {
                chat: draft.chat,
                text: draft.text,
                sender: Some(draft.sender),
                key,
            };
            let receipt = service::send(&session, None, fields).await?;
            Ok(receipt.into())
        };
        logged("messenger.send", send).await
    }

    async fn pull(request: wit::PageRequest) -> Result<wit::Page, wit::Error> {
        let pull = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            let caller = person(request.caller.clone())?;
            let request = PageRequest::parse(&request.into())?;
            let page = service::pull(&session, caller.as_ref(), &request).await?;
            Ok(page.into())
        };
        logged("messenger.pull", pull).await
    }

    async fn follow(request: wit::FollowRequest) -> Result<StreamReader<wit::Update>, wit::Error> {
        let follow = async |log: server_log::Request| {
            let caller = person(request.caller)?;
            let epoch = request.epoch.and_then(Epoch::new);
            let from = match (request.after, request.cursor) {
                (Some(after), _) => after.parse().map_or(Start::Unreadable, Start::After),
                (None, Some(index)) => Start::Cursor { index, epoch },
                (None, None) => Start::Now,
            };
            let chat = Chat::parse(&request.chat)?;
            let config = config::get().await?;
            let session = Session::new(Rc::clone(&config), Instant::now());
            let request = FollowRequest { chat, from };
            let mut follower = Follower::new(&session, Rc::clone(&config), caller.as_ref(), request).await?;
            let (mut to, updates) = wit_stream::new();
            spawn(async move {
                if let Err(error) = write(&mut follower, &mut to, config.stream_heartbeat).await {
                    log.failed(&error);
                }
            });
            Ok(updates)
        };
        logged("messenger.follow", follow).await
    }

    async fn inbox(request: wit::InboxRequest) -> Result<wit::InboxPage, wit::Error> {
        let inbox = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            let reader = service::inbox_reader(None, Some(&request.name))?;
            let request = InboxRequest::parse(reader, Some(request.limit), request.before.as_deref())?;
            Ok(service::inbox(&session, &request).await?.into())
        };
        logged("messenger.inbox", inbox).await
    }

    async fn read(request: wit::MarkRequest) -> Result<wit::Mark, wit::Error> {
        let read = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            let reader = service::reader(None, Some(&request.name))?;
            let request = service::mark(None, reader, &request.into())?;
            Ok(service::read(&session, &request).await?.into())
        };
        logged("messenger.read", read).await
    }

    async fn follow_inbox(request: wit::FollowInboxRequest) -> Result<StreamReader<wit::InboxUpdate>, wit::Error> {
        let follow = async |log: server_log::Request| {
            let reader = service::inbox_reader(None, Some(&request.name))?;
            let InboxRequest { reader, limit, .. } = InboxRequest::parse(reader, Some(request.limit), None)?;
            let after = request.after.and_then(|position| position.parse().ok());
            let config = config::get().await?;
            let request = FollowInboxRequest { reader, limit, after };
            let mut follower = InboxFollower::new(Rc::clone(&config), None, request);
            let (mut to, updates) = wit_stream::new();
            spawn(async move {
                if let Err(error) = write_inbox(&mut follower, &mut to, config.stream_heartbeat).await {
                    log.failed(&error);
                }
            });
            Ok(updates)
        };
        logged("messenger.follow-inbox", follow).await
    }
}

/// The person on whose behalf a component calls. It is trusted: it knows who that is, and without a name it may read any chat.
fn person(name: Option<String>) -> Result<Option<Caller>> {
    let person = name.map(Caller::person).transpose();
    person.map_err(|why| Error::invalid(Field::Caller, why))
}

/// Runs a call of this function. If it fails, the cause goes to the server log alone.
async fn logged<T>(
    function: &'static str,
    call: impl AsyncFnOnce(server_log::Request) -> Result<T>,
) -> Result<T, wit::Error> {
    let log = server_log::Request::new(function, Instant::now(), None);
    call(log.clone()).await.map_err(|error| {
        log.failed(&error);
        error.into()
    })
}

/// Writes updates until the stream's lifetime is over, or its reader is gone or does not read.
async fn write(follower: &mut Follower, to: &mut StreamWriter<wit::Update>, timeout: Duration) -> Result<()> {
    while let Some(updates) = follower.next().await? {
        if !deliver(
            to,
            updates.into_iter().map(Into::into).collect(),
            timeout,
            follower.ends(),
        )
        .await
        {
            break;
        }
    }
    Ok(())
}

/// The same for the updates of an inbox.
async fn write_inbox(
    follower: &mut InboxFollower,
    to: &mut StreamWriter<wit::InboxUpdate>,
    timeout: Duration,
) -> Result<()> {
    while let Some(updates) = follower.next().await? {
        let updates = updates.into_iter().map(Into::into).collect();
        if !deliver(to, updates, timeout, follower.ends()).await {
            break;
        }
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
mod export {
    #![expect(
        unsafe_code,
        unreachable_pub,
        reason = "generated: an export is a symbol of a fixed name"
    )]
    use super::{Messenger, bindings};
    bindings::export!(Messenger with_types_in bindings);
}
