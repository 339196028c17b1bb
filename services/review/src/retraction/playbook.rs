//! Who may take an alert back now, and what is to be done, in order: at Pickering it took 108 minutes because nobody knew.
//!
//! Names, roles and places are what every colleague may know of every other. Whether somebody is there is known only as far as they have signed in;
//! where nobody but the caller is, that is said, with what to do.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert_state::Actor;
use domain::ids::{AlertId, StaffId};
use domain::retraction::{self as rules, Asked, Kind, Person, Progress, Standing};
use domain::staff::{Role, Scope};
use platform::database::{Connection, readable};
use platform::http::{Access, Path, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::kept::{self, Retraction};
use super::{is_handed, standing};
use crate::reading::{self, READING};
use crate::store::{self, Alert};
use crate::{Error, Service};

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(read))
}

/// Who may take an alert back now, and how.
#[derive(Serialize, ToSchema)]
#[schema(as = RetractionPlaybook)]
pub(super) struct Playbook {
    steps: Vec<PlaybookStep>,
    /// Who may ask for it now, those first who have signed in.
    ask: Vec<PlaybookPerson>,
    /// Who may confirm it now: what waits, or what the caller would ask for.
    confirm: Vec<PlaybookPerson>,
    /// How many of those who may confirm have signed in.
    signed_in: usize,
    /// What to do where nobody is there to confirm.
    note: Option<PlaybookNote>,
}

/// One thing to do.
#[derive(Serialize, ToSchema)]
struct PlaybookStep {
    title: &'static str,
    title_en: &'static str,
    who: &'static str,
    who_en: &'static str,
    done: bool,
}

/// Somebody who may do it.
#[derive(Serialize, ToSchema)]
struct PlaybookPerson {
    id: StaffId,
    name: String,
    role: Role,
    #[schema(value_type = String, example = "city")]
    scope: Scope,
    /// When they signed in to a session that has not ended. They may be away from the desk all the same.
    signed_in_at: Option<DateTime<Utc>>,
}

/// A sentence in both languages.
#[derive(Serialize, ToSchema)]
struct PlaybookNote {
    zh: &'static str,
    en: &'static str,
}

/// Who may take an alert back now, and what is to be done
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/playbook", operation_id = "read_playbook",
    params(("alert_id" = AlertId, Path, description = "The alert")), responses((status = 200, description = "As of now", body = Playbook)))]
async fn read(Shared(service): Shared<Service>, caller: StaffCaller, Path(id): Path<AlertId>) -> Result<axum::Json<Playbook>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    let standing = standing(&alert, is_handed(&mut connection, &alert).await?);
    let all = kept::of_alert(&mut connection, id).await?;
    let asked = all.iter().map(|retraction| retraction.asked).find(|asked| asked.progress == Progress::Asked);
    Ok(axum::Json(of(&service, &mut connection, &caller, &standing, &alert, asked.as_ref(), &all).await?))
}

/// The playbook of an alert as it stands.
pub(super) async fn of(
    service: &Service,
    connection: &mut Connection,
    caller: &StaffCaller,
    standing: &Standing,
    alert: &Alert,
    asked: Option<&Asked>,
    all: &[Retraction],
) -> Result<Playbook, Error> {
    let now = service.platform.clock.now();
    let officers = officers(connection, now).await?;
    let as_actor = |officer: &Officer| Actor::Staff { id: officer.id, role: officer.role, scope: officer.scope, involved: false };
    let kind = asked.map_or(Kind::Withdraw, |asked| asked.kind);
    // while nothing is asked for: whoever could confirm what the caller, or an officer of the city, would ask for
    let own = Person {
        id: caller.id,
        role: if rules::may_ask(standing, kind, &as_caller(caller), now).is_ok() { caller.role } else { Role::CityCommandOfficer },
    };
    let asked_or_own = asked.copied().unwrap_or(Asked { kind, by: own, progress: Progress::Asked });
    let ask: Vec<_> =
        officers.iter().filter(|officer| rules::may_ask(standing, kind, &as_actor(officer), now).is_ok()).map(Officer::shown).collect();
    let confirm: Vec<_> = officers
        .iter()
        .filter(|officer| rules::may_confirm(&asked_or_own, standing, &as_actor(officer), now).is_ok())
        .map(Officer::shown)
        .collect();
    let signed_in = confirm.iter().filter(|person: &&PlaybookPerson| person.signed_in_at.is_some()).count();
    let stands = !ask.is_empty() || !confirm.is_empty();
    Ok(Playbook { steps: steps(alert, asked, all), note: note(stands, confirm.len(), signed_in), ask, confirm, signed_in })
}

const fn as_caller(caller: &StaffCaller) -> Actor {
    Actor::Staff { id: caller.id, role: caller.role, scope: caller.scope, involved: false }
}

fn steps(alert: &Alert, asked: Option<&Asked>, all: &[Retraction]) -> Vec<PlaybookStep> {
    let confirmed = all.iter().any(|retraction| retraction.asked.progress == Progress::Confirmed);
    let step = |title, title_en, who, who_en, done| PlaybookStep { title, title_en, who, who_en, done };
    vec![
        step(
            "停止推送：从这一刻起不再发出",
            "Stop: nothing more leaves from this moment on",
            "市级指挥部任一人",
            "any officer of the city command",
            alert.held.is_some() || confirmed,
        ),
        step(
            "提请撤回、解除或更正：用现成的文字，不必另写",
            "Ask for a withdrawal, an all-clear or a correction: the words stand ready",
            "市级指挥部任一人，或本区县审核员",
            "any officer of the city command, or a reviewer of its own district",
            asked.is_some() || confirmed,
        ),
        step(
            "第二人核对并确认：两人中至少一人来自市级指挥部",
            "A second person checks and confirms: one of the two is of the city command",
            "提请人以外的另一人",
            "somebody else than who asked",
            confirmed,
        ),
        step(
            "平台立即告知所有收到的人和显示它的屏幕；在推送进度中查看",
            "The platform tells everybody who has it, and the screens that show it; watch it in its delivery",
            "平台",
            "the platform",
            confirmed,
        ),
    ]
}

const fn note(stands: bool, confirm: usize, signed_in: usize) -> Option<PlaybookNote> {
    match (stands, confirm, signed_in) {
        (false, ..) => None,
        (true, 0, _) => Some(PlaybookNote {
            zh: "除提请人外，没有第二位有权确认的人员。请先停止推送；由两位管理员启用或新建一个市级指挥部账号，新账号的等待期可由两位管理员解除。",
            en: "Nobody but who asks may confirm it. Stop the alert first; two administrators can enable or make an account of the city command, and lift its waiting time.",
        }),
        (true, _, 0) => Some(PlaybookNote {
            zh: "有权确认的人员目前都没有登录。请先停止推送，再按值班表打电话请下列任一人登录确认。",
            en: "None of those who may confirm has signed in. Stop the alert first, then call any of the people below by the duty list and have them sign in.",
        }),
        _ => None,
    }
}

/// A member of staff in use, as identity shows them.
struct Officer {
    id: StaffId,
    name: String,
    role: Role,
    scope: Scope,
    signed_in_at: Option<DateTime<Utc>>,
}

impl Officer {
    fn shown(&self) -> PlaybookPerson {
        PlaybookPerson { id: self.id, name: self.name.clone(), role: self.role, scope: self.scope, signed_in_at: self.signed_in_at }
    }
}

/// Who speaks for a place and need not wait, those first who have signed in.
async fn officers(connection: &mut Connection, now: DateTime<Utc>) -> Result<Vec<Officer>, Error> {
    let roles: Vec<String> = super::asking::SPEAKING.iter().map(|role| role.as_ref().to_owned()).collect();
    let rows = sqlx::query!(
        r#"select staff_id as "staff_id!", name as "name!", role as "role!", scope as "scope!", signed_in_at, session_until
             from identity.officer
            where role = any($1) and (acts_from is null or acts_from <= $2)
            order by (session_until > $2) is not true, name"#,
        &roles,
        now
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("looking for who may take an alert back"))?;
    let officers = rows.into_iter().map(|row| {
        Ok::<_, Error>(Officer {
            id: StaffId::from_uuid(row.staff_id),
            name: row.name,
            role: row.role.parse().map_err(|_| Error::Stored { what: "role of an officer" })?,
            scope: row.scope.parse().map_err(|_| Error::Stored { what: "scope of an officer" })?,
            signed_in_at: row.signed_in_at.filter(|_| row.session_until.is_some_and(|until| until > now)),
        })
    });
    Ok(readable("officers", officers))
}
