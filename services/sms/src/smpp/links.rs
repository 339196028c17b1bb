//! The binds of the account, and the places in their windows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::outcome::Outcome;
use futures::future::select_all;
use rusmppc::Client;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, timeout_at},
};

use super::{
    late::Late,
    session::{Bound, Link, State},
};

/// The binds.
pub(super) struct Links {
    links: Vec<Link>,
    /// How long a link that is being renewed is waited for.
    patience: Duration,
    used: Arc<Used>,
}

/// Places in use over all windows.
#[derive(Default)]
struct Used {
    places: AtomicUsize,
    freed: Notify,
}

/// A place in a bind's window; giving it up frees the place.
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) late: Arc<Late>,
    used: Arc<Used>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        self.used.places.fetch_sub(1, Ordering::Relaxed);
        self.used.freed.notify_one();
    }
}

impl Links {
    pub(super) fn new(links: Vec<Link>, patience: Duration) -> Self {
        Self { links, patience, used: Arc::default() }
    }

    pub(super) fn is_bound(&self) -> bool {
        self.links.iter().any(|link| matches!(*link.state.borrow(), State::Bound(_)))
    }

    /// The bound link with most room in its window.
    pub(super) fn roomiest(&self) -> Option<(&Link, Bound)> {
        let bound = self.links.iter().filter_map(|link| match &*link.state.borrow() {
            // A link that broke a moment ago may not have said so yet.
            State::Bound(bound) if !bound.client.is_closed() => Some((link, bound.clone())),
            State::Bound(_) | State::Down | State::Refused => None,
        });
        bound.max_by_key(|(link, _)| link.window.available_permits())
    }

    /// Waits for a link to come up, but not for ever ([`Outcome::Pending`]).
    pub(super) async fn bound(&self) -> Result<(), Outcome> {
        if self.roomiest().is_some() {
            return Ok(());
        }
        let deadline = Instant::now() + self.patience;
        loop {
            let mut states: Vec<_> = self.links.iter().map(|link| link.state.clone()).collect();
            let seen: Vec<State> = states.iter_mut().map(|state| state.borrow_and_update().clone()).collect();
            if self.roomiest().is_some() {
                return Ok(());
            }
            if seen.iter().all(|state| matches!(state, State::Refused)) {
                return Err(Outcome::CredentialsRefused);
            }
            let change = select_all(states.iter_mut().map(|state| Box::pin(state.changed())));
            let (change, ..) = timeout_at(deadline, change).await.map_err(|_| Outcome::Pending)?;
            // The links have been stopped: none will come up any more.
            change.map_err(|_| Outcome::Pending)?;
        }
    }

    /// Waits for a place in the window of the bound link with most room, with no more than `most` places in use over all links. None: no
    /// link is up any more. One at a time waits here.
    pub(super) async fn place(&self, most: impl Fn() -> usize) -> Option<Place> {
        loop {
            let (link, bound) = self.roomiest()?;
            if self.used.places.load(Ordering::Relaxed) < most()
                && let Ok(permit) = link.window.clone().try_acquire_owned()
            {
                self.used.places.fetch_add(1, Ordering::Relaxed);
                return Some(Place { client: bound.client, late: link.late.clone(), used: self.used.clone(), permit: Some(permit) });
            }
            self.used.freed.notified().await;
        }
    }
}
