//! What is told of an audience: how many people, where, and how they would be reached.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
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

/// The size of an audience as it may be told: the sum of the places it is made up of, each in tens by itself and nobody where they are fewer than
/// ten. A place of which everybody is asked for is one; otherwise those inside it are, down to communities. Which are taken hangs on the question
/// alone, never on who lives there, and nothing of who else is asked about shows in any of them, so nobody is found out by asking about others as
/// well (CQ14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundedCounts(AudienceCounts);

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

impl RoundedCounts {
    /// Of these communities: everybody there who is asked about, and who of them is enrolled for exercises. `is_whole` says of which places
    /// everybody is asked for.
    pub(super) fn of(communities: &BTreeMap<CommunityCode, (Counts, Counts)>, is_whole: impl Fn(Area) -> bool) -> Self {
        let mut townships: BTreeMap<TownshipCode, [Sum; 2]> = BTreeMap::new();
        for (community, (everybody, drill)) in communities {
            let [all, enrolled] = townships.entry(community.township()).or_default();
            all.add(everybody, &everybody.share());
            enrolled.add(drill, &drill.share());
        }
        let mut districts: BTreeMap<DistrictCode, [Sum; 2]> = BTreeMap::new();
        let mut told = AudienceCounts::default();
        for (township, sums) in &townships {
            let whole = is_whole(Area::Township(*township));
            for (district, sum) in districts.entry(township.district()).or_default().iter_mut().zip(sums) {
                district.add(&sum.exact, &sum.told(whole));
            }
            told.townships.insert(*township, sums[0].told(whole).people);
        }
        let mut city = [Sum::default(); 2];
        for (district, sums) in &districts {
            let whole = is_whole(Area::District(*district));
            for (city, sum) in city.iter_mut().zip(sums) {
                city.add(&sum.exact, &sum.told(whole));
            }
            told.districts.insert(*district, sums[0].told(whole));
        }
        let whole = is_whole(Area::City);
        (told.everybody, told.drill) = (city[0].told(whole), city[1].told(whole));
        Self(told.without_empty_places())
    }

    /// Of people named one by one: how many they are, and nothing else.
    pub(super) fn of_named(counts: &AudienceCounts) -> Self {
        let people = |counts: &Counts| Counts { people: share(counts.people), ..Counts::default() };
        let (everybody, drill) = (people(&counts.everybody), people(&counts.drill));
        Self(AudienceCounts { everybody, drill, ..AudienceCounts::default() })
    }

    /// The numbers to reckon with in an answer to staff.
    pub fn counts(&self) -> &AudienceCounts {
        &self.0
    }

    /// As it is told.
    pub fn told(&self) -> ToldAudience {
        let AudienceCounts { everybody, drill, districts, townships } = &self.0;
        ToldAudience {
            everybody: everybody.told(),
            drill: drill.told(),
            districts: districts.iter().map(|(district, counts)| (*district, counts.told())).collect(),
            townships: townships.iter().map(|(township, people)| (*township, told(*people))).collect(),
        }
    }
}

/// A place: exactly, and as the places inside it come to when they are told.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    exact: Counts,
    rounded: Counts,
}

impl Sum {
    fn add(&mut self, exact: &Counts, rounded: &Counts) {
        self.exact += *exact;
        self.rounded += *rounded;
    }

    fn told(&self, whole: bool) -> Counts {
        if whole { self.exact.share() } else { self.rounded }
    }
}

fn told(people: i64) -> HeadCount {
    HeadCount::of(people.max(0).unsigned_abs())
}

/// What a community adds to an audience that is told.
fn share(people: i64) -> i64 {
    told(people).load().cast_signed()
}

impl Counts {
    /// What a community adds to an audience that is told.
    fn share(&self) -> Self {
        let Self { people, app, apns, fcm, web, sms, unreachable } = *self;
        let (people, app, apns, fcm) = (share(people), share(app), share(apns), share(fcm));
        Self { people, app, apns, fcm, web: share(web), sms: share(sms), unreachable: share(unreachable) }
    }

    /// As it is told, where it was rounded community by community.
    pub fn told(&self) -> ToldCounts {
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
