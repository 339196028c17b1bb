//! Characters that no text of ours holds, refused once for every text of every route.
//!
//! PostgreSQL keeps no NUL, and a text with one would be answered as if the database were away. No other control character
//! means anything in what people and systems send, but for tab and line break. So they are looked for where a request comes
//! in: in path and query before its handler is called ([`check_address`]), in a JSON body when it is read ([`check_json`]).
//! What is sent in rows (`/api/v1/records`) is refused row by row where rows are checked. Headers need no look: HTTP lets no
//! control character into them.

use axum::extract::{FromRequestParts as _, Query, RawPathParams, Request};
use http::Uri;
use serde_json::Value;

use super::Problem;
use super::problem::FieldFault;

/// Whether a text with this character is refused.
fn is_refused(sign: char) -> bool {
    sign.is_control() && !matches!(sign, '\t' | '\n' | '\r')
}

fn holds_one(text: &str) -> bool {
    text.chars().any(is_refused)
}

fn fault(field: impl Into<String>) -> FieldFault {
    FieldFault::new(field, "含有不可见的控制字符，请删除后重新输入", "contains a control character; delete it and write the text anew")
}

/// Refuses a path or a query with such a character.
///
/// # Errors
/// A problem that names the parameter.
pub(super) async fn check_address(request: Request) -> Result<Request, Problem> {
    if !may_hold_one(request.uri()) {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    // What cannot be decoded is refused where it is read, with its name.
    if let Ok(parameters) = RawPathParams::from_request_parts(&mut parts, &()).await
        && let Some((name, _)) = parameters.iter().find(|(_, value)| holds_one(value))
    {
        return Err(Problem::invalid_path(fault(name)));
    }
    let parameters = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(parameters)| parameters).unwrap_or_default();
    let faults: Vec<FieldFault> = parameters
        .iter()
        .filter(|(name, value)| holds_one(name) || holds_one(value))
        .map(|(name, _)| fault(if holds_one(name) { "query" } else { name.as_str() }))
        .collect();
    if faults.is_empty() { Ok(Request::from_parts(parts, body)) } else { Err(Problem::invalid(faults)) }
}

/// Whether an address is worth a closer look: hardly any is.
fn may_hold_one(uri: &Uri) -> bool {
    // encoded, or in octets beyond ASCII
    let odd = |text: &str| text.bytes().any(|byte| byte == b'%' || byte >= 0x7F);
    odd(uri.path()) || uri.query().is_some_and(odd)
}

/// Refuses a JSON body with such a character in a text or a name. What is no JSON is let through: whoever reads it says so.
///
/// # Errors
/// A problem that names the fields.
pub(super) fn check_json(body: &[u8]) -> Result<(), Problem> {
    if !may_stand_in(body) {
        return Ok(());
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
    let mut faults = Vec::new();
    look_into(&value, &mut String::new(), &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

/// Whether a control character may stand in a JSON text: escaped, or as the octets that are one in UTF-8. JSON itself allows
/// those below space in no other way than escaped.
fn may_stand_in(body: &[u8]) -> bool {
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        at += match rest {
            [b'\\', b'b' | b'f', ..] | [b'\\', b'u', b'0', b'0', b'0' | b'1' | b'7' | b'8' | b'9', ..] => return true,
            [0x7F, ..] | [0xC2, 0x80..=0x9F, ..] => return true,
            [b'\\', _, ..] => 2,
            _ => 1,
        };
    }
    false
}

/// Notes the fields whose text holds one, by their paths.
fn look_into(value: &Value, path: &mut String, faults: &mut Vec<FieldFault>) {
    let whole = path.len();
    let named = |path: &str| if path.is_empty() { "body".to_owned() } else { path.to_owned() };
    match value {
        Value::String(text) if holds_one(text) => faults.push(fault(named(path))),
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                path.push_str(&format!("[{at}]"));
                look_into(element, path, faults);
                path.truncate(whole);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if holds_one(name) {
                    faults.push(fault(named(path)));
                    continue;
                }
                if whole > 0 {
                    path.push('.');
                }
                path.push_str(name);
                look_into(field, path, faults);
                path.truncate(whole);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn fields(body: &str) -> Vec<String> {
        check_json(body.as_bytes()).err().map_or_else(Vec::new, |problem| problem.errors.iter().map(|fault| fault.field.clone()).collect())
    }

    #[rstest]
    #[case::plain(r#"{"a":"渝中区\t\r\n\u4e00"}"#, &[])]
    #[case::an_escaped_backslash_before_u(r#"{"a":"\\u0000"}"#, &[])]
    #[case::nul(r#"{"a":"x\u0000"}"#, &["a"])]
    #[case::nul_after_a_backslash(r#"{"a":"\\\u0000"}"#, &["a"])]
    #[case::bell_and_form_feed(r#"{"a":"\u0007","b":"\f"}"#, &["a", "b"])]
    #[case::delete_as_it_is("{\"a\":\"\u{7f}\"}", &["a"])]
    #[case::a_control_of_the_second_set("{\"a\":\"\u{85}\"}", &["a"])]
    #[case::deep(r#"{"texts":{"zh-CN":{"body":"\u0001"}},"list":[1,["\u0000"]]}"#, &["list[1][0]", "texts.zh-CN.body"])]
    #[case::in_a_name(r#"{"facts":{"a\u0000":"x"}}"#, &["facts"])]
    #[case::the_whole(r#""\u0000""#, &["body"])]
    #[case::no_json(r#"{"a":"\u0000"#, &[])]
    fn a_text_with_a_control_character_is_named(#[case] body: &str, #[case] named: &[&str]) {
        assert_eq!(fields(body), named);
    }
}
