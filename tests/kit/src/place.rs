//! Where the confab under test runs, and what a test does that cannot run against it there.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;

/// Where the confab under test runs.
#[derive(Debug)]
pub(crate) enum Place {
    /// On hosts in this process.
    Here,
    /// On processes of Spin (`CONFAB_HOST=spin`).
    Spin,
    /// At this URL, where others may use it too (`CONFAB_URL`). It has no slash at its end.
    Url(String),
}

/// Where the confab under test runs: the same for all tests of a process.
pub(crate) fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (variable("CONFAB_URL"), variable("CONFAB_HOST").as_deref()) {
            (Some(url), None) => Place::Url(url.trim_end_matches('/').to_owned()),
            (None, Some("spin")) => Place::Spin,
            (None, None) => Place::Here,
            other => {
                panic!("CONFAB_URL and CONFAB_HOST are {other:?}: one of them may be set, and CONFAB_HOST only to spin")
            }
        }
    })
}

/// Skips this test if its confab is at a URL.
pub(crate) fn not_at_a_url(why: impl Display) {
    if let Place::Url(_) = place() {
        skip(why);
    }
}

/// Skips this test unless its confab is in this process.
pub(crate) fn only_here(why: impl Display) {
    if !matches!(place(), Place::Here) {
        skip(why);
    }
}

/// Ends this test, which cannot run here: it reports why. To Rust's test runner it has failed; `scripts/e2e` knows better.
pub(crate) fn skip(why: impl Display) -> ! {
    let thread = std::thread::current();
    report(&format!("skipped\t{}\t{why}", thread.name().unwrap_or("?")));
    panic!("skipped: {why}");
}

/// Adds a line to the file `CONFAB_REPORT`, which `scripts/e2e` reads.
pub(crate) fn report(line: &str) {
    if let Ok(file) = std::env::var("CONFAB_REPORT") {
        let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
        // In one piece, because other tests write too.
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}
