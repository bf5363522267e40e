//! The source of a Lua script, and Redis's name for it.

use sha1_smol::Sha1;
use std::sync::OnceLock;

/// The source of a Lua script: parts that stand one after another.
pub(super) struct Source {
    parts: &'static [&'static str],
    digest: OnceLock<String>,
}

impl Source {
    /// The source that consists of these parts.
    pub(super) const fn new(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            digest: OnceLock::new(),
        }
    }

    /// All of it.
    pub(super) fn text(&self) -> String {
        self.parts.concat()
    }

    /// The SHA-1 of the text, in hexadecimal digits: `EVALSHA` takes it.
    pub(super) fn digest(&self) -> &str {
        self.digest.get_or_init(|| Sha1::from(self.text()).digest().to_string())
    }
}
