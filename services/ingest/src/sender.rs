//! Who delivers, and what they may deliver.
//!
//! A source system delivers its kinds for its area, under its own origin. Staff enter records by hand within their scope, a
//! community worker community reports of the own community only.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode};
use domain::risk_record::{Origin, RecordKind};
use domain::staff::{Role, Scope};
use platform::http::{Caller, FieldFault, SourceCaller, StaffCaller};
use proto::AuditEntry;
use uuid::Uuid;

use crate::reason;

/// Staff who may enter records.
pub(crate) const ROLES: &[Role] = &[Role::SubmittingUnit, Role::DistrictReviewer, Role::CommunityWorker];

/// The sender of a load.
#[derive(Clone, Debug)]
pub struct Sender {
    source: String,
    authority: Authority,
}

#[derive(Clone, Debug)]
enum Authority {
    Source(SourceCaller),
    Staff(StaffCaller),
}

impl Sender {
    /// The caller as a sender; none for callers that deliver nothing.
    pub fn of(caller: Caller) -> Option<Self> {
        match caller {
            Caller::Source(source) => Some(Self { source: source.unit.clone(), authority: Authority::Source(source) }),
            Caller::Staff(staff) => Some(Self { source: format!("staff:{}", staff.id), authority: Authority::Staff(staff) }),
            Caller::Unproved(_) | Caller::Resident(_) | Caller::Screen(_) => None,
        }
    }

    /// The name under which its records are kept.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The caller that it is.
    pub(crate) fn caller(&self) -> Caller {
        match &self.authority {
            Authority::Source(source) => Caller::Source(source.clone()),
            Authority::Staff(staff) => Caller::Staff(staff.clone()),
        }
    }

    /// The area that answers for what it delivers: its own, or the city.
    pub(crate) fn area(&self) -> Area {
        match &self.authority {
            Authority::Source(source) => source.area,
            Authority::Staff(staff) => staff.scope.district().map_or(Area::City, Area::District),
        }
    }

    /// The member of staff, if it is one.
    pub(crate) fn staff(&self) -> Option<&StaffCaller> {
        match &self.authority {
            Authority::Source(_) => None,
            Authority::Staff(staff) => Some(staff),
        }
    }

    /// The trace of what it did: a source opens what it has delivered as staff do, and leaves the same trace.
    pub(crate) fn did(&self, action: &str, object_kind: &str, object: impl fmt::Display, at: DateTime<Utc>) -> AuditEntry {
        match &self.authority {
            Authority::Staff(staff) => staff.did(action, object_kind, object, at),
            Authority::Source(source) => AuditEntry {
                entry_id: Uuid::now_v7().to_string(),
                actor_kind: "source".to_owned(),
                actor: source.key_id.to_string(),
                action: action.to_owned(),
                object_kind: object_kind.to_owned(),
                object: object.to_string(),
                at_ms: at.timestamp_millis(),
                detail_json: "{}".to_owned(),
                ..AuditEntry::default()
            },
        }
    }

    /// The origin of a record that names this one, or none.
    pub(crate) fn origin(&self, said: Option<Origin>) -> Result<Origin, FieldFault> {
        let (own, any) = match &self.authority {
            Authority::Source(source) => (source.origin, false),
            Authority::Staff(staff) if staff.role == Role::CommunityWorker => (Origin::Grassroots, false),
            Authority::Staff(_) => (Origin::Surveillance, true),
        };
        match said {
            Some(said) if any || said == own => Ok(said),
            Some(_) => Err(reason::origin_not_allowed()),
            None => Ok(own),
        }
    }

    /// The community that a record without one is about: the worker's own.
    pub(crate) fn community(&self) -> Option<CommunityCode> {
        match &self.authority {
            Authority::Staff(StaffCaller { scope: Scope::Community(community), .. }) => Some(*community),
            _ => None,
        }
    }

    /// Whether records of this kind may be delivered at all.
    pub(crate) fn may_deliver_kind(&self, kind: RecordKind) -> Result<(), FieldFault> {
        let may = match &self.authority {
            Authority::Source(source) => source.kinds.contains(&kind),
            Authority::Staff(staff) => staff.role != Role::CommunityWorker || kind == RecordKind::CommunityReport,
        };
        if may { Ok(()) } else { Err(reason::kind_not_allowed()) }
    }

    /// Whether a record of this kind may be delivered for this area.
    pub(crate) fn may_deliver(&self, kind: RecordKind, district: DistrictCode, community: Option<CommunityCode>) -> Result<(), FieldFault> {
        match &self.authority {
            Authority::Source(source) if source.may_deliver(kind, district) => Ok(()),
            Authority::Source(_) => Err(reason::area_not_allowed("district")),
            Authority::Staff(staff) => {
                let (area, field) = match (staff.scope, community) {
                    (Scope::Community(_), Some(community)) => (Area::Community(community), "community"),
                    _ => (Area::District(district), "district"),
                };
                if staff.scope.covers(area) { Ok(()) } else { Err(reason::area_not_allowed(field)) }
            }
        }
    }
}
