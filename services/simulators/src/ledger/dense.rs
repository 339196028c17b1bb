//! Residents by number: two bytes each, in pages that are made when first touched, without locks while recording.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU16, Ordering::Relaxed},
};

use arc_swap::ArcSwap;

use super::cell::{self, Arrival};

const PAGE: usize = 1 << 16;
/// 67 million residents: twice the city.
const PAGES: usize = 1 << 10;

type Page = Box<[AtomicU16]>;

#[derive(Debug)]
pub(super) struct Dense(ArcSwap<Vec<OnceLock<Page>>>);

impl Default for Dense {
    fn default() -> Self {
        Self(ArcSwap::new(Arc::new(empty())))
    }
}

fn empty() -> Vec<OnceLock<Page>> {
    (0..PAGES).map(|_| OnceLock::new()).collect()
}

/// Page and place of a token that starts with a resident number; `None` for any other recipient.
fn place(recipient: &str) -> Option<(usize, usize)> {
    if recipient.len() < 16 {
        return None;
    }
    let digits = recipient.as_bytes().first_chunk::<8>()?;
    let number = digits.iter().try_fold(0_usize, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)? as usize))?;
    (number < PAGE * PAGES).then_some((number / PAGE, number % PAGE))
}

impl Dense {
    pub(super) fn record(&self, recipient: &str, collapse_id: &str) -> Option<Arrival> {
        let (page, index) = place(recipient)?;
        let pages = self.0.load();
        let page = pages.get(page)?.get_or_init(|| (0..PAGE).map(|_| AtomicU16::new(0)).collect());
        let tag = cell::tag(collapse_id);
        let before = page.get(index)?.fetch_update(Relaxed, Relaxed, |cell| Some(cell::add(cell, tag))).unwrap_or_default();
        Some(cell::arrival(before, tag))
    }

    pub(super) fn times(&self, recipient: &str) -> Option<u64> {
        let (page, index) = place(recipient)?;
        let pages = self.0.load();
        Some(pages.get(page)?.get().and_then(|page| page.get(index)).map_or(0, |cell| cell::times(cell.load(Relaxed))))
    }

    pub(super) fn slices(&self) -> usize {
        PAGES
    }

    /// The residents of one page, named by their number as eight hex digits.
    pub(super) fn slice(&self, page: usize) -> Vec<(String, u64)> {
        let pages = self.0.load();
        let Some(cells) = pages.get(page).and_then(OnceLock::get) else { return Vec::new() };
        cells
            .iter()
            .enumerate()
            .map(|(index, cell)| (page * PAGE + index, cell::times(cell.load(Relaxed))))
            .filter(|(_, times)| *times > 0)
            .map(|(number, times)| (format!("{number:08x}"), times))
            .collect()
    }

    pub(super) fn reset(&self) {
        self.0.store(Arc::new(empty()));
    }
}
