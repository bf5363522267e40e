//! Why confab itself failed: a chain of causes, for the server log alone.

use std::fmt;

/// A chain of causes. Its text is the outermost cause first, with a colon before each next one.
pub struct Cause(anyhow::Error);

impl From<anyhow::Error> for Cause {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:#}", self.0)
    }
}

/// Without the backtrace that `anyhow` may have: it is of no use in a component without symbols.
impl fmt::Debug for Cause {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:?}", self.to_string())
    }
}

/// Two causes are equal if their texts are.
impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_line() {
        let cause = Cause::from(anyhow::anyhow!("it broke").context("while reading").context("at a key"));
        assert_eq!(cause.to_string(), "at a key: while reading: it broke");
        assert_eq!(cause, Cause::from(anyhow::anyhow!("at a key: while reading: it broke")));
    }
}
