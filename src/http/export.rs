//! `GET /api/export`: a person's copy of their chats, one JSON value a line.

use crate::config;
use crate::domain::chat::Chat;
use crate::domain::error::{Error, Field, Result};
use crate::domain::export::{ExportFields, ExportRequest, Listed, Tally};
use crate::http::call::Call;
use crate::http::headers::Headers;
use crate::http::message::{Members, Message};
use crate::http::query::Query;
use crate::http::response::{BodyWriter, Response, json};
use crate::http::{problem, sse};
use crate::server_log;
use crate::service::{Export, Lease, MayExport, Part};
use crate::session::Session;
use futures::future::join;
use serde::Serialize;
use spin_sdk::time;
use spin_sdk::wasip3::spawn;
use std::time::Duration;

/// How many bytes of lines are collected before they are written.
const LINES_BYTES: usize = 64 * 1024;

/// How long the host has to pass on the last line of an export that failed: it throws away what it still has of an answer that is broken
/// off.
const PASSING_ON: Duration = Duration::from_millis(200);

/// The first line.
#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
}

/// The line before the messages of a chat.
#[derive(Serialize)]
struct ChatLine<'a> {
    chat: &'a str,
    with: &'a str,
    epoch: u64,
    read: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<bool>,
}

/// The last line of an export that is whole.
#[derive(Serialize)]
struct Last {
    end: bool,
    chats: u64,
    messages: u64,
    removed: u64,
}

/// Answers with the lines, which go on after this has returned. However long they take, only what Redis is asked at once has a time.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let fields = parse(call.request.query())?;
    let may_export = MayExport::check(call.caller, &fields)?;
    if call.request.is_head() {
        return Ok(Response::empty(200, headers()));
    }
    let session = Session::endless(config::get().await?);
    let (lease, export) = may_export.begin(&session).await?;
    let (response, writer) = Response::stream(headers());
    spawn(write(session, call.log, lease, export, writer));
    Ok(response)
}

fn headers() -> Headers {
    let mut headers = Headers::default();
    headers.set("content-type", "application/x-ndjson");
    headers.set("cache-control", "no-store");
    headers
}

/// Reads the fields. Unknown ones are ignored.
fn parse(query: &str) -> Result<ExportFields> {
    let query = Query::parse(query)?;
    Ok(ExportFields {
        name: query.text(Field::Name)?.map(str::to_owned),
        chat: query.text(Field::Chat)?.map(str::to_owned),
        own: query.truth(Field::Own)?,
    })
}

/// Writes all lines, and ends the answer. If one fails, the last line says why, and the answer is broken off: it must not look whole.
async fn write(
    session: Session,
    log: server_log::Request,
    lease: Option<Lease>,
    mut export: Export,
    mut writer: BodyWriter,
) {
    let writing = write_chats(&session, &mut export, &mut writer);
    let written = Lease::during(lease.as_ref(), &session, writing).await;
    let give_back = Lease::give_back(lease, &session);
    match written {
        // Before the client knows of the end, so that its next export has room.
        Ok(Some(lines)) => {
            give_back.await;
            if writer.write_chunks(&lines).await {
                writer.finish().await;
            }
        }
        // The client is gone, or does not read.
        Ok(None) => give_back.await,
        Err(error) => {
            log.failed(&error);
            let problem = problem_line(&error);
            join(writer.write_chunks(&problem), give_back).await;
            time::sleep(PASSING_ON).await;
        }
    }
}

/// Writes the lines but the last ones, and returns these; `None` if the client is gone or does not read.
async fn write_chats(session: &Session, export: &mut Export, writer: &mut BodyWriter) -> Result<Option<Vec<u8>>> {
    let mut lines = line(&person(export.request()))?;
    // At once: its client sees that it has begun.
    let mut is_there = flush(writer, &mut lines, 0).await;
    let mut chat = String::new();
    while is_there {
        let Some(part) = export.next(session).await? else {
            lines.extend(last_line(export.tally())?);
            return Ok(Some(lines));
        };
        match part {
            Part::Chat(next, listed) => {
                lines.extend(chat_line(&next, &listed, export.request())?);
                chat = next.to_string();
            }
            Part::Messages(messages) => {
                let mut members = Members::default();
                for message in &messages {
                    lines.extend(line(&Message::new(&chat, message, &mut members))?);
                    // A page of control characters is six times as long in JSON.
                    is_there = is_there && flush(writer, &mut lines, LINES_BYTES).await;
                }
            }
        }
        is_there = is_there && flush(writer, &mut lines, LINES_BYTES).await;
    }
    Ok(None)
}

/// Writes the lines if they have so many bytes. Returns false if the client is gone or does not read.
async fn flush(writer: &mut BodyWriter, lines: &mut Vec<u8>, least: usize) -> bool {
    if lines.len() < least {
        return true;
    }
    let written = writer.write_chunks(lines).await;
    lines.clear();
    written
}

fn person(request: &ExportRequest) -> Person<'_> {
    Person {
        name: request.person.as_str(),
        own: request.own.then_some(true),
    }
}

fn chat_line(chat: &Chat, listed: &Listed, request: &ExportRequest) -> Result<Vec<u8>> {
    line(&ChatLine {
        chat: &chat.to_string(),
        with: chat.other(&request.person).as_str(),
        epoch: listed.epoch.get(),
        read: listed.read,
        blocked: listed.side.blocked.then_some(true),
        muted: listed.side.muted.then_some(true),
    })
}

fn last_line(tally: Tally) -> Result<Vec<u8>> {
    let Tally {
        chats,
        messages,
        removed,
    } = tally;
    line(&Last {
        end: true,
        chats,
        messages,
        removed,
    })
}

fn problem_line(error: &Error) -> Vec<u8> {
    [b"{\"problem\":", &problem::body(error)[..], b"}\n"].concat()
}

/// JSON has no line break outside of its strings, and none unescaped within. Some readers split lines at other characters too.
fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = sse::escaped(&json(value)?).into_owned();
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    #[test]
    fn an_export_is_asked_for_by_query() {
        let fields = parse("name=B%C3%B6b&chat=b%C3%B6b:a&own=true&x").unwrap();
        assert_eq!(fields.name.as_deref(), Some("Böb"));
        assert_eq!((fields.chat.as_deref(), fields.own), (Some("böb:a"), Some(true)));
        for (query, at_fault) in [
            ("name=a&name=a", "name"),
            ("chat=a:b&chat=a:b", "chat"),
            ("own=1", "own"),
            ("own=", "own"),
            ("own=true&own=true", "own"),
            ("name=%ff", "body"),
        ] {
            assert_eq!(field_at_fault(parse(query)), at_fault, "{query}");
        }
    }

    #[test]
    fn fuzz_exports() {
        fuzz("exports", &near(&["name=a&chat=a:b&own=true"]), |query| {
            _ = parse(&String::from_utf8_lossy(&query));
        });
    }
}
