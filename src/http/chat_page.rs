//! `GET /` and its three files: the chat page, which stands on `/confab.js`.

use crate::http::asset::Asset;
use crate::http::call::Call;
use crate::http::problem;
use crate::http::response::Response;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The paths of the page's files, and the files. Their addresses are relative, so that a proxy may serve them under a prefix.
static FILES: [(&str, Asset); 4] = [
    (
        "/",
        Asset::new("text/html; charset=utf-8", include_str!("../web/index.html")),
    ),
    ("/app.js", Asset::new(SCRIPT, include_str!("../web/app.js"))),
    (
        "/app.css",
        Asset::new("text/css; charset=utf-8", include_str!("../web/app.css")),
    ),
    ("/confab.js", Asset::new(SCRIPT, include_str!("../web/confab.js"))),
];

/// Answers with the file at the request's path.
pub(super) fn handle(call: &Call) -> Response {
    let path = call.request.path();
    let file = FILES.iter().find(|(at, _)| *at == path);
    match file {
        Some((_, file)) => file.answer(&call.request.headers),
        None => problem::not_found(path),
    }
}

#[cfg(test)]
mod tests {
    /// Everybody who opens the page loads all of it.
    #[test]
    fn the_page_is_at_most_30_kilobytes() {
        let files = ["index.html", "app.js", "app.css", "confab.js"];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/");
        let sizes = files.map(|file| std::fs::metadata(format!("{folder}{file}")).unwrap().len());
        assert!(sizes.iter().sum::<u64>() <= 30_000, "{files:?} {sizes:?}");
    }

    #[test]
    fn all_addresses_are_relative_and_texts_stay_texts() {
        let page = [
            include_str!("../web/index.html"),
            include_str!("../web/app.js"),
            include_str!("../web/confab.js"),
        ]
        .concat();
        for absolute in ["=\"/", "'/api", "\"/api", "`/api"] {
            assert!(!page.contains(absolute), "{absolute}");
        }
        for markup in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            " style=",
            "eval(",
        ] {
            assert!(!page.contains(markup), "{markup}");
        }
    }
}
