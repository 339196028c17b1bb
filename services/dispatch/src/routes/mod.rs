//! What staff see and do: how an alert's delivery goes, and the follow-up items of their area.

mod acknowledged;
mod approved;
mod delivery;
mod exports;
mod follow_ups;
mod in_danger;
mod live;
mod proof;
mod running;
mod sending_again;
mod series;
mod shared;
mod visits;
mod waves;
mod withdrawn_for;
mod wrote_back;

use domain::forecast::TOLD_OF_DANGER;
use domain::staff::Role;
use platform::Platform;
use platform::http::{Access, Limits, Routes, routes};

use crate::settings::Settings;

use shared::Shared;

pub(crate) const WATCHERS: &[Role] =
    &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor];
/// Who decides about an approved alert.
const OFFICERS: &[Role] = &[Role::CityCommandOfficer];
const VISITORS: &[Role] = &[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer];

pub(crate) fn routes(platform: &Platform, settings: &Settings) -> Routes {
    Routes::new("dispatch")
        .allow(Access::Staff(WATCHERS), routes!(delivery::delivery))
        .allow(Access::Staff(WATCHERS), routes!(running::running))
        .allow(Access::Staff(WATCHERS), routes!(series::series))
        .allow(Access::Staff(TOLD_OF_DANGER), routes!(in_danger::in_danger))
        .allow_within(Limits::stream(), Access::Staff(WATCHERS), routes!(live::live))
        .allow(Access::Staff(OFFICERS), routes!(sending_again::send_again))
        .allow(Access::Staff(OFFICERS), routes!(proof::go_on))
        .allow_within(Limits::stream(), Access::Staff(WATCHERS), routes!(exports::deliveries))
        .allow_within(Limits::stream(), Access::Staff(VISITORS), routes!(exports::follow_ups))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::list))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::enter_outcome))
        .with_state(Shared::of(platform, settings))
}
