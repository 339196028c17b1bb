//! A page of the console, as an address brings it back from elsewhere: nothing that leads anywhere else can be one.

use std::fmt;
use std::str::FromStr;

/// Where the console stands.
const CONSOLE: &str = "/console";
/// No page of ours has a longer address (bytes).
const LONGEST: usize = 256;

/// The path of a page of the console with what follows the question mark: `/console`, `/console/alerts?state=draft`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsolePath(String);

impl ConsolePath {
    /// The same, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first page, which says why somebody did not get in.
    #[must_use]
    pub fn of_refusal(code: &str) -> Self {
        Self(format!("{CONSOLE}?directory={code}"))
    }
}

impl Default for ConsolePath {
    fn default() -> Self {
        Self(CONSOLE.to_owned())
    }
}

impl fmt::Display for ConsolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no page of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a page of the console begins with /console and has at most 256 plain characters")]
pub struct NoConsolePath;

impl FromStr for ConsolePath {
    type Err = NoConsolePath;

    fn from_str(text: &str) -> Result<Self, NoConsolePath> {
        // what a browser would read as another host, take back up the path or take for a new line of a header is none of these characters
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%?&=+:,".contains(&byte);
        let (path, _) = text.split_once('?').unwrap_or((text, ""));
        let below = path.strip_prefix(CONSOLE).ok_or(NoConsolePath)?;
        let stays = below.is_empty() || below.starts_with('/');
        // `%2e%2e` is `..` to a browser
        let climbs = path.split('/').any(|part| [".", ".."].contains(&part.to_ascii_lowercase().replace("%2e", ".").as_str()));
        let sound = text.len() <= LONGEST && text.bytes().all(sound);
        if sound && stays && !climbs && !path.contains("//") { Ok(Self(text.to_owned())) } else { Err(NoConsolePath) }
    }
}

crate::text_form::text_form!(ConsolePath, "a page of the console with what follows its question mark", "/console/alerts");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/console")]
    #[case("/console/")]
    #[case("/console/alerts/0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12")]
    #[case("/console/alerts?state=draft&district=500103")]
    fn a_page_of_the_console_is_gone_back_to(#[case] page: &str) {
        assert_eq!(page.parse::<ConsolePath>().unwrap().as_str(), page);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::elsewhere_here("/app")]
    #[case::another_host("https://evil.example/console")]
    #[case::another_host_without_a_scheme("//evil.example/console")]
    #[case::another_host_as_browsers_read_it("/\\evil.example/console")]
    #[case::a_name_that_begins_alike("/consoles")]
    #[case::up_again("/console/../app")]
    #[case::up_again_in_disguise("/console/%2E%2e/app")]
    #[case::a_host_in_the_middle("/console//evil.example")]
    #[case::a_header_of_its_own("/console\r\nSet-Cookie: a=b")]
    #[case::a_script("/console?<script>")]
    #[case::a_fragment("/console#elsewhere")]
    fn what_leads_elsewhere_is_no_page_of_the_console(#[case] text: &str) {
        assert_eq!(text.parse::<ConsolePath>(), Err(NoConsolePath));
    }

    #[test]
    fn an_endless_address_is_none() {
        assert_eq!(format!("/console?a={}", "b".repeat(LONGEST)).parse::<ConsolePath>(), Err(NoConsolePath));
    }

    proptest! {
        #[test]
        fn whatever_is_read_stays_at_this_host_and_below_the_console(text in "(/|\\\\|https:|/console|evil\\.example|\\.\\.|%2e|\\?|@|\\PC){0,12}") {
            if let Ok(page) = text.parse::<ConsolePath>() {
                let page = page.as_str();
                prop_assert!(page == "/console" || page.starts_with("/console/") || page.starts_with("/console?"), "{page}");
                prop_assert!(!page.contains('\\') && !page.chars().any(char::is_control));
            }
        }
    }
}
