//! Whether Redis has room for a connection that only waits: waiting must never take what sends need.

use crate::domain::error::{Error, Result, Stored};
use crate::redis::attempt::ask;
use crate::redis::connection::binary;
use crate::redis::waiting::own::Own;
use crate::session::Session;
use spin_sdk::redis::RedisResult;

/// The section of `INFO` that says it.
const CLIENTS: &str = "clients";

/// Opens a connection for a waiter, to the node that has this key. `None` if a quarter or less of Redis's `maxclients` is free, if Redis
/// does not say how many are free, or if no connection opens within `redis_timeout_ms`: then the waiter has to poll on the shared
/// connection.
pub(in crate::redis) async fn open_if_room(session: &Session, key: &str) -> Result<Option<Own>> {
    match ask(session, key, "INFO", &[CLIENTS]).await {
        Ok(reply) if has_room(&reply) => {}
        // A user that may not ask may still poll.
        Ok(_) | Err(Error::Internal(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let Some(mut own) = Own::open(session, key).await else {
        return Ok(None);
    };
    // Many may have asked at once, before any of them had opened its connection.
    let still = keeps_room(session, &mut own).await;
    Ok(still.is_ok_and(|still| still).then_some(own))
}

/// Whether more than a quarter of `maxclients` is free besides this connection.
pub(in crate::redis) async fn keeps_room(session: &Session, own: &mut Own) -> Result<bool> {
    let reply = own
        .run(
            session,
            session.config().redis_timeout,
            "INFO",
            vec![binary(CLIENTS.as_bytes())],
        )
        .await;
    let reply = reply.map_err(|failure| failure.error(Stored::NotAsked))?;
    Ok(has_room(&reply))
}

/// Whether a reply to `INFO clients` says that more than a quarter of the connections are free.
fn has_room(reply: &[RedisResult]) -> bool {
    let [RedisResult::Binary(info)] = reply else {
        return false;
    };
    let number = |name: &str| -> Option<u64> {
        let mut lines = str::from_utf8(info)
            .ok()?
            .lines()
            .filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| *found == name)?.1.trim().parse().ok()
    };
    number("connected_clients")
        .zip(number("maxclients"))
        .is_some_and(|(connected, most)| most.saturating_sub(connected) > most.div_euclid(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::reply::texts;

    #[test]
    fn there_is_room_if_more_than_a_quarter_is_free() {
        for (connected, most, room) in [
            ("0", "4", true),
            ("2", "4", true),
            ("3", "4", false),
            ("4", "4", false),
            ("9", "4", false),
            ("149", "200", true),
            ("150", "200", false),
            ("0", "0", false),
            ("x", "200", false),
        ] {
            let info =
                format!("# Clients\r\nconnected_clients:{connected}\r\nmaxclients:{most}\r\nblocked_clients:0\r\n");
            assert_eq!(has_room(&texts(&[&info])), room, "{info}");
        }
        for silent in ["", "connected_clients:1\r\n", "maxclients:200\r\n"] {
            assert!(!has_room(&texts(&[silent])), "{silent}");
        }
        assert!(!has_room(&[]));
    }
}
