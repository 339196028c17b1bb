//! Registration by phone and one-time code ([`crate::codes`]).
//!
//! The answer to a request for a code is the same whether the number is known or not, so that nobody can ask which numbers are registered. Who
//! registers with a known number is that person or a new one ([`domain::continuity`]); an identity number that they give is a claim and no more
//! ([`crate::identity`]), and the answer is the same whether or not somebody else holds it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::CommunityCode;
use domain::binding::Proof;
use domain::consent;
use domain::continuity::{self, Evidence, Fact, Owner};
use domain::identity_document::IdentityKind;
use domain::ids::ResidentNo;
use domain::industry::Industry;
use domain::language::Language;
use domain::phone::{PhoneNumber, PhoneNumberError};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use platform::crypto::Purpose;
use platform::database::Tx;
use platform::http::{Access, ClientAddress, FieldFault, Json, Problem, Routes, routes};
use proto::ResidentRegistered;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{self, CodeSent, Opens};
use crate::consent::stored_version;
use crate::identity::binding::{self, Document};
use crate::identity::{self, claim};
use crate::notices::{self, NoticeKind};
use crate::number::Kept;
use crate::profile::{self, Place};
use crate::{Error, SCHEMA, Service, contact, directory, former, heard, session};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("registration").allow(Access::Public, routes!(request_code)).allow(Access::Public, routes!(register))
}

/// Asks for a one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    /// Mobile number: of the mainland as people write it, of another country or region with + and its code.
    #[schema(example = "138 1234 5678")]
    phone: String,
}

/// Send a one-time code by SMS
///
/// An app that was signed in with the number brings its token, even one that holds no more: its owner is asked to wait for nobody else.
#[utoipa::path(post, path = "/api/v1/registration/code", request_body = CodeRequest,
    responses((status = 202, description = "A code is on its way", body = CodeSent)))]
async fn request_code(
    State(service): State<Service>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<CodeRequest>,
) -> Result<(StatusCode, axum::Json<CodeSent>), Problem> {
    let phone = parse_phone(&request.phone)?;
    codes::admit_anybody(&service, &phone, from, presented(&headers)).await?;
    let to = Kept::of(&service, &phone);
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let asked = codes::send(&service, &mut tx, Opens::Registration, &hash, to.sealed).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::ACCEPTED, axum::Json(CodeSent::of(asked, &service.settings))))
}

/// Registers, or signs in with a number that is known. Of somebody who is known, what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Registration {
    /// The number that received the code.
    phone: String,
    /// What the code was asked for with.
    request: String,
    /// The code from the SMS.
    code: String,
    /// Name, if given; shown to community workers, masked to everybody else.
    name: Option<String>,
    /// Number of an identity document, if given. Risk records find the person by it once it is proved. Only its keyed hash is kept.
    identity_number: Option<String>,
    /// What kind of document that is; needed where the number could be of several.
    identity_kind: Option<IdentityKind>,
    /// The country that issued it, by its name or its code of letters; needed for a passport.
    #[schema(example = "GBR")]
    identity_country: Option<String>,
    /// Community or village where the person lives, 12 digits; needed of whoever is not known.
    #[schema(value_type = Option<String>, example = "500103001001")]
    community: Option<CommunityCode>,
    /// Language of alerts; Chinese where it is left out.
    language: Option<Language>,
    /// Industry of the person's employer, for alerts to one industry.
    industry: Option<Industry>,
    /// Version of the privacy notice that was shown and agreed to (CQ1); needed of whoever is not known.
    consent_version: Option<u16>,
    /// Whether I am not the person who is registered with this number, and begin anew: to be sent only after whoever registers was asked. The person
    /// before is reached by the number no more.
    #[serde(default)]
    begin_anew: bool,
    /// What kind of device signs in, in a word, to be told apart in one's own list: up to 40 characters.
    #[schema(example = "iPhone")]
    device: Option<String>,
}

/// A registered resident's way in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    /// The resident's number.
    resident_no: u32,
    /// Bearer token of the app; shown once.
    token: String,
}

/// Register with the code from the SMS
///
/// Whoever is known by the number is signed in on one more device. Where it is in doubt whether they are that person, the answer is a question and the
/// code stays good: `somebody_registered` when another name or document is said than before, to be sent again without it by whoever is that person;
/// `number_long_silent` when nothing was heard of that person for long, to be sent again with their name and the document that they proved. Whoever
/// is not that person sends `begin_anew`: nothing of the one before is shown, and their devices are signed out. A request that brings the token of the
/// person who is known is theirs in any case.
#[utoipa::path(post, path = "/api/v1/registration", request_body = Registration,
    responses((status = 201, description = "Registered and signed in", body = Registered),
        (status = 409, description = "Somebody is registered with this number: is that you?")))]
async fn register(
    State(service): State<Service>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<Registration>,
) -> Result<(StatusCode, axum::Json<Registered>), Problem> {
    let phone = parse_phone(&request.phone)?;
    if request.consent_version.is_some_and(|version| version != consent::CURRENT_VERSION) {
        return Err(Error::ConsentMissing { current: consent::CURRENT_VERSION }.into());
    }
    let said = Said::read(&service, &request)?;
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    let right = codes::compare(&service, Opens::Registration, &hash, &request.request, &request.code).await?;

    let (platform, now) = (&service.platform, service.platform.clock.now());
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let signed_in = match presented(&headers) {
        Some(token) => session::owner(&mut tx, token, service.settings.sign_in_terms(), now).await?,
        None => None,
    };
    let known = Known::by(&mut tx, &service, &hash, now).await?;
    let same = match &known {
        Some(known) => match known.owner(&said, request.begin_anew, signed_in, &service) {
            Owner::Same => Some(known),
            Owner::New => None,
            Owner::InDoubt(doubt) => return Err(Error::WhoseNumber(doubt).into()),
        },
        None => None,
    };
    // Only who reads the number's messages gets so far, and their code stays good until they have said what is missing.
    if same.is_none() {
        said.suffices()?;
    }
    right.use_up_from(&service, from).await?;
    let stored = match (same, &known) {
        (Some(known), _) => {
            change(&mut tx, known.stored, &said).await?;
            if signed_in.is_none() && known.elsewhere {
                notices::tell(&mut tx, known.stored, NoticeKind::SignedInElsewhere, None, now).await?;
            }
            known.stored
        }
        (None, Some(former)) => {
            former::number_went(&mut tx, former.stored, now).await?;
            begin(&mut tx, &Kept::of(&service, &phone), &said, now).await?
        }
        (None, None) => begin(&mut tx, &Kept::of(&service, &phone), &said, now).await?,
    };
    if let Some(document) = said.document {
        claim::note(&mut tx, stored, document).await?;
    }
    if said.consents {
        consent_to_current(&mut tx, stored, now).await?;
    }
    let no = directory::resident_no(stored);
    let token = session::open(&mut tx, no, said.device.as_deref(), now).await?;
    // A claim finds no records: only the number is told.
    tx.publish(SCHEMA, &ResidentRegistered { resident_no: no.get(), phone_hash: hash.to_vec(), identity_hash: None })
        .await
        .map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::CREATED, axum::Json(Registered { resident_no: no.get(), token })))
}

/// What somebody says about themselves, checked.
struct Said {
    name: Option<String>,
    name_sealed: Option<Vec<u8>>,
    document: Option<Document>,
    place: Option<Place>,
    language: Option<Language>,
    industry: Option<Industry>,
    consents: bool,
    device: Option<String>,
}

impl Said {
    fn read(service: &Service, request: &Registration) -> Result<Self, Error> {
        let keyring = &service.platform.keyring;
        let document = match &request.identity_number {
            Some(number) => Some(identity::read(number, request.identity_kind, request.identity_country.as_deref())?),
            None => None,
        };
        let name = profile::parse_name(request.name.clone())?;
        Ok(Self {
            name_sealed: name.as_ref().map(|name| keyring.seal(Purpose::ResidentName, name.as_bytes()).into_bytes()),
            name,
            document: document.map(|document| Document { hash: directory::identity_hash(keyring, &document), kind: document.kind() }),
            place: request.community.map(Place::of).transpose()?,
            language: request.language,
            industry: request.industry,
            consents: request.consent_version.is_some(),
            device: device(request.device.as_deref()),
        })
    }

    /// Whether it is enough to begin with.
    fn suffices(&self) -> Result<(), Error> {
        if !self.consents {
            return Err(Error::ConsentMissing { current: consent::CURRENT_VERSION });
        }
        if self.place.is_none() {
            return Err(Error::Invalid(vec![FieldFault::new(
                "community",
                "请选择您住的社区或村。",
                "Choose the community or village where you live.",
            )]));
        }
        Ok(())
    }
}

/// A short word, for one's own list; nothing hangs on it.
fn device(said: Option<&str>) -> Option<String> {
    let word: String = said?.trim().chars().filter(|c| !c.is_control()).take(40).collect();
    (!word.is_empty()).then_some(word)
}

/// The token that the request brings beside the code.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who had the number until now.
struct Known {
    stored: i32,
    name: Option<String>,
    /// The document that is theirs, or that they say is.
    document: Option<Document>,
    /// Whether it is proved by more than the word of whoever registered.
    proved: bool,
    /// When anything was heard of them last.
    heard_of: DateTime<Utc>,
    /// Whether they are signed in on some device.
    elsewhere: bool,
    now: DateTime<Utc>,
}

impl Known {
    /// Who has the number; whoever else registers with it waits until this transaction ends.
    async fn by(tx: &mut Tx, service: &Service, phone_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Self>, Error> {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 1))", &phone_hash[..])
            .execute(&mut **tx)
            .await
            .map_err(Error::database("waiting for a number"))?;
        let idle_since = now - service.settings.sign_in_terms().idle;
        let row = sqlx::query!(
            r#"select resident_no, name_sealed, identity_hash, identity_kind, identity_proof, claimed_hash, claimed_kind,
                   exists (select from resident.session s where s.resident_no = r.resident_no and ended_at is null
                              and greatest(last_used_at, counts_from) >= $2) as "elsewhere!"
                 from resident.resident r where phone_hash = $1 for update"#,
            &phone_hash[..],
            idle_since
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("finding whose a number is"))?;
        let Some(row) = row else { return Ok(None) };
        let document = match (row.identity_hash, row.claimed_hash) {
            (Some(hash), _) => Some(Document::stored(&hash, row.identity_kind.as_deref())?),
            (None, Some(hash)) => Some(Document::stored(&hash, row.claimed_kind.as_deref())?),
            (None, None) => None,
        };
        Ok(Some(Self {
            stored: row.resident_no,
            name: contact::open_text(&service.platform.keyring, Purpose::ResidentName, row.name_sealed)?,
            document,
            proved: binding::proof(row.identity_proof.as_deref()) != Proof::Earlier,
            heard_of: heard::last(tx, row.resident_no).await?,
            elsewhere: row.elsewhere,
            now,
        }))
    }

    fn owner(&self, said: &Said, begins_anew: bool, signed_in: Option<ResidentNo>, service: &Service) -> Owner {
        let plain = |name: &Option<String>| name.as_deref().map(continuity::plain_name);
        let document = |document: &Option<Document>| document.map(|document| (document.kind, document.hash));
        let (said_document, stored_document) = (document(&said.document), document(&self.document));
        let evidence = Evidence {
            signed_in: signed_in == Some(directory::resident_no(self.stored)),
            begins_anew,
            silent_for: self.now - self.heard_of,
            name: Fact::of(plain(&said.name).as_ref(), plain(&self.name).as_ref(), false),
            identity: Fact::of_document(
                said_document.as_ref().map(|(kind, hash)| (*kind, hash)),
                stored_document.as_ref().map(|(kind, hash)| (*kind, hash)),
                self.proved,
            ),
        };
        evidence.owner(service.settings.silent_after())
    }
}

/// Somebody new, with this number.
async fn begin(tx: &mut Tx, phone: &Kept, said: &Said, now: DateTime<Utc>) -> Result<i32, Error> {
    let (place, language) = (said.place.as_ref(), said.language.unwrap_or_default());
    sqlx::query_scalar!(
        "insert into resident.resident (phone_hash, phone_sealed, name_sealed, district, township, community, industry, language, notices, registered_at,
             silence_from)
         values ($1, $2, $3, $4, $5, $6, $7, $8, true, $9, $9) returning resident_no",
        &phone.hash,
        &phone.sealed,
        said.name_sealed.as_deref(),
        place.map(|place| place.district) as Option<i32>,
        place.map(|place| place.township) as Option<i32>,
        place.map(|place| place.community) as Option<i64>,
        said.industry.map(|industry| industry.as_ref().to_owned()),
        language.as_ref(),
        now
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("registering a resident"))
}

/// The person who is known says more, or something else; what they leave out stays.
async fn change(tx: &mut Tx, stored: i32, said: &Said) -> Result<(), Error> {
    let place = said.place.as_ref();
    if said.name_sealed.is_none() && place.is_none() && said.industry.is_none() && said.language.is_none() {
        return Ok(());
    }
    sqlx::query!(
        "update resident.resident set name_sealed = coalesce($2, name_sealed), district = coalesce($3, district), township = coalesce($4, township),
             community = coalesce($5, community), industry = coalesce($6, industry), language = coalesce($7, language)
         where resident_no = $1",
        stored,
        said.name_sealed,
        place.map(|place| place.district),
        place.map(|place| place.township),
        place.map(|place| place.community),
        said.industry.map(|industry| industry.as_ref().to_owned()),
        said.language.map(|language| language.as_ref().to_owned())
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("changing a resident"))?;
    Ok(())
}

/// A consent to the text in force that stands already stays as it is; one to an older text ends where the new one begins.
async fn consent_to_current(tx: &mut Tx, stored: i32, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update resident.consent set withdrawn_at = $2 where resident_no = $1 and withdrawn_at is null and version <> $3",
        stored,
        now,
        stored_version()
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("ending an older consent"))?;
    sqlx::query!(
        "insert into resident.consent (resident_no, version, told_at, given_at)
         select $1, $2, $3, $3 where not exists (select from resident.consent where resident_no = $1 and withdrawn_at is null)
         on conflict (resident_no, given_at) do update set withdrawn_at = null, withdrawn_by = null, withdrawn_from = null",
        stored,
        stored_version(),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("recording consent"))?;
    sqlx::query!("update resident.resident set notices = true where resident_no = $1 and not notices", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("resuming notices"))?;
    Ok(())
}

pub(crate) fn parse_phone(text: &str) -> Result<PhoneNumber, Error> {
    text.parse().map_err(|error: PhoneNumberError| Error::Invalid(vec![FieldFault::new("phone", error.chinese(), error.to_string())]))
}
