//! The table of routes. 404, 405 and `Allow` come from it.

use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::credentials::Admission;
use crate::http::response::Response;
use crate::http::{
    chat_page, delete, export, inbox, inbox_stream, mark, me, openapi, ping, problem, pull, ready, send, settings,
    stream,
};
use Admission::{Anybody, Callers, CallersByQuery};
use futures::future::{self, LocalBoxFuture};

/// Answers the requests of one route.
pub(super) type Handler = fn(Call) -> LocalBoxFuture<'static, Result<Response>>;

/// A path, the methods that it has, whom it answers, and what does.
pub(super) struct Route {
    /// The path.
    pub(super) path: &'static str,
    /// The methods that it has.
    pub(super) methods: Methods,
    /// Whom it answers.
    pub(super) admission: Admission,
    /// What answers.
    pub(super) handler: Handler,
}

/// The methods of a route.
#[derive(Clone, Copy)]
pub(super) enum Methods {
    /// The host leaves the body out of an answer to HEAD, and keeps its length.
    Get,
    Post,
}

impl Methods {
    /// The value of the header `Allow`.
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
        }
    }

    fn has(self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }
}

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    get("/ping", Anybody, |call| now(ping::handle(&call))),
    get("/ready", Anybody, |call| Box::pin(ready::handle(call))),
    get("/api/me", Callers, |call| Box::pin(me::handle(call))),
    post("/api/send", Callers, |call| Box::pin(send::handle(call))),
    get("/api/pull", Callers, |call| Box::pin(pull::handle(call))),
    get("/api/stream", CallersByQuery, |call| Box::pin(stream::handle(call))),
    get("/api/inbox", Callers, |call| Box::pin(inbox::handle(call))),
    get("/api/inbox/stream", CallersByQuery, |call| {
        Box::pin(inbox_stream::handle(call))
    }),
    get("/api/export", CallersByQuery, |call| Box::pin(export::handle(call))),
    post("/api/read", Callers, |call| Box::pin(mark::handle(call))),
    post("/api/delete", Callers, |call| Box::pin(delete::handle(call))),
    post("/api/chat", Callers, |call| Box::pin(settings::handle(call))),
    get("/openapi.json", Anybody, |call| now(Ok(openapi::handle(&call)))),
    file("/"),
    file("/app.css"),
    file("/app.js"),
    file("/chat.js"),
    file("/confab.js"),
    file("/dom.js"),
    file("/here.js"),
    file("/list.js"),
    file("/outbox.js"),
    file("/rows.js"),
];

/// The route of a file of the chat page.
const fn file(path: &'static str) -> Route {
    get(path, Anybody, |call| now(Ok(chat_page::handle(&call))))
}

const fn get(path: &'static str, admission: Admission, handler: Handler) -> Route {
    Route {
        path,
        methods: Methods::Get,
        admission,
        handler,
    }
}

const fn post(path: &'static str, admission: Admission, handler: Handler) -> Route {
    Route {
        path,
        methods: Methods::Post,
        admission,
        handler,
    }
}

/// The answer of a handler that waits for nothing.
fn now(answer: Result<Response>) -> LocalBoxFuture<'static, Result<Response>> {
    Box::pin(future::ready(answer))
}

/// The methods of a path; `None` if no route has it.
pub(super) fn allowed(path: &str) -> Option<&'static str> {
    let route = ROUTES.iter().find(|route| route.path == path);
    route.map(|route| route.methods.allow())
}

/// The route of a request, or the response if no route has its path or its method.
pub(super) fn find(method: &str, path: &str) -> Result<&'static Route, Box<Response>> {
    let route = ROUTES.iter().find(|route| route.path == path);
    let route = route.ok_or_else(|| Box::new(problem::not_found(path)))?;
    if route.methods.has(method) {
        Ok(route)
    } else {
        Err(Box::new(problem::method_not_allowed(method, route.methods.allow())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_methods_and_no_others() {
        for route in ROUTES {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "X"] {
                let allowed = route.methods.allow().split(", ").any(|allowed| allowed == method);
                match find(method, route.path) {
                    Ok(_) => assert!(allowed, "{method} {}", route.path),
                    Err(refusal) => {
                        assert!(!allowed, "{method} {}", route.path);
                        assert_eq!(refusal.status, 405);
                        assert_eq!(refusal.headers.get("allow"), Some(route.methods.allow().as_bytes()));
                    }
                }
            }
        }
    }

    /// Whatever is below `/api/` is for callers.
    #[test]
    fn routes_of_the_api_ask_who_calls() {
        for route in ROUTES {
            let anybody = route.admission == Anybody;
            assert_eq!(route.path.starts_with("/api/"), !anybody, "{}", route.path);
        }
    }

    #[test]
    fn a_path_is_exact() {
        for path in [
            "",
            "/index.html",
            "/pin",
            "/ping/",
            "/PING",
            "/api/send/",
            "//ping",
            "/api",
            "/app",
            "/index.html",
        ] {
            let refusal = find("GET", path).err().unwrap();
            assert_eq!(refusal.status, 404, "{path}");
        }
    }

    /// A stream keeps its instance, and so does an export: the manifest has a component for their routes, and for no others.
    #[test]
    fn the_manifest_gives_streams_a_component_of_their_own() {
        let manifest = include_str!("../../spin.toml");
        let triggers = manifest.split("[[trigger.http]]\n").skip(1);
        let of_streams = triggers.filter(|trigger| trigger.contains("\ncomponent = \"confab-streams\"\n"));
        let given: Vec<_> = of_streams.map(|trigger| trigger.lines().next().unwrap()).collect();
        let streams = ROUTES.iter().filter(|route| route.admission == CallersByQuery);
        let expected: Vec<_> = streams.map(|route| format!("route = \"{}\"", route.path)).collect();
        assert_eq!(given, expected);
    }
}
