//! Who may knock at the door now: guessing is slowed down, and nobody is kept out by others who knock in their name.
//!
//! - A **known device** of the account ([`device`]) has a bucket of its own, and a place of its own where passwords are compared.
//! - A **known network** of the account ([`known_network`]), from which its owner has signed in with both factors, has a bucket of its own too.
//! - Anybody else takes from that of their network at this account, in the widest class that one customer has to themselves, and is refused while
//!   their network has too many wrong attempts behind it.
//!
//! How many there are on one account from everywhere refuses nobody: it rings. A flood from very many networks is slowed down by the queue in which
//! passwords are compared, and opens nothing without the second factor.

use std::net::IpAddr;
use std::time::Duration;

use domain::ids::StaffId;
use domain::network::Network;
use domain::second_factor::{WRONG_CODES, WRONG_CODES_FOR};
use platform::Platform;
use platform::cache::Tokens;

use crate::password::Lane;
use crate::token::TokenHash;
use crate::{Error, device, known_network};

/// Attempts on one account from one network, or from one known device: so many at once, then one in this time.
const PAIR: Bucket = Bucket { burst: 10, every: Duration::from_secs(30) };
/// Wrong attempts from one network: offices share one.
const NETWORK: Bucket = Bucket { burst: 60, every: Duration::from_secs(2) };
/// Wrong attempts from one site of IPv6, which has as many networks as it likes.
const SITE: Bucket = Bucket { burst: 240, every: Duration::from_millis(500) };
/// Attempts on one account from all that is not known of it: more of them ring, once in a while.
const ACCOUNT: Bucket = Bucket { burst: 100, every: Duration::from_secs(6) };
/// How often that rings for one account.
const RINGS_EVERY: Duration = Duration::from_secs(3_600);
/// Wrong codes of one account from all that is not known of it.
const WRONG_CODES_FROM_ANYWHERE: u64 = 5 * WRONG_CODES;
/// Refusals of passkeys that are written down, from one network: they cost a caller nothing.
const REFUSALS: Bucket = Bucket { burst: 10, every: Duration::from_secs(60) };
/// Wrong proofs of any kind until a session ends: whoever has the password has to come by the door again.
const WRONG_PROOFS_OF_A_SESSION: u64 = 20;

/// Returns from the city's directory, from one network or one browser that is known: each is a question to the directory.
const RETURNS: Bucket = Bucket { burst: 60, every: Duration::from_secs(2) };

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

impl Visitor {
    pub(crate) fn network(&self) -> Network {
        Network::of(self.address)
    }
}

/// One attempt that was let through.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Where its password is compared.
    pub lane: Lane,
    /// There are so many attempts on this account that somebody has to know; said once in a while.
    pub rings: bool,
    /// The network that it counts against if it is wrong.
    counts_against: Option<Network>,
}

/// Where a code comes from.
pub(crate) struct CodeFrom<'a> {
    pub staff: StaffId,
    pub session: &'a TokenHash,
    /// Whether that session has been proved before.
    pub was_proved: bool,
    pub visitor: &'a Visitor,
}

/// What the tries of a code are counted by.
pub(crate) struct Counted {
    by: String,
    /// They count for everybody who is not known as well.
    and: Option<String>,
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

    /// Lets one attempt on this account through.
    pub(crate) async fn admit(&self, login: &str, visitor: &Visitor) -> Result<Admission, Error> {
        let (network, now) = (visitor.network(), self.platform.clock.now());
        let mut connection = self.platform.database.pool().acquire().await?;
        if let Some(token) = &visitor.device
            && device::is_known(&mut connection, login, token, now).await?
        {
            self.take(&format!("device:{}:{}", token.hex(), TokenHash::of(login).hex()), &PAIR).await?;
            return Ok(Admission { lane: Lane::Known, rings: false, counts_against: None });
        }
        let is_home = known_network::is_known(&mut connection, login, network, now).await?;
        drop(connection);
        // Hashed: what people type into a name field by mistake is their password.
        let account = TokenHash::of(login).hex();
        if is_home {
            self.take(&format!("home:{}:{account}", network.widest()), &PAIR).await?;
            return Ok(Admission { lane: Lane::Anybody, rings: false, counts_against: Some(network) });
        }
        self.must_be_open(network).await?;
        self.take(&format!("pair:{}:{account}", network.widest()), &PAIR).await?;
        let rings = match self.take(&format!("account:{account}"), &ACCOUNT).await {
            Ok(()) => false,
            Err(Error::TooManyAttempts { .. }) => {
                self.platform.cache.set_if_absent(&format!("identity:rang:{account}"), b"1", RINGS_EVERY).await?
            }
            Err(error) => return Err(error),
        };
        if rings {
            metrics::counter!("staff_accounts_flooded_total").increment(1);
        }
        Ok(Admission { lane: Lane::Anybody, rings, counts_against: Some(network) })
    }

    /// Counts a wrong attempt against its network, which is refused for a while when there are too many.
    pub(crate) async fn was_wrong(&self, admission: &Admission) -> Result<(), Error> {
        let Some(network) = admission.counts_against else { return Ok(()) };
        let site = network.site().map(|site| (format!("site:{site}"), &SITE));
        for (name, limit) in std::iter::once((format!("network:{network}"), &NETWORK)).chain(site) {
            if let Err(Error::TooManyAttempts { after }) = self.take(&name, limit).await {
                let until = (self.platform.clock.now() + after).timestamp_millis();
                let after = after.max(Duration::from_millis(1));
                self.platform.cache.set(&shut(&name), until.to_string().as_bytes(), after).await?;
            }
        }
        Ok(())
    }

    /// Refuses whoever comes from a network with too many wrong attempts behind it.
    async fn must_be_open(&self, network: Network) -> Result<(), Error> {
        let site = network.site().map(|site| format!("site:{site}"));
        for name in std::iter::once(format!("network:{network}")).chain(site) {
            let Some(until) = self.platform.cache.get(&shut(&name)).await? else { continue };
            let until: i64 = std::str::from_utf8(&until).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
            let left = u64::try_from(until - self.platform.clock.now().timestamp_millis()).unwrap_or_default();
            return Err(Error::TooManyAttempts { after: Duration::from_millis(left) });
        }
        Ok(())
    }

    /// Lets one attempt at a password through from inside a session: nobody else takes from its bucket.
    pub(crate) async fn admit_own(&self, staff: StaffId) -> Result<Lane, Error> {
        self.take(&format!("own:{staff}"), &PAIR).await?;
        Ok(Lane::Known)
    }

    /// Lets one return from the directory through. There is nothing to guess there, so it counts against nobody at the door; a browser that is known
    /// has a bucket of its own.
    pub(crate) async fn admit_return(&self, visitor: &Visitor) -> Result<(), Error> {
        let now = self.platform.clock.now();
        let known = match &visitor.device {
            Some(token) if device::is_given_out(&mut self.platform.database.pool().acquire().await?, token, now).await? => Some(token),
            _ => None,
        };
        let name = known.map_or_else(|| format!("directory:{}", visitor.network().widest()), |token| format!("directory:{}", token.hex()));
        self.take(&name, &RETURNS).await
    }

    /// Whether one more refusal from this address is to be written down.
    pub(crate) async fn writes_refusal(&self, address: IpAddr) -> Result<bool, Error> {
        match self.take(&format!("refused:{}", Network::of(address)), &REFUSALS).await {
            Ok(()) => Ok(true),
            Err(Error::TooManyAttempts { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Counts one try of a code before it is compared. Only who knows the password comes so far; so what is known of the account is counted by
    /// itself: a session that was proved before, a device, a network. A thief spends their own tries, not the owner's.
    pub(crate) async fn admit_code(&self, from: CodeFrom<'_>) -> Result<Counted, Error> {
        let CodeFrom { staff, session, was_proved, visitor } = from;
        let (now, network) = (self.platform.clock.now(), visitor.network());
        let mut connection = self.platform.database.pool().acquire().await?;
        let device = match &visitor.device {
            Some(token) if device::is_of(&mut connection, staff, token, now).await? => Some(token.hex()),
            _ => None,
        };
        let is_home = known_network::is_of(&mut connection, staff, network, now).await?;
        drop(connection);
        let window = WRONG_CODES_FOR.num_seconds();
        let (which, left) = (now.timestamp().div_euclid(window), window - now.timestamp().rem_euclid(window));
        let name = |from: String| format!("identity:wrong-codes:{which}:{staff}:{from}");
        let counted = match device {
            _ if was_proved => Counted { by: name(format!("session:{}", session.hex())), and: None },
            Some(device) => Counted { by: name(format!("device:{device}")), and: None },
            None => Counted { by: name(format!("network:{}", network.widest())), and: (!is_home).then(|| name("anywhere".to_owned())) },
        };
        let after = Duration::from_secs(left.unsigned_abs());
        if self.platform.cache.incr(&counted.by, after).await? > WRONG_CODES {
            return Err(Error::TooManyAttempts { after });
        }
        if let Some(anywhere) = &counted.and
            && self.platform.cache.incr(anywhere, after).await? > WRONG_CODES_FROM_ANYWHERE
        {
            return Err(Error::TooManyAttempts { after });
        }
        Ok(counted)
    }

    /// The code was right: no try from there was wrong.
    pub(crate) async fn code_was_right(&self, counted: &Counted) -> Result<(), Error> {
        Ok(self.platform.cache.delete(&counted.by).await?)
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

/// A bucket that is empty of itself: whoever comes now is refused.
fn shut(bucket: &str) -> String {
    format!("identity:shut:{bucket}")
}
