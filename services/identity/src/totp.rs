//! Authenticator apps: a shared secret, and codes that change every half minute (RFC 6238).

use domain::second_factor::{CODE_DIGITS, CODE_SKEW, CODE_STEP_S};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;
use totp_rs::{Builder, Totp};
use utoipa::ToSchema;

use crate::Error;

/// Who asks for the code, as an app shows it.
const ISSUER: &str = "Fenghuo";
/// RFC 4226 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// A secret on its way into somebody's app.
// no Debug: it holds the secret
#[derive(Serialize, ToSchema)]
pub(crate) struct ForApp {
    /// The secret in base 32, to be typed in where no camera is.
    pub secret: String,
    /// The same as an address that apps open.
    pub uri: String,
    /// The same as a QR code: rows of `1` (dark) and `0` (light), without a border.
    pub qr: Vec<String>,
}

/// A fresh secret.
pub(crate) fn generate() -> Vec<u8> {
    rand::random::<[u8; SECRET_BYTES]>().to_vec()
}

/// How an app is given the secret of this account.
pub(crate) fn for_app(secret: &[u8], login: &str) -> Result<ForApp, Error> {
    let app = of(secret, login)?;
    let uri = app.to_url().map_err(|_| Error::Stored { what: "staff.login" })?;
    let code = QrCode::encode_text(&uri, QrCodeEcc::Medium).map_err(|_| Error::Stored { what: "staff.login" })?;
    let row = |y| (0..code.size()).map(|x| if code.get_module(x, y) { '1' } else { '0' }).collect();
    Ok(ForApp { secret: app.secret().to_base32(), uri, qr: (0..code.size()).map(row).collect() })
}

/// The step of this code, if it is one of the secret's around this time.
pub(crate) fn step_of(secret: &[u8], code: &str, now: chrono::DateTime<chrono::Utc>) -> Result<Option<u64>, Error> {
    let Ok(seconds) = u64::try_from(now.timestamp()) else { return Ok(None) };
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != usize::from(CODE_DIGITS) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    Ok(of(secret, "account")?.check(&digits, seconds))
}

fn of(secret: &[u8], login: &str) -> Result<Totp, Error> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_digits(CODE_DIGITS)
        .with_step_duration(CODE_STEP_S)
        .with_skew(CODE_SKEW)
        .with_account_name(login)
        .with_issuer(Some(ISSUER))
        .build()
        .map_err(|_| Error::Stored { what: "factor.sealed" })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use rstest::rstest;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// RFC 6238, appendix B, the last six digits.
    #[rstest]
    #[case(59, "287082")]
    #[case(1_111_111_109, "081804")]
    #[case(2_000_000_000, "279037")]
    fn codes_are_those_of_the_standard(#[case] seconds: i64, #[case] code: &str) {
        let secret = b"12345678901234567890";
        let step = seconds as u64 / CODE_STEP_S;
        for (now, known) in [(seconds, true), (seconds + 30, true), (seconds - 30, true), (seconds + 60, false), (seconds - 60, false)] {
            assert_eq!(step_of(secret, code, at(now)).unwrap(), known.then_some(step), "{now}");
        }
        assert_eq!(step_of(secret, &format!("{} {}", &code[..3], &code[3..]), at(seconds)).unwrap(), Some(step), "as apps show it");
    }

    #[rstest]
    #[case("")]
    #[case("28708")]
    #[case("2870822")]
    #[case("２８７０８２")]
    #[case("28708x")]
    fn what_is_no_code_is_none(#[case] code: &str) {
        assert_eq!(step_of(b"12345678901234567890", code, at(59)).unwrap(), None);
    }

    #[test]
    fn an_app_is_given_the_secret_in_three_ways() {
        let ForApp { secret, uri, qr } = for_app(b"12345678901234567890", "command.one").unwrap();
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri.starts_with("otpauth://totp/Fenghuo:command.one?"), "{uri}");
        assert!(uri.contains(&secret) && uri.contains("issuer=Fenghuo"), "{uri}");
        assert!(qr.len() > 20 && qr.iter().all(|row| row.len() == qr.len()));
        assert!(qr[0].starts_with("1111111"), "the finder pattern");
    }
}
