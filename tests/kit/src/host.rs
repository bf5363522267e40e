//! What a confab runs on.

mod here;
mod spin;

use crate::place::{Place, place, skip};
use confab_host::instances::Limits;
use here::Here;
use spin::Spin;
use std::collections::HashMap;

/// What docs/deployment.md says first.
const RECOMMENDED: Limits = Limits {
    reuse_count: 100_000,
    stacks: 10_000,
};

/// A host that serves confab until it is dropped.
pub(crate) enum Host {
    Here(Here),
    Spin(Spin),
    /// A host at a URL, which serves on.
    Elsewhere(String),
}

impl Host {
    /// Starts a host on a port of its own, or takes the one at the URL. Without limits, confab-host has Spin's defaults, and Spin those
    /// that the documentation recommends.
    pub(crate) fn start(variables: HashMap<String, String>, limits: Option<Limits>) -> Self {
        match place() {
            Place::Here => Self::Here(Here::start(variables, limits.unwrap_or_default())),
            Place::Spin => Self::Spin(Spin::start(&variables, limits.unwrap_or(RECOMMENDED))),
            Place::Url(url) => Self::Elsewhere(url.clone()),
        }
    }

    /// The URL that all paths come after.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Here(here) => format!("http://{}", here.server.address()),
            Self::Spin(spin) => spin.url(),
            Self::Elsewhere(url) => url.clone(),
        }
    }

    /// The server log so far; empty if the host is elsewhere.
    pub(crate) fn log(&self) -> String {
        match self {
            Self::Here(here) => here.log(),
            Self::Spin(spin) => spin.log(),
            Self::Elsewhere(_) => String::new(),
        }
    }

    /// The host in this process. Skips this test if it is none.
    pub(crate) fn inside(&self) -> &Here {
        let Self::Here(here) = self else {
            skip("it looks inside confab-host");
        };
        here
    }
}
