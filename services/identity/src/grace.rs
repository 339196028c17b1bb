//! How long accounts from before there were second factors work without one.

use platform::Platform;

use crate::{Error, Settings};

/// Writes down what the operator has set, for the processes that know staff and have no settings of ours. It is counted from the moment at which
/// second factors came.
pub(crate) async fn note(platform: &Platform, settings: &Settings) -> Result<(), Error> {
    let days = settings.second_factor_grace_days()?;
    sqlx::query!("update identity.second_factor_grace set days = $1 where days <> $1", days).execute(platform.database.pool()).await?;
    Ok(())
}
