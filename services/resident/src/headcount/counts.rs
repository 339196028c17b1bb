//! What is told of an audience: how many people, where, and how they would be reached.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use domain::area::{CommunityCode, DistrictCode, TownshipCode};
use domain::headcount::HeadCount;
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

/// People, and how an alert would reach them first (CQ9): `app` + `sms` + `unreachable` are `people`. Exact, so it is told to nobody: what staff
/// are told is [`ToldCounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// The size of an audience, exact as of one moment; what staff are told is [`ToldAudience`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudienceCounts {
    /// Everybody in it.
    pub everybody: Counts,
    /// Who of them is enrolled for exercises: whom an exercise would reach.
    pub drill: Counts,
    /// Everybody by district; only districts with somebody. Residents named by number who are no longer registered live nowhere.
    pub districts: BTreeMap<DistrictCode, Counts>,
    /// How many people by township; only townships with somebody.
    pub townships: BTreeMap<TownshipCode, i64>,
}

/// People, and how an alert would reach them first (CQ9), in tens; 9 stands for fewer than ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct ToldCounts {
    /// Residents selected.
    pub people: HeadCount,
    /// Of them: reached by the app.
    pub app: HeadCount,
    /// Of those reached by the app: by APNs. Whoever has both kinds of device is in `fcm` as well.
    pub apns: HeadCount,
    /// Of those reached by the app: by FCM.
    pub fcm: HeadCount,
    /// Of those reached by the app: in a browser, by Web Push. Whoever has a phone's app too is counted there as well.
    pub web: HeadCount,
    /// Of them: without the app, reached by SMS.
    pub sms: HeadCount,
    /// Of them: neither, for instance after withdrawing consent.
    pub unreachable: HeadCount,
}

/// The size of an audience as of one moment, in tens (CQ14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AudienceCounts)]
pub struct ToldAudience {
    /// Everybody in it.
    #[serde(flatten)]
    everybody: ToldCounts,
    /// Who of them is enrolled for exercises: whom an exercise would reach.
    drill: ToldCounts,
    /// Everybody by district; only districts with ten people and more. Residents named by number who are no longer registered live nowhere.
    districts: BTreeMap<DistrictCode, ToldCounts>,
    /// How many people by township; only townships with ten people and more.
    townships: BTreeMap<TownshipCode, HeadCount>,
}

impl Counts {
    /// As it may be told.
    pub fn told(&self) -> ToldCounts {
        let told = |people: i64| HeadCount::of(people.max(0).unsigned_abs());
        ToldCounts {
            people: told(self.people),
            app: told(self.app),
            apns: told(self.apns),
            fcm: told(self.fcm),
            web: told(self.web),
            sms: told(self.sms),
            unreachable: told(self.unreachable),
        }
    }
}

impl AudienceCounts {
    /// As it may be told.
    pub fn told(&self) -> ToldAudience {
        let districts = self.districts.iter().map(|(district, counts)| (*district, counts.told()));
        let townships = self.townships.iter().map(|(township, people)| (*township, HeadCount::of((*people).max(0).unsigned_abs())));
        ToldAudience {
            everybody: self.everybody.told(),
            drill: self.drill.told(),
            districts: districts.filter(|(_, counts)| !counts.people.is_few()).collect(),
            townships: townships.filter(|(_, people)| !people.is_few()).collect(),
        }
    }
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
