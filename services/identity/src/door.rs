//! Who may knock at the door now: guessing is slowed down, and nobody is kept out by others who knock in their name.
//!
//! - A **known device** of the account ([`device`]) has a bucket of its own, and a place of its own where passwords are compared.
//! - Anybody else takes from three buckets: that of their network, that of their network at this account, and one of the account, which is so
//!   large that only a flood from very many networks empties it. Such a flood keeps its owner from signing in on a device that nobody knows yet;
//!   their own devices and their passkeys go on working.

use std::net::IpAddr;
use std::time::Duration;

use domain::ids::StaffId;
use domain::network::Network;
use domain::second_factor::{WRONG_CODES, WRONG_CODES_FOR};
use platform::Platform;
use platform::cache::Tokens;

use crate::password::Lane;
use crate::token::TokenHash;
use crate::{Error, device};

/// Attempts on one account from one network, or from one known device: so many at once, then one in this time.
const PAIR: Bucket = Bucket { burst: 10, every: Duration::from_secs(30) };
/// Attempts from one network: offices share one.
const NETWORK: Bucket = Bucket { burst: 60, every: Duration::from_secs(2) };
/// Attempts from one site of IPv6, which has as many networks as it likes.
const SITE: Bucket = Bucket { burst: 240, every: Duration::from_millis(500) };
/// Attempts on one account from all the devices that are not known: 14,400 a day.
const ACCOUNT: Bucket = Bucket { burst: 100, every: Duration::from_secs(6) };
/// Refusals of passkeys that are written down, from one network: they cost a caller nothing.
const REFUSALS: Bucket = Bucket { burst: 10, every: Duration::from_secs(60) };
/// Wrong proofs of any kind until a session ends: whoever has the password has to come by the door again.
const WRONG_PROOFS_OF_A_SESSION: u64 = 20;

struct Bucket {
    burst: u32,
    every: Duration,
}

/// Where somebody comes from.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Their address.
    pub address: IpAddr,
    /// The token of a device that is known, as they say.
    pub device: Option<TokenHash>,
}

/// The door.
#[derive(Clone)]
pub(crate) struct Door {
    platform: Platform,
}

impl Door {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self { platform: platform.clone() }
    }

    /// Lets one attempt on this account through, and says where its password is compared.
    pub(crate) async fn admit(&self, login: &str, visitor: &Visitor) -> Result<Lane, Error> {
        if let Some(token) = &visitor.device {
            let mut connection = self.platform.database.pool().acquire().await?;
            if device::is_known(&mut connection, login, token, self.platform.clock.now()).await? {
                self.take(&format!("device:{}", token.hex()), &PAIR).await?;
                return Ok(Lane::Known);
            }
        }
        let network = Network::of(visitor.address);
        // Hashed: what people type into a name field by mistake is their password.
        let account = TokenHash::of(login).hex();
        self.take(&format!("network:{network}"), &NETWORK).await?;
        if let Some(site) = network.site() {
            self.take(&format!("site:{site}"), &SITE).await?;
        }
        self.take(&format!("pair:{network}:{account}"), &PAIR).await?;
        self.take(&format!("account:{account}"), &ACCOUNT).await?;
        Ok(Lane::Anybody)
    }

    /// Lets one attempt at a password through from inside a session: nobody else takes from its bucket.
    pub(crate) async fn admit_own(&self, staff: StaffId) -> Result<Lane, Error> {
        self.take(&format!("own:{staff}"), &PAIR).await?;
        Ok(Lane::Known)
    }

    /// Whether one more refusal from this address is to be written down.
    pub(crate) async fn writes_refusal(&self, address: IpAddr) -> Result<bool, Error> {
        match self.take(&format!("refused:{}", Network::of(address)), &REFUSALS).await {
            Ok(()) => Ok(true),
            Err(Error::TooManyAttempts { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Counts one try of a code before it is compared. Only who knows the password comes so far, and each known device is counted by itself.
    pub(crate) async fn admit_code(&self, staff: StaffId, known: Option<&TokenHash>) -> Result<(), Error> {
        let window = WRONG_CODES_FOR.to_std().unwrap_or_default();
        let tried = self.platform.cache.incr(&wrong_codes(staff, known), window).await?;
        if tried > WRONG_CODES { Err(Error::TooManyAttempts { after: window }) } else { Ok(()) }
    }

    /// The code was right: no try was wrong.
    pub(crate) async fn code_was_right(&self, staff: StaffId, known: Option<&TokenHash>) -> Result<(), Error> {
        Ok(self.platform.cache.delete(&wrong_codes(staff, known)).await?)
    }

    /// Counts a wrong proof of a session. Whether it was one too many.
    pub(crate) async fn is_one_too_many(&self, session: &TokenHash, lasts: Duration) -> Result<bool, Error> {
        let wrong = self.platform.cache.incr(&format!("identity:wrong-proofs:{}", session.hex()), lasts).await?;
        Ok(wrong >= WRONG_PROOFS_OF_A_SESSION)
    }

    async fn take(&self, bucket: &str, limit: &Bucket) -> Result<(), Error> {
        let (bucket, per_second) = (format!("identity:attempts:{bucket}"), 1.0 / limit.every.as_secs_f64());
        match self.platform.cache.take_tokens(&bucket, per_second, limit.burst, 1).await? {
            Tokens::Granted => Ok(()),
            Tokens::WaitUntil(at) => {
                let after = (at - self.platform.clock.now()).to_std().unwrap_or_default();
                Err(Error::TooManyAttempts { after })
            }
        }
    }
}

fn wrong_codes(staff: StaffId, known: Option<&TokenHash>) -> String {
    let from = known.map_or_else(|| "anywhere".to_owned(), TokenHash::hex);
    format!("identity:wrong-codes:{staff}:{from}")
}
