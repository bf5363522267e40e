//! A client of an event stream: a standard `EventSource`, which reconnects when a stream ends.

use crate::Confab;
use crate::access::check;
use crate::wait::TIMEOUT;
use futures::StreamExt;
use reqwest::Method;
use reqwest_eventsource::retry::Constant;
use reqwest_eventsource::{Error, Event as SourceEvent, EventSource};
use serde_json::Value;
use std::time::Duration;

/// A client that follows a chat or an inbox.
pub struct Follower {
    events: EventSource,
    /// How often it has connected so far.
    pub connected: usize,
    /// The first event of the newest stream.
    pub open: Option<Event>,
}

/// What comes next.
enum Step {
    Connected,
    Opened,
    Ended,
    Event(Event),
}

/// A server-sent event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The event's name; `message` if it has none.
    pub name: String,
    /// The id of this event, or else of the last one that had an id.
    pub id: String,
    /// The event's data.
    pub data: Value,
}

impl Event {
    /// The message's index.
    #[track_caller]
    pub fn index(&self) -> u64 {
        assert_eq!(self.name, "message", "{self:?}");
        self.data["index"].as_u64().unwrap()
    }
}

impl Follower {
    /// Sends `GET /api/stream` with this query, and continues after the event of this id if there is one.
    pub fn start(confab: &Confab, query: &str, last_event_id: Option<&str>) -> Self {
        Self::of(confab, &format!("/api/stream?{query}"), last_event_id)
    }

    /// The same for `GET /api/inbox/stream`.
    pub fn of_inbox(confab: &Confab, query: &str, last_event_id: Option<&str>) -> Self {
        Self::of(confab, &format!("/api/inbox/stream?{query}"), last_event_id)
    }

    /// The same for any path.
    pub fn of(confab: &Confab, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = confab.build(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut events = EventSource::new(request).unwrap();
        // Sooner than the server asks for, so that tests do not wait.
        events.set_retry_policy(Box::new(Constant::new(Duration::from_millis(50), None)));
        Self {
            events,
            connected: 0,
            open: None,
        }
    }

    /// Waits until the stream has begun. From then on, it misses nothing.
    pub async fn opened(mut self) -> Self {
        while self.open.is_none() {
            if let Step::Event(event) = self.step().await {
                panic!("the first event is {event:?}");
            }
        }
        self
    }

    /// The position in the first event of the newest stream.
    pub fn position(&self) -> String {
        let open = self.open.as_ref().expect("the stream has not begun");
        assert_eq!(open.data["position"], open.id, "{open:?}");
        open.id.clone()
    }

    /// The next event, from this stream or a later one.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Step::Event(event) = self.step().await {
                return event;
            }
        }
    }

    /// The next event that is not a `problem`.
    pub async fn next_but_problems(&mut self) -> Event {
        loop {
            let event = self.next().await;
            if event.name != "problem" {
                return event;
            }
        }
    }

    /// The next event of this stream; `None` if the stream ends first.
    pub async fn next_in_this_stream(&mut self) -> Option<Event> {
        loop {
            match self.step().await {
                Step::Ended => return None,
                Step::Event(event) => return Some(event),
                Step::Connected | Step::Opened => {}
            }
        }
    }

    /// The indexes of the next messages.
    pub async fn indexes(&mut self, count: usize) -> Vec<u64> {
        let mut indexes = Vec::new();
        while indexes.len() < count {
            indexes.push(self.next().await.index());
        }
        indexes
    }

    async fn step(&mut self) -> Step {
        let next = tokio::time::timeout(TIMEOUT, self.events.next()).await;
        let next = next.unwrap_or_else(|_| panic!("timed out after {TIMEOUT:?} waiting until an event comes"));
        match next.expect("the event source has given up") {
            Ok(SourceEvent::Open) => {
                self.connected += 1;
                Step::Connected
            }
            Ok(SourceEvent::Message(event)) => {
                let event = Event {
                    data: serde_json::from_str(&event.data).unwrap_or_else(|why| panic!("{why}: {event:?}")),
                    name: event.event,
                    id: event.id,
                };
                if event.name != "open" {
                    return Step::Event(event);
                }
                self.open = Some(event);
                Step::Opened
            }
            Err(Error::InvalidStatusCode(status, _)) => {
                check(status.as_u16());
                panic!("the stream is refused: {status}")
            }
            Err(_) => Step::Ended,
        }
    }
}
