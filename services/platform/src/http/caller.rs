//! Who is calling: what an authenticator found out, and how a handler asks for it.

use std::fmt;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::address_block::{AddressBlock, any_contains};
use domain::area::{Area, DistrictCode};
use domain::ids::{ApiKeyId, ResidentNo, ScreenId, StaffId};
use domain::risk_record::{Origin, RecordKind};
use domain::second_factor::{self, Act, Needs, Proof};
use domain::second_person::StaffMember;
use domain::staff::{Role, Scope};
use http::StatusCode;
use http::request::Parts;
use proto::AuditEntry;
use uuid::Uuid;

use super::Problem;

/// A caller whose token was valid at the moment of the request.
#[derive(Debug, Clone, PartialEq)]
pub enum Caller {
    /// A member of staff with a session.
    Staff(StaffCaller),
    /// The same, before they have shown their second factor: nobody yet but to [`Access::SessionOwner`](super::Access::SessionOwner).
    Unproved(Unproved),
    /// A resident with a session of the app.
    Resident(ResidentCaller),
    /// A source system with an API key.
    Source(SourceCaller),
    /// A public display.
    Screen(ScreenCaller),
}

impl Caller {
    /// Whether `now` is the same caller with the same rights: when somebody last showed their second factor changes neither.
    pub(super) fn is_still(&self, now: &Self) -> bool {
        match (self, now) {
            (Self::Staff(then), Self::Staff(now)) => *then == StaffCaller { proof: then.proof, ..now.clone() },
            _ => self == now,
        }
    }
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq)]
pub struct StaffCaller {
    /// The account.
    pub id: StaffId,
    /// Name shown to colleagues.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where they are it.
    pub scope: Scope,
    /// From when on they may approve, confirm and send, if their account has to wait.
    pub acts_from: Option<DateTime<Utc>>,
    /// Reference of the session: a hash of its token, good for naming it, not for using it.
    pub session: String,
    /// What the session has shown beside the password.
    pub proof: Proof,
}

/// A member of staff whose session lacks the second factor. It is no [`StaffCaller`], so no handler takes it for one.
#[derive(Debug, Clone, PartialEq)]
pub struct Unproved {
    /// The account.
    pub id: StaffId,
    /// Name shown to colleagues.
    pub name: String,
    /// What they will be.
    pub role: Role,
    /// Where they will be it.
    pub scope: Scope,
    /// From when on they may approve, confirm and send, if their account has to wait.
    pub acts_from: Option<DateTime<Utc>>,
    /// Reference of the session.
    pub session: String,
    /// What it lacks.
    pub needs: Needs,
}

/// Whose session it is, proved or not: for what concerns the session itself and its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOwner {
    /// The account.
    pub id: StaffId,
    /// Name shown to colleagues.
    pub name: String,
    /// What they are, once it is proved.
    pub role: Role,
    /// Where they are it.
    pub scope: Scope,
    /// From when on they may approve, confirm and send, if their account has to wait.
    pub acts_from: Option<DateTime<Utc>>,
    /// Reference of the session.
    pub session: String,
    /// What it has shown, or lacks.
    pub standing: Result<Proof, Needs>,
}

impl SessionOwner {
    /// Refuses what changes their own factors to whoever has not shown one they have, or not lately. Who has none and must have one enrols it.
    pub fn may_change_factors(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        match self.standing {
            Ok(proof) => second_factor::permit(Act::ChangeOwnFactors, proof, now).map_err(|_| fresh_proof_needed()),
            Err(Needs::Enrolment) => Ok(()),
            Err(needs @ (Needs::Proof | Needs::Reset)) => Err(second_factor_needed(needs)),
        }
    }

    /// The trace of what they did.
    pub fn did(&self, action: &str, object_kind: &str, object: impl fmt::Display, at: DateTime<Utc>) -> AuditEntry {
        entry(self.id, self.role, action, object_kind, object, at)
    }
}

impl From<StaffCaller> for SessionOwner {
    fn from(caller: StaffCaller) -> Self {
        let StaffCaller { id, name, role, scope, acts_from, session, proof } = caller;
        Self { id, name, role, scope, acts_from, session, standing: Ok(proof) }
    }
}

impl From<Unproved> for SessionOwner {
    fn from(caller: Unproved) -> Self {
        let Unproved { id, name, role, scope, acts_from, session, needs } = caller;
        Self { id, name, role, scope, acts_from, session, standing: Err(needs) }
    }
}

impl StaffCaller {
    /// As the rules about two people know staff.
    pub fn member(&self) -> StaffMember {
        StaffMember { id: self.id, role: self.role, active: true, acts_from: self.acts_from }
    }

    /// Refuses with `account_too_new` while the account waits: asked by everything that approves, confirms or sends, and by nothing else.
    pub fn may_act(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        match self.acts_from {
            Some(from) if !self.member().acts_at(now) => Err(account_too_new(from, now)),
            _ => Ok(()),
        }
    }

    /// Refuses with `fresh_proof_needed` what takes the second factor once more ([`domain::second_factor::permit`]).
    pub fn must_have_proved(&self, act: Act, now: DateTime<Utc>) -> Result<(), Problem> {
        second_factor::permit(act, self.proof, now).map_err(|_| fresh_proof_needed())
    }

    /// Refuses with `outside_scope` unless the caller's scope covers the area.
    pub fn must_cover(&self, area: Area) -> Result<(), Problem> {
        if self.scope.covers(area) { Ok(()) } else { Err(outside_scope()) }
    }

    /// The same for an alert of this district. One of the whole city (none) reaches people of every district: everybody may see it.
    pub fn must_cover_alert_of(&self, district: Option<DistrictCode>) -> Result<(), Problem> {
        district.map_or(Ok(()), |district| self.must_cover(Area::District(district)))
    }

    /// The trace of what they did, to be published in the transaction that did it: `action` such as `alert.approve`, on the
    /// object of this kind and name. District and details are added with `AuditEntry { district, detail_json, ..caller.did(…) }`;
    /// details never hold personal data.
    pub fn did(&self, action: &str, object_kind: &str, object: impl fmt::Display, at: DateTime<Utc>) -> AuditEntry {
        entry(self.id, self.role, action, object_kind, object, at)
    }
}

fn entry(id: StaffId, role: Role, action: &str, object_kind: &str, object: impl fmt::Display, at: DateTime<Utc>) -> AuditEntry {
    AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "staff".to_owned(),
        actor: id.to_string(),
        role: role.to_string(),
        action: action.to_owned(),
        object_kind: object_kind.to_owned(),
        object: object.to_string(),
        district: None,
        at_ms: at.timestamp_millis(),
        detail_json: "{}".to_owned(),
        ..AuditEntry::default()
    }
}

/// A resident, known by number only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidentCaller {
    /// The resident's number.
    pub no: ResidentNo,
}

/// A source system (CQ6).
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCaller {
    /// The key that was presented.
    pub key_id: ApiKeyId,
    /// Name of the unit that holds the key.
    pub unit: String,
    /// Which of the three kinds of source it is.
    pub origin: Origin,
    /// The city, or the one district that it may report for.
    pub area: Area,
    /// Kinds of record that it may deliver.
    pub kinds: Vec<RecordKind>,
    /// For which purposes it may ask whether something stands against a person.
    pub asks: Vec<String>,
    /// From where its key is good; none: from everywhere.
    pub networks: Vec<AddressBlock>,
}

impl SourceCaller {
    /// Whether its key is good from this address.
    pub(super) fn is_at_home(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || any_contains(&self.networks, address)
    }

    /// Whether the source may deliver a record of this kind for this district.
    pub fn may_deliver(&self, kind: RecordKind, district: DistrictCode) -> bool {
        self.kinds.contains(&kind) && self.area.contains(Area::District(district))
    }
}

/// A public display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenCaller {
    /// The screen.
    pub id: ScreenId,
}

/// The key is good, and not from here: somebody else may have it.
pub(super) fn key_elsewhere() -> Problem {
    Problem::forbidden(
        "key_elsewhere",
        "此接口密钥只能从约定的网络使用，已拒绝并留痕。如网络有变，请联系两位管理员变更；如非本单位操作，请立即请管理员吊销。",
        "This key is good from its own networks only: the request was refused and traced. If the networks have changed, ask two \
         administrators; if it was not you, have the key revoked at once.",
    )
}

fn account_too_new(from: DateTime<Utc>, now: DateTime<Utc>) -> Problem {
    let (left, from) = ((from - now).to_std().unwrap_or_default(), from.to_rfc3339_opts(SecondsFormat::Secs, true));
    let hours = left.as_secs().div_ceil(3600);
    Problem::forbidden(
        "account_too_new",
        format!(
            "账号新建、变更或重置后须等待一段时间，约 {hours} 小时后（{from}）方可审批、确认和发送。如确有需要，可由两位管理员提前解除。"
        ),
        format!(
            "The account is new, was changed or reset: it may approve, confirm and send in about {hours} hours ({from}). \
             Two administrators can lift this."
        ),
    )
    .retry_after(left)
}

pub(super) fn second_factor_needed(needs: Needs) -> Problem {
    let (detail, detail_en) = match needs {
        Needs::Proof => (
            "登录尚未完成：请出示动态口令、通行密钥或恢复码。",
            "You are not signed in yet: show a code, a passkey or a recovery code (POST /api/v1/session/proof).",
        ),
        Needs::Enrolment => (
            "此账号须先登记第二因素（动态口令或通行密钥）才能使用。",
            "This account needs a second factor before it can do anything: enrol an authenticator app or a passkey (POST /api/v1/session/factors).",
        ),
        Needs::Reset => (
            "此账号未登记第二因素，仅凭密码已不能登记：请由两位管理员重置账号，用新的激活码登录后再登记。",
            "This account has no second factor, and a password no longer enrols one: two administrators reset the account, and its new code does.",
        ),
    };
    Problem::forbidden("second_factor_needed", detail, detail_en)
}

fn fresh_proof_needed() -> Problem {
    Problem::forbidden(
        "fresh_proof_needed",
        "此操作须再次验证本人：请出示动态口令、通行密钥或恢复码，然后重新提交。",
        "This takes your second factor once more: show a code, a passkey or a recovery code (POST /api/v1/session/proof) and send it again.",
    )
}

fn outside_scope() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "outside_scope",
        "该对象不在您的管辖范围内，请联系所属区县或市级指挥部处理。",
        "This lies outside your area. Ask the district in charge or the city command.",
    )
}

/// A handler that asks for a kind of caller which its access rule does not provide: refused, never let in.
fn other_kind(wanted: &'static str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "caller_not_allowed",
        "当前身份不能使用此接口，请换用正确的账号。",
        format!("This call is for {wanted} callers. Use an account of that kind."),
    )
}

macro_rules! caller_extractor {
    ($($caller:ident = $variant:ident $wanted:literal),+ $(,)?) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $caller {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
                match parts.extensions.get::<Caller>() {
                    Some(Caller::$variant(caller)) => Ok(caller.clone()),
                    _ => Err(other_kind($wanted)),
                }
            }
        }
    )+};
}

caller_extractor! {
    StaffCaller = Staff "staff",
    ResidentCaller = Resident "resident",
    SourceCaller = Source "source system",
    ScreenCaller = Screen "screen",
}

/// For routes that are there before a session was proved.
impl<S: Send + Sync> FromRequestParts<S> for SessionOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::Staff(caller)) => Ok(caller.clone().into()),
            Some(Caller::Unproved(caller)) => Ok(caller.clone().into()),
            _ => Err(other_kind("staff")),
        }
    }
}

/// For routes that admit more than one kind of caller.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| other_kind("signed-in"))
    }
}
