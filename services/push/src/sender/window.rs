//! How many streams a connection may have open at this moment.
//!
//! One until the server has answered for the first time, then what the server allows (`MAX_CONCURRENT_STREAMS`) up to our own
//! bound. The server may change its mind at any time; when it allows fewer, streams that are open finish and their places are
//! not given out again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places for streams of one connection.
#[derive(Debug)]
pub(super) struct Window {
    places: Semaphore,
    /// Whether the server has answered once.
    proven: AtomicBool,
    /// Places to take back as soon as somebody returns one.
    surplus: AtomicUsize,
    size: Mutex<Size>,
}

#[derive(Debug)]
struct Size {
    granted: usize,
    server: usize,
    ours: usize,
}

impl Window {
    /// A window of one, which may grow to `ours`.
    pub(super) fn of_one(ours: usize) -> Self {
        Self {
            places: Semaphore::new(1),
            proven: AtomicBool::new(false),
            surplus: AtomicUsize::new(0),
            size: Mutex::new(Size { granted: 1, server: 1, ours }),
        }
    }

    /// Takes a place if one is free.
    pub(super) fn try_enter(&self) -> bool {
        self.places.try_acquire().map(SemaphorePermit::forget).is_ok()
    }

    /// Waits for a place; false once the window is closed.
    pub(super) async fn enter(&self) -> bool {
        self.places.acquire().await.map(SemaphorePermit::forget).is_ok()
    }

    /// Gives a place back.
    pub(super) fn leave(&self) {
        if self.surplus.load(Ordering::Acquire) == 0 || !self.take_back_one_less() {
            self.places.add_permits(1);
        }
    }

    /// The server has answered: the window may open.
    pub(super) fn answered(&self) {
        if !self.proven.load(Ordering::Relaxed) && !self.proven.swap(true, Ordering::AcqRel) {
            self.resize(|_| ());
        }
    }

    /// The server allows this many streams now.
    pub(super) fn server_allows(&self, streams: usize) {
        self.resize(|size| size.server = streams);
    }

    /// Nobody enters any more; who waits is turned away.
    pub(super) fn close(&self) {
        self.places.close();
    }

    fn resize(&self, change: impl FnOnce(&mut Size)) {
        // The lock is held for arithmetic only: nothing in it can panic, and if it did, the sizes would still be sound.
        let mut size = self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut size);
        let most = size.server.min(size.ours).min(Semaphore::MAX_PERMITS);
        let target = if self.proven.load(Ordering::Acquire) { most } else { most.min(1) };
        if target > size.granted {
            let mut more = target - size.granted;
            while more > 0 && self.take_back_one_less() {
                more -= 1;
            }
            self.places.add_permits(more);
        } else {
            let fewer = size.granted - target;
            let taken = self.places.forget_permits(fewer);
            self.surplus.fetch_add(fewer - taken, Ordering::AcqRel);
        }
        size.granted = target;
    }

    fn take_back_one_less(&self) -> bool {
        self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, |surplus| surplus.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(window: &Window) -> usize {
        std::iter::from_fn(|| window.try_enter().then_some(())).count()
    }

    fn left(window: &Window, places: usize) {
        (0..places).for_each(|_| window.leave());
    }

    #[tokio::test]
    async fn one_stream_until_the_first_answer_whatever_the_server_allows() {
        let window = Window::of_one(500);
        window.server_allows(1000);
        assert_eq!(entered(&window), 1);
        window.answered();
        assert_eq!(entered(&window), 499, "our own bound holds, the first still being open");
    }

    #[tokio::test]
    async fn the_server_opens_the_window_after_the_first_answer() {
        let window = Window::of_one(500);
        window.answered();
        assert_eq!(entered(&window), 1);
        left(&window, 1);
        window.server_allows(100);
        assert_eq!(entered(&window), 100);
    }

    #[tokio::test]
    async fn a_smaller_window_takes_places_back_as_they_become_free() {
        let window = Window::of_one(500);
        window.answered();
        window.server_allows(10);
        assert_eq!(entered(&window), 10);
        window.server_allows(3);
        left(&window, 5);
        assert_eq!(entered(&window), 0, "five are open where three are allowed");
        left(&window, 5);
        assert_eq!(entered(&window), 3);
    }

    #[tokio::test]
    async fn a_window_that_shrinks_and_grows_while_in_use_ends_with_the_right_size() {
        let window = Window::of_one(500);
        window.answered();
        window.server_allows(10);
        let open = entered(&window);
        window.server_allows(2);
        window.server_allows(8);
        left(&window, open);
        assert_eq!(entered(&window), 8);
    }

    #[tokio::test]
    async fn a_closed_window_turns_away_who_waits() {
        let window = Window::of_one(1);
        assert!(window.enter().await);
        let waiting = window.enter();
        window.close();
        assert!(!waiting.await);
    }
}
