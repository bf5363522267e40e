//! The server log: one line of `key=value` for each failure that is not the caller's own, and for what else an operator must know.

use crate::domain::error::Error;
use std::time::Instant;

/// The longest `traceparent` of version 00 (W3C Trace Context, section 3.2.2).
const TRACEPARENT_BYTES: usize = 55;

/// A request, as the server log names it: without any name or text of a person.
#[derive(Clone, Debug)]
pub struct Request {
    route: &'static str,
    began: Instant,
    traceparent: Option<String>,
}

impl Request {
    /// A request for this route, which is the path of HTTP or the function of WIT. A `traceparent` that is none is left out.
    pub fn new(route: &'static str, began: Instant, traceparent: Option<&[u8]>) -> Self {
        let traceparent = traceparent.filter(|value| is_traceparent(value));
        Self {
            route,
            began,
            traceparent: traceparent.map(|value| String::from_utf8_lossy(value).into_owned()),
        }
    }

    /// Writes why the request failed, unless it is the caller's own mistake.
    pub fn failed(&self, error: &Error) {
        if let Some(line) = line(Some(self), error) {
            write(&line);
        }
    }
}

/// Writes what failed in a request that goes on without it, unless it is the caller's own mistake.
pub fn failed(error: &Error) {
    if let Some(line) = line(None, error) {
        write(&line);
    }
}

/// Writes what an operator must know although no request failed. `cause` has no name of a person.
pub fn noticed(notice: &'static str, cause: &str) {
    write(&format!("confab: notice={notice} cause={cause:?}\n"));
}

/// Writes to standard error, which the host keeps as the component's log: in one piece, so that lines of several instances do not mix.
fn write(line: &str) {
    eprint!("{line}");
}

/// The line, with its end; `None` if the error is the caller's own mistake. The cause comes last and in quotes: it is the one value that may have spaces.
fn line(request: Option<&Request>, error: &Error) -> Option<String> {
    let (problem, cause) = match error {
        Error::Unavailable { .. } => ("unavailable", error.to_string()),
        Error::OldRedis { .. } => ("old-redis", error.to_string()),
        Error::Internal(cause) => ("internal", cause.to_string()),
        Error::Unauthenticated(_)
        | Error::TwoTokens
        | Error::Forbidden { .. }
        | Error::Invalid { .. }
        | Error::TooLarge { .. }
        | Error::SlowBody(_)
        | Error::UnsupportedEncoding
        | Error::KeyReused
        | Error::TooManySends(_)
        | Error::TooManyStreams { .. }
        | Error::TooManyExports { .. }
        | Error::Unproven
        | Error::Blocked
        | Error::NotOpen
        | Error::NoMessages
        | Error::OtherMessage
        | Error::TooManyPlaces
        | Error::Gone { .. } => return None,
    };
    // As clients receive it.
    let mut words = vec![format!("problem=/problems/{problem}")];
    if let Some(request) = request {
        words.push(format!("route={}", request.route));
        words.push(format!("duration_ms={}", request.began.elapsed().as_millis()));
        words.extend(request.traceparent.as_ref().map(|value| format!("traceparent={value}")));
    }
    words.push(format!("cause={cause:?}"));
    Some(format!("confab: {}\n", words.join(" ")))
}

/// Whether it is four groups of hexadecimal digits, as every version so far begins. Nothing else of a client gets into the log.
fn is_traceparent(value: &[u8]) -> bool {
    let groups: Vec<_> = value.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    value.len() == TRACEPARENT_BYTES
        && groups == [2, 32, 16, 2]
        && value
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::{Field, Stored};

    const TRACE: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn request(traceparent: &[u8]) -> Request {
        Request::new("/api/send", Instant::now(), Some(traceparent))
    }

    #[test]
    fn a_line_is_one_line_with_the_cause_in_quotes() {
        let error = Error::unavailable("no answer\nwithin \"2\" s", Stored::No);
        let line = line(Some(&request(TRACE)), &error).unwrap();
        let (start, rest) = line.split_once(" duration_ms=").unwrap();
        assert_eq!(start, "confab: problem=/problems/unavailable route=/api/send");
        let (milliseconds, rest) = rest.split_once(' ').unwrap();
        assert!(milliseconds.parse::<u64>().is_ok(), "{line}");
        let trace = str::from_utf8(TRACE).unwrap();
        assert_eq!(
            rest,
            format!("traceparent={trace} cause=\"Redis is unavailable: no answer\\nwithin \\\"2\\\" s\"\n")
        );
    }

    #[test]
    fn a_traceparent_that_is_none_is_left_out() {
        let error = Error::internal("why");
        for wrong in [
            &b""[..],
            b"x",
            b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 problem=x",
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\n-01",
            b"00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        ] {
            let line = line(Some(&request(wrong)), &error).unwrap();
            assert!(!line.contains("traceparent"), "{line}");
        }
    }

    #[test]
    fn mistakes_of_callers_are_not_in_the_log() {
        for error in [
            Error::invalid(Field::Text, "is empty"),
            Error::KeyReused,
            Error::UnsupportedEncoding,
        ] {
            assert_eq!(line(None, &error), None);
        }
    }
}
