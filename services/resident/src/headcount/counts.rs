//! What is told of an audience: how many people, where, and how they would be reached.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use domain::area::{CommunityCode, DistrictCode, TownshipCode};
use domain::outcome::Channel;
use serde::Serialize;
use utoipa::ToSchema;

/// By which ways somebody is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) apns: bool,
    pub(super) fcm: bool,
    pub(super) web: bool,
    pub(super) sms: bool,
    pub(super) drill: bool,
}

/// People, and how an alert would reach them first (CQ9): `app` + `sms` + `unreachable` are `people`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Residents selected.
    pub people: i64,
    /// Of them: reached by the app.
    pub app: i64,
    /// Of those reached by the app: by APNs. Whoever has both kinds of device is in `fcm` as well.
    pub apns: i64,
    /// Of those reached by the app: by FCM.
    pub fcm: i64,
    /// Of those reached by the app: in a browser, by Web Push. Whoever has a phone's app too is counted there as well.
    pub web: i64,
    /// Of them: without the app, reached by SMS.
    pub sms: i64,
    /// Of them: neither, for instance after withdrawing consent.
    pub unreachable: i64,
}

/// The size of an audience, exact as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AudienceCounts {
    /// Everybody in it.
    #[serde(flatten)]
    pub everybody: Counts,
    /// Who of them is enrolled for exercises: whom an exercise would reach.
    pub drill: Counts,
    /// Everybody by district; only districts with somebody. Residents named by number who are no longer registered live nowhere.
    pub districts: BTreeMap<DistrictCode, Counts>,
    /// How many people by township; only townships with somebody.
    pub townships: BTreeMap<TownshipCode, i64>,
}

impl Counts {
    /// So many people who are reached by these ways.
    pub(super) fn of(ways: Ways, people: i64) -> Self {
        let channel = Channel::first(ways.apns || ways.fcm || ways.web, ways.sms);
        let if_so = |applies: bool| if applies { people } else { 0 };
        Self {
            people,
            app: if_so(channel == Some(Channel::App)),
            apns: if_so(channel == Some(Channel::App) && ways.apns),
            fcm: if_so(channel == Some(Channel::App) && ways.fcm),
            web: if_so(channel == Some(Channel::App) && ways.web),
            sms: if_so(channel == Some(Channel::Sms)),
            unreachable: if_so(channel.is_none()),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.people += other.people;
        self.app += other.app;
        self.apns += other.apns;
        self.fcm += other.fcm;
        self.web += other.web;
        self.sms += other.sms;
        self.unreachable += other.unreachable;
    }
}

impl AudienceCounts {
    /// With these people of a community.
    pub(super) fn add(&mut self, community: CommunityCode, everybody: Counts, drill: Counts) {
        self.everybody += everybody;
        self.drill += drill;
        *self.districts.entry(community.district()).or_default() += everybody;
        *self.townships.entry(community.township()).or_default() += everybody.people;
    }

    /// Without the places that nobody is left in.
    pub(super) fn without_empty_places(mut self) -> Self {
        self.districts.retain(|_, counts| counts.people != 0);
        self.townships.retain(|_, people| *people != 0);
        self
    }
}
