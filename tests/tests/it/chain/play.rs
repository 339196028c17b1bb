//! Plays a story step by step: staff, residents and time act on the platform through its interface and the phones, and the truth is written down
//! beside it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::CommunityCode;
use domain::checklist::all_well;
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use resident::generate::{Device, Person as Resident};
use serde_json::{Value, json};
use stages::MINUTE;
use tests::Who;

use super::promises::{self, Kept};
use super::steps::{Class, Person, Place, Step, To, Wait, Which};
use super::town::{Town, content, next_time};
use super::truth::{Alert, By, Heard, Truth, Word};

/// How long an alert holds: over a night, with both windows.
const VALIDITY: TimeDelta = TimeDelta::hours(30);
/// Between two steps: longer than a hand-over may be written down after the answer to it.
const BETWEEN: std::time::Duration = MINUTE.saturating_mul(3);

const AUTHOR: Who = Who::Staff(Role::SubmittingUnit, Scope::City, 10);
const OFFICER: Who = Who::Staff(Role::CityCommandOfficer, Scope::City, 11);
const SECOND: Who = Who::Staff(Role::CityCommandOfficer, Scope::City, 12);

/// A story that is being played.
struct Story<'a> {
    town: &'a mut Town,
    truth: Truth,
    people: BTreeMap<Person, Resident>,
    places: BTreeMap<Place, CommunityCode>,
    /// Messages that were looked at, by phone and way.
    known: BTreeMap<(Person, By), usize>,
    life: usize,
    /// Alerts of which the answer given last may be one: those to which it names none, and came at the same moment.
    meant: Option<(Person, BTreeSet<usize>)>,
    marks: &'a mut usize,
}

/// Plays it to its end, and returns what was promised and not kept, with what happened.
pub(super) fn play(town: &mut Town, marks: &mut usize, evening: bool, steps: &[Step]) -> Result<(), String> {
    let mut story = Story::begin(town, marks, evening);
    for (at, step) in steps.iter().enumerate() {
        if matches!(step, Step::Crash { .. }) {
            continue;
        }
        let crash = match steps.get(at + 1) {
            Some(Step::Crash { after }) => Some(u64::from(*after)),
            _ => None,
        };
        story.town.clock.forward(BETWEEN);
        story.take(step, crash);
    }
    story.end();
    let kept = story.kept();
    let broken = promises::broken(&story.truth, &kept);
    if broken.is_empty() { Ok(()) } else { Err(format!("{}\n{}", broken.join("\n"), story.truth.diary)) }
}

impl<'a> Story<'a> {
    fn begin(town: &'a mut Town, marks: &'a mut usize, evening: bool) -> Self {
        let apple = |device: Option<&Device>| matches!(device, Some(Device::Apns(_)));
        let robot = |device: Option<&Device>| matches!(device, Some(Device::Fcm(_)));
        let people = Person::ALL.map(|who| {
            let somebody = match who {
                Person::Apple | Person::Guest => town.somebody(apple),
                Person::Robot => town.somebody(robot),
                Person::Plain | Person::Other => town.somebody(|device| device.is_none()),
            };
            (who, somebody)
        });
        let places = [Place::Here, Place::There].map(|place| (place, town.community()));
        let story = Self {
            town,
            truth: Truth::new(),
            people: people.into(),
            places: places.into(),
            known: BTreeMap::new(),
            life: 0,
            meant: None,
            marks,
        };
        // Whatever another story has left is over by then.
        let later = story.now() + TimeDelta::days(3);
        story.town.clock.set(next_time(later, if evening { (21, 20) } else { (12, 0) }));
        story.town.rest();
        for (who, place) in story.truth.homes.clone() {
            story.settle_at(who, place);
        }
        story.town.rest();
        story
    }

    /// Takes a step and lets everything come of it, or has the process killed in the middle.
    fn take(&mut self, step: &Step, crash: Option<u64>) {
        let before = self.town.arrived();
        let now = self.now();
        match step {
            Step::Approve(class, to) => self.approve(*class, to.clone(), None),
            Step::Correct(which, class, to) => {
                if let Some(old) = chosen(*which, self.truth.standing(now)) {
                    let to = to.clone().unwrap_or_else(|| self.truth.alerts[old].to.clone());
                    self.approve(*class, to, Some(old));
                }
            }
            Step::Cancel(which) => {
                if let Some(alert) = chosen(*which, self.truth.standing(now)) {
                    self.cancel(alert);
                }
            }
            Step::Move(who, place) => {
                self.truth.note(now, &format!("{who:?} moves to {place:?}"));
                self.settle_at(*who, *place);
                self.truth.moved(*who, *place, now);
            }
            Step::Withdraw { who, by_sms } => self.withdraw(*who, *by_sms),
            Step::Consent(which) => self.consent(*which),
            Step::Tap(which) => self.tap(*which),
            Step::Reply { which, named } => self.reply(*which, *named),
            Step::Pass(wait) => return self.pass(self.until(*wait), crash),
            Step::Crash { .. } => {}
        }
        self.come_to(crash, before);
    }

    fn now(&self) -> DateTime<Utc> {
        self.town.clock.now()
    }

    fn come_to(&mut self, crash: Option<u64>, before: u64) {
        if let Some(messages) = crash {
            self.town.rest_or(before, messages);
            self.truth.note(self.now(), "the process is killed");
            self.town.kill();
            self.listen(true);
            self.life += 1;
            self.town.revive();
        }
        self.come_to_rest();
    }

    fn come_to_rest(&mut self) {
        self.town.rest();
        self.listen(false);
        self.settle_what_was_meant();
    }

    /// Time goes on until then.
    fn pass(&mut self, to: DateTime<Utc>, crash: Option<u64>) {
        while let Some(next) = self.town.next_stop(to) {
            let before = self.town.arrived();
            self.town.clock.set(next);
            self.come_to(crash.filter(|_| next == to), before);
        }
    }

    fn until(&self, wait: Wait) -> DateTime<Utc> {
        let now = self.now();
        match wait {
            Wait::TheWindow => now + TimeDelta::minutes(65),
            Wait::ForTheNight => next_time(now, (22, 30)),
            Wait::ForTheMorning => next_time(now, (7, 5)),
        }
    }

    /// Every alert is over, and what follows from that is done.
    fn end(&mut self) {
        let last = self.truth.alerts.iter().map(|alert| alert.expires_at).max();
        if let Some(last) = last {
            self.pass(last + TimeDelta::minutes(15), None);
        }
    }

    // staff

    fn approve(&mut self, class: Class, to: To, corrects: Option<usize>) {
        let now = self.now();
        *self.marks += 1;
        let (mark, expires_at) = (*self.marks, now + VALIDITY);
        let content = content(mark, expires_at);
        let audience = match &to {
            To::Named(people) => json!({ "residents": people.iter().map(|who| self.people[who].resident_no).collect::<Vec<_>>() }),
            To::Living(place) => json!({ "query": { "include": [{ "areas": [self.places[place].to_string()] }] } }),
        };
        let because = matches!(&to, To::Named(_)).then_some("流调名单尚未入库，先行通知");
        let author = if class == Class::Urgent { OFFICER } else { AUTHOR };
        let written = match corrects {
            None => self.town.ask(
                author,
                &Method::POST,
                "/api/v1/alerts",
                &json!({ "content": content, "audience": audience, "named_because": because }),
            ),
            Some(old) => {
                let path = format!("/api/v1/alerts/{}/correction", self.truth.alerts[old].id);
                let correction = json!({ "reason": "写错了", "content": content, "audience": audience, "named_because": because });
                self.town.ask(author, &Method::POST, &path, &correction)
            }
        };
        let id = written["alert_id"].as_str().unwrap();
        let steps: &[(Who, &str)] = match class {
            Class::Routine => &[(AUTHOR, "submit"), (OFFICER, "pass_district"), (SECOND, "approve")],
            Class::Urgent => &[(OFFICER, "compose_urgent"), (SECOND, "confirm")],
        };
        let mut seen = written.clone();
        for (who, action) in steps {
            let known = ["reaches_nobody", "cut_by_quiet_hours", "no_reminder"];
            let decision = json!({ "version": seen["version"], "action": action, "answers": all_well(&seen, action), "known": known });
            seen = self.town.ask(*who, &Method::POST, &format!("/api/v1/alerts/{id}/decisions"), &decision);
        }
        let audience = self.truth.audience(&to);
        self.truth.note(now, &format!("alert {} ({class:?}, corrects {corrects:?}) is approved for {to:?}", self.truth.alerts.len()));
        if let Some(old) = corrects {
            self.truth.alerts[old].stopped_at = Some(now);
        }
        self.truth.alerts.push(Alert {
            id: id.parse().unwrap(),
            mark,
            corrects,
            class,
            to,
            short_code: written["short_code"].as_str().unwrap().to_owned(),
            approved_at: now,
            expires_at,
            stopped_at: None,
            constant: audience.clone(),
            ever: audience,
        });
    }

    fn cancel(&mut self, alert: usize) {
        let now = self.now();
        self.truth.note(now, &format!("alert {alert} is cancelled"));
        // one asks, another says it: whatever of the alert is under way
        let path = format!("/api/v1/alerts/{}/retraction", self.truth.alerts[alert].id);
        let asked = self.town.ask(OFFICER, &Method::POST, &path, &json!({ "kind": "withdraw", "reason": "水质已恢复" }));
        let confirmed = json!({ "retraction_id": asked["waiting"]["retraction_id"], "step": "confirm" });
        self.town.ask(SECOND, &Method::POST, &format!("{path}/decisions"), &confirmed);
        self.truth.alerts[alert].stopped_at = Some(now);
    }

    // residents

    fn caller(&self, who: Person) -> Who {
        Who::Resident(self.people[&who].resident_no)
    }

    fn settle_at(&self, who: Person, place: Place) {
        let home = json!({ "community": self.places[&place].to_string() });
        self.town.ask(self.caller(who), &Method::PATCH, "/api/v1/me", &home);
    }

    fn withdraw(&mut self, who: Person, by_sms: bool) {
        let now = self.now();
        self.truth.note(now, &format!("{who:?} takes the consent back"));
        if by_sms {
            self.write(who, "T");
        } else {
            self.town.ask(self.caller(who), &Method::DELETE, "/api/v1/me/consent", &Value::Null);
        }
        self.truth.consent(who, false, now);
    }

    fn consent(&mut self, which: Which) {
        let now = self.now();
        let mute = Person::ALL.into_iter().filter(|who| !self.truth.consents[who].stands);
        let Some(who) = chosen(which, mute) else { return };
        self.truth.note(now, &format!("{who:?} consents again"));
        let body = json!({ "version": domain::consent::CURRENT_VERSION });
        self.town.ask(self.caller(who), &Method::POST, "/api/v1/me/consent", &body);
        self.truth.consent(who, true, now);
    }

    /// Whoever was told an alert that stands finds it in the app.
    fn tap(&mut self, which: Which) {
        let now = self.now();
        let told = self.truth.heard.iter().filter(|heard| heard.who.has_app() && !heard.word.ended);
        let open: BTreeSet<_> =
            told.map(|heard| (heard.word.alert, heard.who)).filter(|(alert, _)| self.truth.alerts[*alert].stands(now)).collect();
        let Some((alert, who)) = chosen(which, open) else { return };
        self.truth.note(now, &format!("{who:?} acknowledges alert {alert} in the app"));
        let path = format!("/api/v1/me/alerts/{}/acknowledgement", self.truth.alerts[alert].id);
        let (status, answer) = self.town.try_to(self.caller(who), &Method::POST, &path, &Value::Null);
        assert_eq!(status, StatusCode::OK, "{who:?} was told alert {alert} and may not acknowledge it: {answer}\n{}", self.truth.diary);
        self.truth.answers.insert((alert, who));
    }

    /// Who names an alert has read it, be it over or not; who names none means one that stands: the last that came and is not acknowledged, or the
    /// last of all.
    fn reply(&mut self, which: Which, named: bool) {
        let now = self.now();
        let held = Person::ALL.map(|who| (who, self.truth.held_by_sms(who)));
        let unexpired = held.iter().flat_map(|(who, held)| held.keys().map(|alert| (*alert, *who)));
        let unexpired = unexpired.filter(|(alert, _)| now < self.truth.alerts[*alert].expires_at);
        let Some((alert, who)) = chosen(which, unexpired) else { return };
        if named {
            self.truth.note(now, &format!("{who:?} answers alert {alert} by its name"));
            self.write(who, &format!("1 {}", self.truth.alerts[alert].short_code));
            self.truth.answers.insert((alert, who));
            return;
        }
        let standing: Vec<_> = self.truth.held_by_sms(who).into_iter().filter(|(alert, _)| self.truth.alerts[*alert].stands(now)).collect();
        let open: Vec<_> = standing.iter().filter(|(alert, _)| !self.truth.answers.contains(&(*alert, who))).copied().collect();
        let candidates = if open.is_empty() { standing } else { open };
        let last = candidates.iter().map(|(_, at)| *at).max();
        let meant: BTreeSet<usize> = candidates.into_iter().filter(|(_, at)| Some(*at) == last).map(|(alert, _)| alert).collect();
        self.truth.note(now, &format!("{who:?} answers and means one of {meant:?}"));
        self.write(who, "1");
        self.meant = (!meant.is_empty()).then_some((who, meant));
    }

    fn write(&self, who: Person, text: &str) {
        self.town.phones.reply(&self.people[&who].phone, text);
    }

    /// Of several alerts that came in one moment either may be meant: which one it was shows in what counts now.
    fn settle_what_was_meant(&mut self) {
        let Some((who, meant)) = self.meant.take() else { return };
        let counted: BTreeSet<usize> = self.kept().acknowledged.into_iter().filter(|(_, by)| *by == who).map(|(alert, _)| alert).collect();
        let news: Vec<usize> = meant.iter().copied().filter(|alert| counted.contains(alert)).collect();
        // None counts: the first stands for all of them, and is missed at the end.
        let alert = news.first().or(meant.first()).copied();
        self.truth.answers.extend(alert.map(|alert| (alert, who)));
    }

    // what came of it

    /// Takes in what has come to the phones.
    fn listen(&mut self, cut_off: bool) {
        let now = self.now();
        let mut news: Vec<(DateTime<Utc>, Heard)> = Vec::new();
        for (who, resident) in &self.people {
            let pushes = match &resident.device {
                Some(Device::Apns(token) | Device::Fcm(token)) => self.town.phones.pushes_to(token),
                None => Vec::new(),
            };
            let pushes = pushes.into_iter().map(|push| {
                let title = push.payload.pointer("/aps/alert/title").or_else(|| push.payload.pointer("/data/title"));
                (By::App, push.at, title.and_then(Value::as_str).unwrap_or_default().to_owned(), push.collapse_id)
            });
            let messages = self.town.phones.sms_to(&resident.phone).into_iter().map(|sms| (By::Sms, sms.at, sms.text, None));
            let mut seen: BTreeMap<By, usize> = BTreeMap::new();
            for (by, came_at, text, collapse_id) in pushes.chain(messages) {
                let number = seen.entry(by).or_default();
                *number += 1;
                if *number <= self.known.get(&(*who, by)).copied().unwrap_or_default() {
                    continue;
                }
                let Some(word) = self.truth.word(&text) else { continue };
                let agreed = self.truth.consents[who].stands;
                news.push((came_at, Heard { who: *who, by, word, collapse_id, at: now, life: self.life, cut_off, agreed }));
            }
            self.known.extend(seen.into_iter().map(|(by, number)| ((*who, by), number)));
        }
        news.sort_by_key(|(came_at, _)| *came_at);
        for (_, heard) in news {
            let Word { alert, ended } = heard.word;
            let what = if ended { "that alert has ended:" } else { "alert" };
            self.truth.note(now, &format!("    {:?} is told {what} {alert} by {:?}", heard.who, heard.by));
            self.truth.heard.push(heard);
        }
    }

    /// What the platform shows of who acknowledged, and whom communities are to see.
    fn kept(&self) -> Kept {
        let alerts: Vec<_> = self.truth.alerts.iter().map(|alert| alert.id).collect();
        let rows = self.town.run(async |whole| {
            sqlx::query_as::<_, (uuid::Uuid, i64, bool)>(
                "select alert_id, resident_no::bigint, true from resident.acknowledged where alert_id = any($1)
                 union all select alert_id, resident_no, false from dispatch.follow_up where alert_id = any($1)",
            )
            .bind(&alerts)
            .fetch_all(whole.platform.database.pool())
            .await
            .unwrap()
        });
        let mut kept = Kept::default();
        for (id, resident_no, acknowledged) in rows {
            let alert = alerts.iter().position(|alert| *alert == id).unwrap();
            let who = self.people.iter().find(|(_, person)| i64::from(person.resident_no) == resident_no).map(|(who, _)| *who);
            // Somebody else may live there.
            let Some(who) = who else { continue };
            if acknowledged { &mut kept.acknowledged } else { &mut kept.followed_up }.insert((alert, who));
        }
        kept
    }
}

/// One of these, counted round and round.
fn chosen<T>(which: Which, among: impl IntoIterator<Item = T>) -> Option<T> {
    let mut among: Vec<T> = among.into_iter().collect();
    let place = usize::from(which).checked_rem(among.len())?;
    Some(among.swap_remove(place))
}
