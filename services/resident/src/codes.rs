//! One-time codes: who may ask for one, what is sent, and what a guess costs.
//!
//! Anybody may ask for a code to any number, so asking is limited four ways: by the number and the network it is asked from, by the network, for the
//! city as a whole, of which a part is left to numbers that are registered, and by the number. From a network from which a number has registered
//! before, and from an app that was signed in with it before, it has an allowance of its own: strangers who ask for codes to it use up theirs, not
//! the owner's.
//!
//! A code belongs to the request that it was asked with and can be tried only with the name of that request, which whoever asked was given. So nobody
//! spends another's tries. Each code has five, until so many of one number were wrong in a day; from then on each has one, and a new code does not
//! bring the five back. Somebody who is signed in needs no code for anything they do every day, and asks for one on an allowance of their own.

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;
use domain::ids::ResidentNo;
use domain::network::Network;
use domain::phone::PhoneNumber;
use platform::cache::Tokens;
use platform::crypto::Purpose;
use platform::database::Tx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::settings::Settings;
use crate::{Error, Service, directory, session, short_message};

/// Tries of one code.
const TRIES: u64 = 5;
const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// What a site has beside one of its networks: one customer's /48 of IPv6 holds as many /64 as they like.
const NETWORKS_OF_A_SITE: u32 = 4;
/// This part of the city's codes is left to numbers that are registered: who asks for codes to made-up numbers does not lock everybody out.
const RESERVED_PART: u32 = 4;
/// For how long a network counts as one from which a number has registered.
const NETWORK_KNOWN: Duration = Duration::from_secs(90 * 24 * 3600);
/// Codes that somebody who is signed in may ask for in a day, whatever for.
const SIGNED_IN_A_DAY: u32 = 10;
/// Codes about one document that its holder is sent in a day, whoever asks.
const HOLDER_A_DAY: u32 = 5;

/// What to expect after asking for a code.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeSent {
    /// Names what was asked for; to be given back with the code.
    pub(crate) request: String,
    /// Seconds for which the code is good.
    pub(crate) valid_s: u32,
    /// Seconds after which another one may be asked for.
    pub(crate) again_s: u32,
}

impl CodeSent {
    pub(crate) fn of(request: Asked, settings: &Settings) -> Self {
        Self { request: request.0, valid_s: settings.code_valid_s, again_s: settings.code_again_s }
    }
}

/// What a code is good for. One that was asked for one thing opens no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opens {
    /// Registering with a number.
    Registration,
    /// Moving to a number, and from it.
    NewNumber,
    OldNumber,
    /// Taking over the document that is bound to the resident with this number.
    Document {
        of: ResidentNo,
    },
}

impl Opens {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Registration => vec![0],
            Self::NewNumber => vec![1],
            Self::OldNumber => vec![2],
            Self::Document { of } => [3].into_iter().chain(of.get().to_be_bytes()).collect(),
        }
    }

    /// What the SMS says that it is for.
    fn words(self) -> &'static str {
        match self {
            Self::Registration => "验证码",
            Self::NewNumber => "更换手机号，新号码验证码",
            Self::OldNumber => "有人申请把您的登记改到另一手机号，如是本人，验证码",
            Self::Document { .. } => "有人申请把您登记的证件转到另一手机号，如是本人，验证码",
        }
    }
}

/// The name of a request for a code.
pub(crate) struct Asked(String);

impl Asked {
    fn new() -> Self {
        Self(hex::encode(rand::random::<[u8; 16]>()))
    }
}

/// Whether anybody may have a code sent to this number now. `token` is of a sign-in that they have or had.
pub(crate) async fn admit_anybody(service: &Service, phone: &PhoneNumber, from: IpAddr, token: Option<&str>) -> Result<(), Error> {
    let (cache, settings) = (&service.platform.cache, &service.settings);
    let hash = directory::phone_hash(&service.platform.keyring, phone);
    let (number, network) = (hex::encode(hash), Network::of(from).to_string());
    let of_token = match token {
        Some(token) => was_signed_in(service, token, &hash).await?,
        None => None,
    };

    let again = Duration::from_secs(settings.code_again_s.into());
    let by = of_token.as_ref().unwrap_or(&network);
    if cache.incr(&format!("code-again:{number}:{by}"), again).await? > 1 {
        return Err(refused("again", again));
    }
    if of_token.is_some() || cache.get(&known(&number, &network)).await?.is_some() {
        let own = format!("codes:owner:{number}:{by}");
        return take(service, &own, per_day(settings.codes_per_day), settings.codes_per_day, "number").await;
    }
    let a_minute = settings.codes_per_minute_from_a_network.get();
    take(service, &format!("codes:network:{network}"), per_minute(a_minute), a_minute, "network").await?;
    if let Some(site) = Network::of(from).site() {
        let a_minute = a_minute.saturating_mul(NETWORKS_OF_A_SITE);
        take(service, &format!("codes:site:{site}"), per_minute(a_minute), a_minute, "network").await?;
    }
    // The city's before the number's: who is refused for others' sake has all of their own left.
    let of_city = settings.codes_per_minute.get();
    let reserved = of_city / RESERVED_PART;
    let anybodys = of_city - reserved;
    if let Err(refused) = take(service, "codes:city", per_minute(anybodys), anybodys, "city").await {
        if reserved == 0 || !matches!(refused, Error::TooManyCodes { .. }) || !is_registered(service, &hash).await? {
            return Err(refused);
        }
        take(service, "codes:city-registered", per_minute(reserved), reserved, "city").await?;
    }
    take(service, &format!("codes:number:{number}"), per_day(settings.codes_per_day), settings.codes_per_day, "number").await
}

/// Names the sign-in, if this token was given out to whoever has the number, however long ago: it need not hold any more.
async fn was_signed_in(service: &Service, token: &str, phone_hash: &[u8; 32]) -> Result<Option<String>, Error> {
    let hash = session::hash(token);
    let was = sqlx::query_scalar!(
        r#"select exists (select from resident.session s join resident.resident r using (resident_no)
                           where s.token_hash = $1 and r.phone_hash = $2) as "was!""#,
        &hash[..],
        &phone_hash[..]
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("finding whose a sign-in was"))?;
    Ok(was.then(|| hex::encode(&hash[..8])))
}

async fn is_registered(service: &Service, phone_hash: &[u8; 32]) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"select exists (select from resident.resident where phone_hash = $1) as "is!""#, &phone_hash[..])
        .fetch_one(service.platform.database.pool())
        .await
        .map_err(Error::database("looking for a number"))
}

/// Whether somebody who is signed in may have another code sent.
pub(crate) async fn admit_resident(service: &Service, no: ResidentNo) -> Result<(), Error> {
    take(service, &format!("codes:resident:{no}"), per_day(SIGNED_IN_A_DAY), SIGNED_IN_A_DAY, "resident").await
}

/// Whether this number may be written to on a signed-in person's behalf: it is not theirs yet.
pub(crate) async fn admit_number(service: &Service, phone: &PhoneNumber) -> Result<(), Error> {
    let number = hex::encode(directory::phone_hash(&service.platform.keyring, phone));
    let a_day = service.settings.codes_per_day;
    take(service, &format!("codes:number:{number}"), per_day(a_day), a_day, "number").await
}

/// Whether whoever holds this document may be written to once more: many may claim it, and its holder is one.
pub(crate) async fn may_ask_holder(service: &Service, document: &[u8; 32]) -> Result<bool, Error> {
    let bucket = format!("codes:document:{}", hex::encode(document));
    match take(service, &bucket, per_day(HOLDER_A_DAY), HOLDER_A_DAY, "document").await {
        Ok(()) => Ok(true),
        Err(Error::TooManyCodes { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn take(service: &Service, bucket: &str, per_second: f64, burst: u32, limit: &'static str) -> Result<(), Error> {
    match service.platform.cache.take_tokens(bucket, per_second, burst.max(1), 1).await? {
        Tokens::Granted => Ok(()),
        Tokens::WaitUntil(at) => Err(refused(limit, (at - service.platform.clock.now()).to_std().unwrap_or_default())),
    }
}

fn refused(limit: &'static str, after: Duration) -> Error {
    metrics::counter!("resident_codes_refused_total", "limit" => limit).increment(1);
    Error::TooManyCodes { after }
}

fn per_minute(many: u32) -> f64 {
    f64::from(many) / 60.0
}

fn per_day(many: u32) -> f64 {
    f64::from(many.max(1)) / A_DAY.as_secs_f64()
}

/// Has a code sent to this phone, about whom `subject` stands for: the number itself, or the document.
pub(crate) async fn send(service: &Service, tx: &mut Tx, opens: Opens, subject: &[u8; 32], phone_sealed: Vec<u8>) -> Result<Asked, Error> {
    let (platform, settings) = (&service.platform, &service.settings);
    let (asked, code) = (Asked::new(), format!("{:06}", rand::random_range(0..1_000_000u32)));
    let valid = Duration::from_secs(settings.code_valid_s.into());
    platform.cache.set(&place(subject, &asked.0), &hash(service, opens, subject, &code), valid).await?;
    let (words, minutes) = (opens.words(), settings.code_valid_s / 60);
    let text = format!("【{}】{words} {code}，{minutes} 分钟内有效。请勿告知他人。", settings.signature);
    let until = platform.clock.now() + TimeDelta::seconds(settings.code_valid_s.into());
    short_message::send(tx, platform, phone_sealed, &text, until).await?;
    Ok(asked)
}

/// A request under which nothing was sent: guesses at it are counted and answered like any others, and none is right.
pub(crate) async fn decoy(service: &Service, subject: &[u8; 32]) -> Result<Asked, Error> {
    let asked = Asked::new();
    let valid = Duration::from_secs(service.settings.code_valid_s.into());
    service.platform.cache.set(&place(subject, &asked.0), &rand::random::<[u8; 32]>(), valid).await?;
    Ok(asked)
}

/// A code that was found right, and can still be used once.
pub(crate) struct Right {
    place: String,
    subject: String,
}

/// Compares a guess with the code of this request; a wrong one is counted.
pub(crate) async fn compare(service: &Service, opens: Opens, subject: &[u8; 32], request: &str, code: &str) -> Result<Right, Error> {
    let (cache, settings) = (&service.platform.cache, &service.settings);
    let (place, subject_name) = (place(subject, request), hex::encode(subject));
    // A guess at what nobody asked for is no try of anybody's.
    let Some(stored) = cache.get(&place).await? else { return Err(Error::Code) };
    let valid = Duration::from_secs(settings.code_valid_s.into());
    let few = format!("codes-few-tries:{subject_name}");
    let tries = if cache.get(&few).await?.is_some() { 1 } else { TRIES };
    let tried = format!("code-tries:{place}");
    if cache.incr(&tried, valid).await? > tries {
        cache.delete(&place).await?;
        return Err(Error::TooManyCodes { after: valid });
    }
    // Both sides are keyed hashes, so comparing them tells nothing about the code.
    if stored == hash(service, opens, subject, code.trim()) {
        // A right one is no failure: whoever has the code may be asked something, and bring it again.
        cache.delete(&tried).await?;
        return Ok(Right { place, subject: subject_name });
    }
    if cache.incr(&format!("codes-wrong:{subject_name}"), A_DAY).await? >= settings.wrong_codes_per_day.into() {
        cache.set(&few, b"1", A_DAY).await?;
    }
    Err(Error::Code)
}

impl Right {
    /// Uses the code up: of two requests with it one goes on.
    pub(crate) async fn use_up(self, service: &Service) -> Result<(), Error> {
        let taken = service.platform.cache.take(&self.place).await?;
        taken.map(|_| ()).ok_or(Error::Code)
    }

    /// The same for a registration: from this network the number has an allowance of its own from now on.
    pub(crate) async fn use_up_from(self, service: &Service, from: IpAddr) -> Result<(), Error> {
        let known = known(&self.subject, &Network::of(from).to_string());
        self.use_up(service).await?;
        service.platform.cache.set(&known, b"1", NETWORK_KNOWN).await?;
        Ok(())
    }
}

fn known(number: &str, network: &str) -> String {
    format!("codes-known:{number}:{network}")
}

fn place(subject: &[u8; 32], request: &str) -> String {
    // what a client sends is hashed, so that it cannot choose the name of what is stored
    use sha2::Digest as _;
    format!("code:{}:{}", hex::encode(subject), hex::encode(sha2::Sha256::digest(request.as_bytes())))
}

fn hash(service: &Service, opens: Opens, subject: &[u8; 32], code: &str) -> Vec<u8> {
    let mut told = opens.bytes();
    told.extend_from_slice(subject);
    told.extend_from_slice(code.as_bytes());
    service.platform.keyring.hash(Purpose::OneTimeCode, &told).to_vec()
}
