//! A transaction that can publish.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use futures::future::BoxFuture;

use super::executor::{Connection, Ending};
use super::numbering::{Drawn, Numbering};
use super::wakes::Wakes;
use crate::error::Error;

/// A transaction that can publish; dropped without [`Tx::commit`] it is undone.
///
/// It dereferences to the connection: `sqlx::query!(…).execute(&mut *tx)`.
#[derive(Debug)]
pub struct Tx {
    connection: Connection,
    pub(super) published: Vec<&'static str>,
    wakes: Arc<Wakes>,
    pub(super) drawn: Drawn,
}

impl Tx {
    pub(super) fn new(connection: Connection, wakes: Arc<Wakes>, numbering: &Arc<Numbering>) -> Self {
        Self { connection, published: Vec::new(), wakes, drawn: Drawn::none(numbering) }
    }

    /// Makes the changes last, then wakes the relays of the events among them.
    pub fn commit(mut self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            self.drawn.commit_begins();
            self.connection.end(Ending::Commit).await?;
            self.drawn.committed();
            for schema in self.published {
                self.wakes.of(schema).wake();
            }
            Ok(())
        })
    }

    /// Undoes the changes now rather than at the next use of the connection.
    pub fn rollback(self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move { Ok(self.connection.end(Ending::Rollback).await?) })
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
