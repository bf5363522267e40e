//! What one request works with: the settings, and its time, watched by one timer.

use crate::config::Config;
use futures::future::{Either, LocalBoxFuture, select};
use spin_sdk::time;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The settings, and the time of one request.
pub struct Session {
    config: Rc<Config>,
    /// `None` if it has no end.
    ends: Option<Instant>,
    timer: RefCell<Option<Timer>>,
}

struct Timer {
    at: Instant,
    sleep: LocalBoxFuture<'static, ()>,
}

impl Session {
    /// The session of a request that began at `began`: it may take `request_timeout_ms` in all.
    pub fn new(config: Rc<Config>, began: Instant) -> Self {
        let ends = began.checked_add(config.request_timeout);
        Self::ending(config, ends)
    }

    /// A session for a stream, which has no end: its owner ends it.
    pub fn endless(config: Rc<Config>) -> Self {
        Self::ending(config, None)
    }

    fn ending(config: Rc<Config>, ends: Option<Instant>) -> Self {
        Self {
            config,
            ends,
            timer: RefCell::default(),
        }
    }

    /// A part of this session that ends after `time`, or with the whole.
    #[must_use]
    pub fn part(&self, time: Duration) -> Self {
        Self {
            config: Rc::clone(&self.config),
            ends: self.earlier(Instant::now(), time),
            timer: RefCell::new(self.timer.take()),
        }
    }

    /// The settings.
    pub fn config(&self) -> &Rc<Config> {
        &self.config
    }

    /// How much time is left.
    pub fn left(&self) -> Duration {
        let left = |ends: Instant| ends.saturating_duration_since(Instant::now());
        self.ends.map_or(Duration::MAX, left)
    }

    /// Waits for `result`, at most for `time`, and no longer than the session lasts; `None` if it did not come.
    ///
    /// A timer costs the host a tenth of a request. So it is first set no further ahead than `redis_timeout_ms`, and kept for the next
    /// wait: a body and Redis's reply need one. If it fires before a wait is over, it is set again, to the end of that wait.
    pub async fn within<T>(&self, time: Duration, result: impl Future<Output = T>) -> Option<T> {
        let now = Instant::now();
        let due = self.earlier(now, time);
        let set = |now: Instant, most: Duration| {
            let left = due.map_or(Duration::MAX, |due| due.saturating_duration_since(now));
            let time = left.min(most);
            Timer {
                at: now.checked_add(time).unwrap_or(now),
                sleep: Box::pin(time::sleep(time)),
            }
        };
        let kept = self.timer.take();
        let kept = kept.filter(|timer| due.is_none_or(|due| timer.at <= due));
        let mut timer = kept.unwrap_or_else(|| set(now, self.config.redis_timeout));
        let mut result = pin!(result);
        loop {
            match select(result.as_mut(), &mut timer.sleep).await {
                Either::Left((result, _)) => {
                    self.timer.replace(Some(timer));
                    return Some(result);
                }
                Either::Right(((), _)) => {
                    let now = Instant::now();
                    if due.is_some_and(|due| due <= now) {
                        return None;
                    }
                    timer = set(now, Duration::MAX);
                }
            }
        }
    }

    /// `time` after `now`, or the end of the session if that is earlier.
    fn earlier(&self, now: Instant, time: Duration) -> Option<Instant> {
        let then = now.checked_add(time);
        [then, self.ends].into_iter().flatten().min()
    }
}
