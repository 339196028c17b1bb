//! Signing in through a city's own directory of staff (OpenID Connect): what its word is worth here.
//!
//! The directory says **who** somebody is, and nothing else: no account comes of its word, no role and no scope. An account is bound to one
//! **subject** of one directory by two administrators ([`crate::second_person`]); a name or an address that the directory tells binds nothing, it
//! only proposes whose account it may be ([`proposed_login`]).
//!
//! The console stands in shared rooms, and a directory's own session outlives ours. So the directory is asked to have its user sign in anew, and
//! where it tells that they did so before we asked, its word is worth nothing ([`came_with`]).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::digits::is_invisible;
use crate::second_factor::CameWith;

/// The directory's clock may differ from ours by so much.
pub const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Who goes to the directory has come back within this time.
pub const GONE_FOR: TimeDelta = TimeDelta::minutes(10);
/// Longest name that is kept for administrators, in characters.
const LONGEST_NAME: usize = 128;
/// Longest subject, as the standard has it.
const LONGEST_SUBJECT: usize = 255;

/// Whom a directory means, as it says itself (`sub`): never given to anybody else by that directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubjectIdentifier(String);

impl SubjectIdentifier {
    /// The same, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is nobody's subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject of a directory has 1 to 255 characters on one line, without spaces around them")]
pub struct NoSubject;

impl FromStr for SubjectIdentifier {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        let sound = (1..=LONGEST_SUBJECT).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control);
        if sound { Ok(Self(text.to_owned())) } else { Err(NoSubject) }
    }
}

crate::text_form::text_form!(SubjectIdentifier, "the `sub` of somebody in the city's directory", "f3b0c442-98fc-4c14");

crate::words! {
    /// Why a sign-in through the directory came to nothing, as the console is told.
    pub enum DirectoryRefusal {
        /// The directory does not answer, or not as one.
        Away => "目录暂时无法使用",
        /// The person broke it off at the directory, or the directory let them go no further.
        BrokenOff => "目录未让登录继续",
        /// What came back was not what was asked for, or too late.
        Refused => "目录登录未通过核对",
        /// The directory knows them; no account here that could be used is theirs.
        NotBound => "没有可用的对应账号",
        /// Too many come from there at once.
        TooMany => "登录过于频繁",
    }
}

/// What a directory told about a sign-in, once its signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When somebody was sent there.
    pub asked_at: DateTime<Utc>,
    /// When they signed in there (`auth_time`), if it says so: who asks when, as we do, has to be told.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// With what (`amr`).
    pub methods: Vec<String>,
    /// As which class of sign-in that counts there (`acr`).
    pub class: Option<String>,
}

/// They signed in at the directory before they were sent there, or it does not say when: it did not ask them, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory did not have its user sign in anew")]
pub struct NotAskedAnew;

/// With what somebody came who came by the directory. Its own second factor counts only where the city says by which words it tells of one.
///
/// # Errors
/// [`NotAskedAnew`], where the sign-in there is an old one, or nobody can date it: then it may be an hour old, and somebody else's.
pub fn came_with(told: &Told, second_factors: &[String]) -> Result<CameWith, NotAskedAnew> {
    if told.authenticated_at.is_none_or(|at| at < told.asked_at - SKEW) {
        return Err(NotAskedAnew);
    }
    let counts = told.methods.iter().chain(&told.class).any(|word| second_factors.contains(word));
    Ok(if counts { CameWith::DirectoryFactors } else { CameWith::Password })
}

/// A name that the directory tells, as administrators are shown it: without signs that nobody sees, with which one name looks like another, and not
/// longer than anybody reads.
#[must_use]
pub fn shown_name(told: &str) -> String {
    told.chars().filter(|sign| !sign.is_control() && !is_invisible(*sign)).take(LONGEST_NAME).collect()
}

/// The login name that a name in the directory proposes: the part before an `@`, in small letters.
#[must_use]
pub fn proposed_login(name: &str) -> String {
    name.split('@').next().unwrap_or_default().trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
    }

    #[rstest]
    #[case::a_password(Some(5), &["pwd"], None, Ok(CameWith::Password))]
    #[case::a_second_factor_that_counts(Some(5), &["pwd", "otp"], None, Ok(CameWith::DirectoryFactors))]
    #[case::a_second_factor_that_does_not_count(Some(5), &["pwd", "sms"], None, Ok(CameWith::Password))]
    #[case::a_class_that_counts(Some(5), &[], Some("urn:city:two"), Ok(CameWith::DirectoryFactors))]
    #[case::a_class_that_does_not_count(Some(5), &[], Some("urn:city:one"), Ok(CameWith::Password))]
    #[case::nobody_says_when(None, &["pwd"], None, Err(NotAskedAnew))]
    #[case::by_a_clock_that_is_behind(Some(-60), &["pwd", "otp"], None, Ok(CameWith::DirectoryFactors))]
    #[case::before_we_asked(Some(-61), &["pwd", "otp"], None, Err(NotAskedAnew))]
    fn what_the_word_of_a_directory_is_worth(
        #[case] authenticated: Option<i64>,
        #[case] methods: &[&str],
        #[case] class: Option<&str>,
        #[case] came: Result<CameWith, NotAskedAnew>,
    ) {
        let told = Told {
            asked_at: at(0),
            authenticated_at: authenticated.map(at),
            methods: methods.iter().map(ToString::to_string).collect(),
            class: class.map(str::to_owned),
        };
        assert_eq!(super::came_with(&told, &["otp".to_owned(), "urn:city:two".to_owned()]), came);
        // a city that names no words believes in no second factor but its own
        assert_eq!(super::came_with(&told, &[]), came.map(|_| CameWith::Password));
    }

    #[rstest]
    #[case("zhang.san", "zhang.san")]
    #[case("Zhang.San@city.example.cn", "zhang.san")]
    #[case(" ZHANG ", "zhang")]
    #[case("@", "")]
    fn a_name_in_the_directory_proposes_a_login(#[case] name: &str, #[case] login: &str) {
        assert_eq!(proposed_login(name), login);
    }

    #[rstest]
    #[case("张三", "张三")]
    #[case("li\u{200b}.si\u{202e}\n", "li.si")]
    fn a_name_in_the_directory_looks_like_no_other(#[case] told: &str, #[case] shown: &str) {
        assert_eq!(shown_name(told), shown);
        assert_eq!(shown_name(&"a".repeat(1_000)).len(), LONGEST_NAME);
    }

    #[rstest]
    #[case("f3b0c442-98fc-4c14", true)]
    #[case("员工 0042", true)]
    #[case("", false)]
    #[case(" a", false)]
    #[case("a\nb", false)]
    fn a_subject_is_one_line(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(text.parse::<SubjectIdentifier>().is_ok(), sound);
        assert!("a".repeat(LONGEST_SUBJECT + 1).parse::<SubjectIdentifier>().is_err());
    }
}
