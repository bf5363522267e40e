//! A whole response, as tests look at it.

use crate::access::check;
use crate::names::guard;
use crate::to_its_end;
use reqwest::header::HeaderMap;
use reqwest::{Body, RequestBuilder};
use serde_json::Value;

/// A whole response.
#[derive(Debug)]
pub struct TestResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl TestResponse {
    /// Sends a request, and reads the whole response. Skips the test if the URL under test needs a token that there is not.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = Self::any(request).await;
        check(response.status);
        response
    }

    /// The same for a test that wants to be refused.
    ///
    /// Fails if the answer does not end: it is a stream, and its test would hang as long as that lasts.
    pub async fn any(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        guard(request.body().and_then(Body::as_bytes));
        let response = client.execute(request).await.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: to_its_end(response.bytes()).await.unwrap().to_vec(),
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// The header's value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success, as JSON.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The status and the field at fault (or null) of an RFC 9457 problem. Checks what all problems must have.
    #[track_caller]
    pub fn problem(&self) -> (u16, Value) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        (self.status, problem["field"].clone())
    }
}
