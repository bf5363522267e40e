//! `GET /` and its files: the chat page, which stands on `/confab.js`.

use crate::http::asset::Asset;
use crate::http::call::Call;
use crate::http::problem;
use crate::http::response::Response;

/// The path of a file of the page, and the file.
macro_rules! file {
    ($path:expr, $name:literal, $content_type:literal) => {
        (
            $path,
            Asset::new($content_type, include_str!(concat!("../web/", $name))),
        )
    };
    ($name:literal) => {
        file!(concat!("/", $name), $name, "text/javascript; charset=utf-8")
    };
}

/// The files of the page. Their addresses are relative, so that a proxy may serve them under a prefix.
static FILES: [(&str, Asset); 10] = [
    file!("/", "index.html", "text/html; charset=utf-8"),
    file!("/app.css", "app.css", "text/css; charset=utf-8"),
    file!("app.js"),
    file!("chat.js"),
    file!("confab.js"),
    file!("dom.js"),
    file!("here.js"),
    file!("list.js"),
    file!("outbox.js"),
    file!("rows.js"),
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
    use super::*;
    use serde_json::Value;

    /// Everybody who opens the page loads all of it.
    #[test]
    fn the_page_is_at_most_50_kilobytes() {
        let sizes = FILES.iter().map(|(path, file)| (path, file.text().len()));
        let sizes: Vec<_> = sizes.collect();
        assert!(sizes.iter().map(|(_, size)| size).sum::<usize>() <= 50_000, "{sizes:?}");
    }

    #[test]
    fn all_addresses_are_relative_and_texts_stay_texts() {
        for (path, file) in &FILES {
            for absolute in ["=\"/", "'/api", "\"/api", "`/api"] {
                assert!(!file.text().contains(absolute), "{path}: {absolute}");
            }
            for markup in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                " style=",
                "eval(",
            ] {
                assert!(!file.text().contains(markup), "{path}: {markup}");
            }
        }
    }

    /// Node installs confab.js by this file, from a release.
    #[test]
    fn the_package_has_the_version_of_the_component() {
        let package: Value = serde_json::from_str(include_str!("../web/package.json")).unwrap();
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    }
}
