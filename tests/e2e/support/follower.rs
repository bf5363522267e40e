//! A client of a stream: a standard `EventSource`, which continues by itself where a stream ends.

use super::Confab;
use futures::StreamExt;
use reqwest_eventsource::retry::Constant;
use reqwest_eventsource::{Event, EventSource};
use serde_json::Value;
use std::time::Duration;

/// The longest that a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Follower {
    events: EventSource,
    /// How often it has connected so far.
    pub(crate) connected: usize,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// `message` where the event has no name.
    pub(crate) name: String,
    /// The last id that there was, of this event or one before.
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Told {
    /// The message's index.
    pub(crate) fn index(&self) -> u64 {
        assert_eq!(self.name, "message", "{self:?}");
        self.data["index"].as_u64().unwrap()
    }
}

impl Follower {
    /// Follows what `query` asks for, after the event with the id where there is one.
    pub(crate) fn start(confab: &Confab, query: &str, last_event_id: Option<&str>) -> Self {
        let mut request = confab.build(reqwest::Method::GET, &format!("/api/stream?{query}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut events = EventSource::new(request).unwrap();
        // Sooner than the server asks for, so that tests do not wait.
        events.set_retry_policy(Box::new(Constant::new(Duration::from_millis(50), None)));
        Self { events, connected: 0 }
    }

    /// Comes back when the server has answered: from then on nothing is missed.
    pub(crate) async fn opened(mut self) -> Self {
        while self.connected == 0 {
            assert_eq!(self.step().await.map(|told| told.data), None);
        }
        self
    }

    /// What it is told next, through as many streams as that takes.
    pub(crate) async fn next(&mut self) -> Told {
        loop {
            if let Some(told) = self.step().await {
                return told;
            }
        }
    }

    /// What it is told next but for problems.
    pub(crate) async fn next_but_problems(&mut self) -> Told {
        loop {
            let told = self.next().await;
            if told.name != "problem" {
                return told;
            }
        }
    }

    /// What it is told next; none where its stream ends before that.
    pub(crate) async fn next_in_this_stream(&mut self) -> Option<Told> {
        loop {
            let before = self.connected;
            match self.step().await {
                None if self.connected == before => return None,
                None => {}
                told => return told,
            }
        }
    }

    /// The next event; none where it has connected, or its stream has ended.
    async fn step(&mut self) -> Option<Told> {
        let next = tokio::time::timeout(PATIENCE, self.events.next()).await;
        match next
            .expect("a follower is told nothing")
            .expect("a follower has given up")
        {
            Ok(Event::Open) => {
                self.connected += 1;
                None
            }
            Ok(Event::Message(event)) => Some(Told {
                data: serde_json::from_str(&event.data).unwrap_or_else(|why| panic!("{why}: {event:?}")),
                name: event.event,
                id: event.id,
            }),
            Err(reqwest_eventsource::Error::InvalidStatusCode(status, _)) => panic!("a stream is refused: {status}"),
            Err(_) => None,
        }
    }

    /// The indexes of the messages that it is told next.
    pub(crate) async fn indexes(&mut self, count: usize) -> Vec<u64> {
        let mut indexes = Vec::new();
        while indexes.len() < count {
            indexes.push(self.next().await.index());
        }
        indexes
    }
}
