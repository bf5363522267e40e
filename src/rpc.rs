//! The component door: `wit/messaging.wit` exported, so that a component composed with this one does without HTTP.

use crate::bindings::exports::confab::messaging::messenger::{self as wit, Guest};
use crate::bindings::wit_stream;
use crate::chat::Chat;
use crate::error::Error;
use crate::follower::{Follower, hand_over};
use crate::live::{FollowRequest, Position, Update};
use crate::message::{Draft, IdempotencyKey, Message};
use crate::page::{self, Limit, Order, PageRequest};
use crate::service;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};

/// The implementation of the WIT interface `messenger`.
pub struct Messenger;

impl Guest for Messenger {
    async fn send(draft: wit::Draft) -> Result<wit::Receipt, wit::Error> {
        let key = draft.idempotency_key.map(IdempotencyKey::parse).transpose()?;
        let draft = Draft::parse(draft.chat, draft.text, draft.sender, key)?;
        let receipt = service::send(&draft).await.map_err(logged)?;
        Ok(wit::Receipt {
            index: receipt.index,
            send_time: receipt.send_time,
            replayed: receipt.replayed,
        })
    }

    async fn pull(request: wit::PageRequest) -> Result<wit::Page, wit::Error> {
        let request = PageRequest {
            chat: Chat::parse(request.chat)?,
            cursor: request.cursor,
            limit: Limit::of(Some(request.limit)),
            order: if request.reverse {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            },
            before: request.before,
            epoch: request.epoch,
            wait: page::wait(Some(request.wait))?,
        };
        let page = service::pull(&request).await.map_err(logged)?;
        Ok(wit::Page {
            messages: page.messages.into_iter().map(Into::into).collect(),
            next_cursor: page.next,
            epoch: page.epoch,
            first_index: page.first_index,
        })
    }

    async fn follow(request: wit::FollowRequest) -> Result<StreamReader<wit::Update>, wit::Error> {
        let from = request.cursor.map(|index| Position::at(request.epoch, index));
        let chat = Chat::parse(request.chat)?;
        let mut follower = Follower::new(FollowRequest { chat, from }).await.map_err(logged)?;
        let (mut to, updates) = wit_stream::new();
        spawn(async move {
            if let Err(error) = tell(&mut follower, &mut to).await {
                error.log();
            }
        });
        Ok(updates)
    }
}

async fn tell(follower: &mut Follower, to: &mut StreamWriter<wit::Update>) -> crate::error::Result<()> {
    while let Some(updates) = follower.next().await? {
        if !hand_over(to, updates.into_iter().map(Into::into).collect()).await? {
            break;
        }
    }
    Ok(())
}

impl From<Message> for wit::Message {
    fn from(message: Message) -> Self {
        Self {
            index: message.index,
            sender: message.sender,
            text: message.text,
            send_time: message.send_time,
        }
    }
}

impl From<Update> for wit::Update {
    fn from(update: Update) -> Self {
        match update {
            Update::Message(epoch, message) => Self::Message((epoch, message.into())),
            Update::Reset(epoch) => Self::Reset(epoch),
            Update::Gap(_, first_index) => Self::Gap(first_index),
        }
    }
}

fn logged(error: Error) -> wit::Error {
    error.log();
    error.into()
}

#[cfg(target_family = "wasm")]
mod door {
    #![expect(
        unsafe_code,
        unreachable_pub,
        reason = "generated: an export is a symbol of a fixed name"
    )]
    use super::Messenger;
    crate::bindings::export!(Messenger with_types_in crate::bindings);
}
