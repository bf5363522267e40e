//! `GET /api/pull`: one page of a chat.

use crate::config;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::page::{Page, PageFields, PageRequest};
use crate::http::call::Call;
use crate::http::deleted::Deleted;
use crate::http::message::{Members, Message};
use crate::http::query::Query;
use crate::http::response::{self, Response};
use crate::http::{body, json};
use crate::service;
use crate::session::Session;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

#[derive(Deserialize)]
struct Body {
    chat: Option<String>,
    cursor: Option<u64>,
    limit: Option<u64>,
    reverse: Option<bool>,
    before: Option<u64>,
    epoch: Option<u64>,
    wait: Option<u64>,
    after: Option<String>,
}

#[derive(Serialize)]
struct Pulled<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<u64>,
    epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_index: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<Deleted<'a>>,
}

impl<'a> Pulled<'a> {
    fn new(chat: &'a str, page: &'a Page) -> Self {
        let mut members = Members::default();
        let messages = page.messages.iter();
        Self {
            messages: messages
                .map(|message| Message::new(chat, message, &mut members))
                .collect(),
            has_more: page.next.map(|_| true),
            next_cursor: page.next,
            epoch: page.epoch.map_or(0, Epoch::get),
            first_index: NonZeroU64::new(page.first_index),
            position: page.position.map(|position| position.to_string()),
            deleted: page.deleted.iter().map(Deleted::new).collect(),
        }
    }
}

/// Answers with the page that the body asks for, or the query string if the body is empty.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    // To find that there is no body costs a tenth of a pull: beside a query string, only a body of known length is read.
    let query = call.request.query().to_owned();
    let body = if query.is_empty() || call.request.length().is_some() {
        body::read(&session, call.request).await?
    } else {
        Vec::new()
    };
    let fields = parse(&body, &query)?;
    let request = PageRequest::parse(&fields)?;
    let page = service::pull(&session, &call.caller, &request).await?;
    response::ok(&Pulled::new(&fields.chat, &page))
}

/// Reads the fields. Unknown ones are ignored.
fn parse(body: &[u8], query: &str) -> Result<PageFields> {
    if !body.is_empty() {
        let body: Body = json::parse(body)?;
        return Ok(PageFields {
            chat: body.chat.ok_or_else(|| Error::invalid(Field::Chat, "is required"))?,
            cursor: body.cursor,
            limit: body.limit,
            reverse: body.reverse,
            before: body.before,
            epoch: body.epoch,
            wait: body.wait,
            after: body.after,
        });
    }
    let query = Query::parse(query)?;
    Ok(PageFields {
        chat: query.required(Field::Chat)?.to_owned(),
        cursor: query.number(Field::Cursor)?,
        limit: query.number(Field::Limit)?,
        reverse: query.truth(Field::Reverse)?,
        before: query.number(Field::Before)?,
        epoch: query.number(Field::Epoch)?,
        wait: query.number(Field::Wait)?,
        after: query.text(Field::After)?.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
