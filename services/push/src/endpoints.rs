//! The devices of a batch's residents, in one query on the view that `resident` publishes.

use chrono::{DateTime, Utc};
use dispatch::ledger::GoneEndpoint;
use domain::ids::ResidentNo;
use domain::language::Language;
use platform::crypto::{Keyring, Purpose, Sealed};
use platform::database::Pool;
use platform::tasks::chain;

use crate::endpoint::{Endpoint, Enrolled, Public, Reach, Token};

/// What was found for the residents asked about.
pub(crate) struct Devices<R: Reach> {
    /// Devices that can be sent to, by resident.
    pub(crate) endpoints: Vec<Endpoint<R>>,
    /// Stored tokens that were never one: to be pruned.
    pub(crate) never_were: Vec<GoneEndpoint>,
}

struct Row {
    resident_no: i32,
    endpoint_id: i64,
    kind: String,
    sealed: Vec<u8>,
    language: String,
    registered_at: DateTime<Utc>,
}

/// An alert's audience, which knows its endpoints.
pub(crate) trait Load: Reach + Sized {
    /// Loads the endpoints that are open to such alerts.
    fn load(pool: &Pool, keyring: &Keyring, residents: &[i32]) -> impl Future<Output = sqlx::Result<Devices<Self>>> + Send;
}

impl Load for Public {
    async fn load(pool: &Pool, keyring: &Keyring, residents: &[i32]) -> sqlx::Result<Devices<Self>> {
        let rows = match stretch(residents) {
            Some((first, last)) => {
                let mut rows = sqlx::query_as!(
                    Row,
                    r#"select resident_no as "resident_no!", endpoint_id as "endpoint_id!", kind as "kind!", sealed as "sealed!",
                              language as "language!", registered_at as "registered_at!"
                         from resident.push_endpoints($1, $2)"#,
                    first,
                    last,
                )
                .fetch_all(pool)
                .await?;
                rows.retain(|row| residents.binary_search(&row.resident_no).is_ok());
                rows
            }
            None => {
                sqlx::query_as!(
                    Row,
                    r#"select resident_no as "resident_no!", endpoint_id as "endpoint_id!", kind as "kind!", sealed as "sealed!",
                              language as "language!", registered_at as "registered_at!"
                         from resident.endpoint
                        where resident_no = any($1) and kind <> 'phone'
                        order by resident_no"#,
                    residents,
                )
                .fetch_all(pool)
                .await?
            }
        };
        Ok(open(rows, keyring))
    }
}

/// How many numbers a stretch may have for each resident who is asked about.
const SPARSEST: usize = 3;

/// The first and the last of ascending numbers that lie so close together that reading everybody between them is less work than looking
/// up each.
fn stretch(residents: &[i32]) -> Option<(i32, i32)> {
    let (first, last) = (*residents.first()?, *residents.last()?);
    let length = usize::try_from(i64::from(last) - i64::from(first) + 1).ok()?;
    (residents.len() > 1 && length <= residents.len().saturating_mul(SPARSEST)).then_some((first, last))
}

impl Load for Enrolled {
    async fn load(pool: &Pool, keyring: &Keyring, residents: &[i32]) -> sqlx::Result<Devices<Self>> {
        let rows = sqlx::query_as!(
            Row,
            r#"select resident_no as "resident_no!", endpoint_id as "endpoint_id!", kind as "kind!", sealed as "sealed!",
                      endpoint.language as "language!", registered_at as "registered_at!"
                 from resident.endpoint join resident.reach using (resident_no)
                where resident_no = any($1) and kind <> 'phone' and reach.drill
                order by resident_no"#,
            residents,
        )
        .fetch_all(pool)
        .await?;
        Ok(open(rows, keyring))
    }
}

fn open<R: Reach>(rows: Vec<Row>, keyring: &Keyring) -> Devices<R> {
    let mut devices = Devices { endpoints: Vec::with_capacity(rows.len()), never_were: Vec::new() };
    for row in rows {
        // Numbers of residents are dense and begin at 0: the column is never negative.
        let resident_no = ResidentNo::new(row.resident_no.unsigned_abs());
        let plain = match Sealed::from_bytes(row.sealed).and_then(|sealed| keyring.open(Purpose::PushToken, &sealed)) {
            Ok(plain) => plain,
            Err(error) => {
                // Not pruned: with the right key it opens again. Meanwhile the resident is reached by SMS.
                tracing::error!(endpoint_id = row.endpoint_id, error = chain(&error), "a stored push token cannot be opened");
                continue;
            }
        };
        match Token::parse(&row.kind, &plain) {
            Ok(token) => {
                let language = row.language.parse().unwrap_or(Language::ZhCn);
                devices.endpoints.push(Endpoint::new(resident_no, row.endpoint_id, language, token, row.registered_at));
            }
            Err(_) => {
                let registered_at = Some(row.registered_at);
                devices.never_were.push(GoneEndpoint { resident_no, endpoint_id: row.endpoint_id, registered_at });
            }
        }
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::stretch;

    #[rstest::rstest]
    #[case::nobody(&[], None)]
    #[case::one(&[7], None)]
    #[case::close_together(&[1, 2, 4, 6], Some((1, 6)))]
    #[case::as_sparse_as_may_be(&[1, 6], Some((1, 6)))]
    #[case::too_sparse(&[1, 7], None)]
    #[case::all_over_the_city(&[0, i32::MAX], None)]
    fn numbers_close_together_are_read_as_a_stretch(#[case] residents: &[i32], #[case] expected: Option<(i32, i32)>) {
        assert_eq!(stretch(residents), expected);
    }
}
