//! The component door: `wit/messaging.wit` exported, so that a component composed with this one sends and pulls without HTTP.

use crate::bindings::exports::confab::messaging::messenger::{self as wit, Guest};
use crate::chat::Chat;
use crate::error::Error;
use crate::message::{Draft, IdempotencyKey};
use crate::page::{Limit, Order, PageRequest};
use crate::service;

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
        };
        let page = service::pull(&request).await.map_err(logged)?;
        let message = |message: crate::message::Message| wit::Message {
            index: message.index,
            sender: message.sender,
            text: message.text,
            send_time: message.send_time,
        };
        Ok(wit::Page {
            messages: page.messages.into_iter().map(message).collect(),
            next_cursor: page.next,
            epoch: page.epoch,
            first_index: page.first_index,
        })
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
