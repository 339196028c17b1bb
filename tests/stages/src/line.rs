//! A live line: server-sent events as a page reads them.

use axum::body::Body;
use http_body_util::BodyExt as _;

use crate::patience::soon;

/// An open line.
#[derive(Debug)]
pub struct Line {
    body: Body,
    read: String,
}

impl Line {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, read: String::new() }
    }

    /// The next event that is told, as it is written; what only keeps the line open is passed over.
    pub async fn next(&mut self) -> String {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if !event.starts_with(':') {
                    return event;
                }
            }
            let frame = soon("an event", self.body.frame()).await.expect("the line stays open").unwrap();
            self.read.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}
