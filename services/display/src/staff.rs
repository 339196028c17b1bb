//! What staff call: the registry of screens, and which screens showed an alert.

use axum::{extract::State, http::StatusCode};
use chrono::TimeDelta;
use domain::{
    area::Area,
    ids::{AlertId, ScreenId},
    language::Language,
    place,
    second_factor::Act,
    staff::Role,
};
use platform::http::{Access, FieldFault, Json, Path, PathId, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Display,
    playlist::{Form, Profile},
    plays::{self, Showing},
    screens::{self, NewScreen, Screen},
};

const REGISTRARS: Access = Access::Staff(&[Role::Administrator, Role::CityCommandOfficer]);
const VIEWERS: Access = Access::Staff(&[
    Role::Administrator,
    Role::CityCommandOfficer,
    Role::DistrictReviewer,
    Role::CommunityWorker,
    Role::TechnicalOperator,
    Role::Auditor,
]);

/// The longest name and place, in characters.
const NAME_LIMIT: usize = 100;

pub(crate) fn routes() -> Routes<Display> {
    Routes::new("screens")
        .allow(REGISTRARS, routes!(register))
        .allow(VIEWERS, routes!(list))
        .allow(REGISTRARS, routes!(retire))
        .allow(VIEWERS, routes!(of_alert))
}

/// A screen to register.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScreenRegistration)]
struct Registration {
    /// Its name, up to 100 characters.
    #[schema(example = "江北机场 T3 到达层 2 号屏")]
    name: String,
    /// Where it hangs, as people say it, up to 100 characters.
    #[schema(example = "江北国际机场 T3 航站楼")]
    place: String,
    /// Where it hangs: it shows what concerns this area.
    area: Area,
    /// What it is read in, in this order; Chinese if none is named.
    #[serde(default)]
    languages: Vec<Language>,
    /// One scrolling line, or the whole face.
    form: Form,
    /// Whether it shows exercises: only for screens that nobody but the participants sees.
    #[serde(default)]
    drill: bool,
}

/// A registered screen with its key.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredScreen)]
struct Registered {
    /// Its id.
    screen_id: ScreenId,
    /// Its key, to be entered on the screen now: it is shown this once.
    key: String,
}

/// Register a screen
#[utoipa::path(post, path = "/api/v1/screens", request_body = Registration,
    responses((status = 201, description = "Registered; the key is shown this once", body = Registered)))]
async fn register(
    State(display): State<Display>,
    staff: StaffCaller,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    staff.must_cover(registration.area)?;
    staff.must_have_proved(Act::IssueKey, display.platform.clock.now())?;
    let screen = registration.checked()?;
    let (screen_id, key) = screens::register(&display.platform, &screen, staff.id).await?;
    Ok((StatusCode::CREATED, Json(Registered { screen_id, key: key.into_text() })))
}

impl Registration {
    fn checked(self) -> Result<NewScreen, Problem> {
        let mut faults = Vec::new();
        for (field, text) in [("name", &self.name), ("place", &self.place)] {
            let text = text.trim();
            if text.is_empty() || text.chars().count() > NAME_LIMIT || text.chars().any(char::is_control) {
                faults.push(FieldFault::new(field, "需为 1 至 100 个字符，不含换行", "takes 1 to 100 characters on one line"));
            }
        }
        if !place::knows(self.area) {
            faults.push(FieldFault::new("area", "本市没有此区域", "the city has no such area"));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let mut languages = Vec::new();
        for language in self.languages {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        if languages.is_empty() {
            languages.push(Language::ZhCn);
        }
        Ok(NewScreen {
            name: self.name.trim().to_owned(),
            place: self.place.trim().to_owned(),
            profile: Profile { area: self.area, languages, form: self.form, drill: self.drill },
        })
    }
}

/// Which screens to list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that have been silent for too long.
    #[serde(default)]
    stale: bool,
}

/// List the screens of one's own area
#[utoipa::path(get, path = "/api/v1/screens", params(Which),
    responses((status = 200, description = "Screens in use, by name", body = Vec<Screen>)))]
async fn list(State(display): State<Display>, staff: StaffCaller, Query(which): Query<Which>) -> Result<Json<Vec<Screen>>, Problem> {
    let stale_before = display.platform.clock.now() - TimeDelta::seconds(display.settings.stale_after_s.into());
    let mut screens = screens::list(&display.platform, stale_before).await?;
    screens.retain(|screen| staff.scope.covers(screen.area) && (screen.stale || !which.stale));
    Ok(Json(screens))
}

/// Retire a screen
///
/// Its key is worth nothing from now on, and its event stream ends with the next change.
#[utoipa::path(delete, path = "/api/v1/screens/{id}", params(("id" = ScreenId, Path, description = "The screen")),
    responses((status = 204, description = "Retired")))]
async fn retire(State(display): State<Display>, staff: StaffCaller, Path(id): PathId<ScreenId>) -> Result<StatusCode, Problem> {
    staff.must_cover(screens::area_of(&display.platform, id).await?)?;
    screens::retire(&display.platform, id, staff.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which screens showed an alert
///
/// Staff see the screens of their own area.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/screens", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Screens that fetched it, and what they showed", body = Vec<Showing>)))]
async fn of_alert(State(display): State<Display>, staff: StaffCaller, Path(id): PathId<AlertId>) -> Result<Json<Vec<Showing>>, Problem> {
    let mut showings = plays::of_alert(&display.platform, id).await?;
    showings.retain(|showing| staff.scope.covers(showing.area));
    Ok(Json(showings))
}
