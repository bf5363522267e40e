//! What is done on a connection: commands, or a script.

use crate::redis::connection::{Shared, binary};
use crate::redis::failure::Failure;
use crate::redis::source::Source;
use futures::future::try_join_all;
use spin_sdk::redis::RedisResult;

/// A Redis command.
pub(super) struct Command<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its arguments.
    pub(super) arguments: &'a [&'a str],
}

/// What is done on a connection, in one round trip.
pub(super) enum Act<'a> {
    /// Runs commands one after another. The reply is all of theirs, without a border.
    Commands(&'a [Command<'a>]),
    /// Runs a script. It takes two round trips if Redis does not know the script yet.
    Evaluate {
        script: &'a Source,
        keys: &'a [&'a str],
        arguments: &'a [&'a [u8]],
    },
}

impl Act<'_> {
    /// Does it, and returns what Redis replies.
    pub(super) async fn run(&self, connection: &Shared) -> Result<Vec<RedisResult>, Failure> {
        match self {
            Self::Commands(commands) => {
                let replies = commands.iter().map(async |command| {
                    let words = command.arguments.iter().map(|word| binary(word.as_bytes()));
                    connection.execute(command.name, words.collect()).await
                });
                Ok(try_join_all(replies).await?.concat())
            }
            Self::Evaluate {
                script,
                keys,
                arguments,
            } => evaluate(connection, script, keys, arguments).await,
        }
    }
}

async fn evaluate(
    connection: &Shared,
    script: &Source,
    keys: &[&str],
    arguments: &[&[u8]],
) -> Result<Vec<RedisResult>, Failure> {
    let parameters = |script: &str| {
        let count = keys.len().to_string();
        let first = [script, &count].map(str::as_bytes);
        let keys = keys.iter().map(|key| key.as_bytes());
        let all = first.into_iter().chain(keys).chain(arguments.iter().copied());
        all.map(binary).collect()
    };
    match connection.execute("EVALSHA", parameters(script.digest())).await {
        Err(Failure::Refused(reply)) if reply.is_unknown_script() => {
            connection.execute("EVAL", parameters(&script.text())).await
        }
        reply => reply,
    }
}
