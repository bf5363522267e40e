//! The WIT transport: `wit/messaging.wit` exported, so that a component composed with this one needs no HTTP.

mod bindings;
mod convert;
mod convert_inbox;

use crate::config;
use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::data::Data;
use crate::domain::deletion::DeletionFields;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::domain::inbox::InboxFields;
use crate::domain::message::DraftFields;
use crate::domain::page::PageRequest;
use crate::domain::update::{FollowRequest, Start};
use crate::server_log;
use crate::service::{self, ChatFollower, InboxFollower, MayFollowChat, MayFollowInbox, deliver};
use crate::session::Session;
use bindings::exports::confab::messaging::messenger::{self as wit, Guest};
use bindings::wit_stream;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
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
                data: draft.data.as_deref().map(Data::parse).transpose()?,
                sender: Some(draft.sender),
                key,
            };
            let sent = service::send(&session, &Caller::component(), fields).await?;
            Ok(sent.into())
        };
        logged("messenger.send", send).await
    }

    async fn pull(request: wit::PageRequest) -> Result<wit::Page, wit::Error> {
        let pull = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            let caller = caller(request.caller.clone())?;
            let request = PageRequest::parse(&request.into())?;
            Ok(service::pull(&session, &caller, &request).await?.into())
        };
        logged("messenger.pull", pull).await
    }

    async fn follow(request: wit::FollowRequest) -> Result<StreamReader<wit::Update>, wit::Error> {
        let follow = async |log: server_log::Request| {
            let caller = caller(request.caller)?;
            let epoch = request.epoch.and_then(Epoch::new);
            let from = match (request.after, request.cursor) {
                (Some(after), _) => after.parse().map_or(Start::Unreadable, Start::After),
                (None, Some(cursor)) => Start::at(cursor, epoch),
                (None, None) => Start::Now,
            };
            let chat = Chat::parse(&request.chat)?;
            let may_follow = MayFollowChat::check(caller, FollowRequest { chat, from })?;
            let session = Session::new(config::get().await?, Instant::now());
            // Only callers with a token need a lease.
            let (_, follower) = may_follow.begin(&session).await?;
            let mut follower = follower?;
            let timeout = session.config().stream_heartbeat;
            let (mut to, updates) = wit_stream::new();
            spawn(async move {
                if let Err(error) = write(&mut follower, &mut to, timeout).await {
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
            let fields = InboxFields {
                name: Some(request.name),
                limit: Some(request.limit),
                before: request.before,
            };
            Ok(service::inbox(&session, &Caller::component(), &fields).await?.into())
        };
        logged("messenger.inbox", inbox).await
    }

    async fn read(request: wit::MarkRequest) -> Result<wit::Mark, wit::Error> {
        let mark = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            Ok(service::mark(&session, &Caller::component(), request.into())
                .await?
                .into())
        };
        logged("messenger.read", mark).await
    }

    async fn set(request: wit::SettingsRequest) -> Result<wit::Settings, wit::Error> {
        let set = async |_| {
            let session = Session::new(config::get().await?, Instant::now());
            Ok(service::set(&session, &Caller::component(), &request.into())
                .await?
                .into())
        };
        logged("messenger.set", set).await
    }

    async fn delete(request: wit::DeleteRequest) -> Result<(), wit::Error> {
        let delete = async |_| {
            let caller = caller(request.caller)?;
            let session = Session::new(config::get().await?, Instant::now());
            let fields = DeletionFields {
                chat: Some(request.chat),
                epoch: Some(request.epoch),
                index: request.index,
                send_time: request.send_time,
            };
            service::delete(&session, &caller, &fields).await
        };
        logged("messenger.delete", delete).await
    }

    async fn follow_inbox(request: wit::FollowInboxRequest) -> Result<StreamReader<wit::InboxUpdate>, wit::Error> {
        let follow = async |log: server_log::Request| {
            let fields = InboxFields {
                name: Some(request.name),
                limit: Some(request.limit),
                before: None,
            };
            let after = request.after.and_then(|position| position.parse().ok());
            let may_follow = MayFollowInbox::check(Caller::component(), fields, after)?;
            let session = Session::new(config::get().await?, Instant::now());
            let (_, mut follower) = may_follow.begin(&session).await?;
            let timeout = session.config().stream_heartbeat;
            let (mut to, updates) = wit_stream::new();
            spawn(async move {
                if let Err(error) = write_inbox(&mut follower, &mut to, timeout).await {
                    log.failed(&error);
                }
            });
            Ok(updates)
        };
        logged("messenger.follow-inbox", follow).await
    }
}

/// The person on whose behalf a component calls, or else the component itself. It is trusted: it knows who that is.
fn caller(name: Option<String>) -> Result<Caller> {
    let caller = name.map_or_else(|| Ok(Caller::component()), Caller::person);
    caller.map_err(|why| Error::invalid(Field::Caller, why))
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
async fn write(follower: &mut ChatFollower, to: &mut StreamWriter<wit::Update>, timeout: Duration) -> Result<()> {
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

/// Writes updates of an inbox, until it ends as that of a chat does.
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
