//! The small city in which the stories happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use domain::alert::{AlertContent, DeliveryClass};
use domain::audience::Audience;
use domain::ids::{AlertId, BatchId, StaffId};
use domain::language::Language;
use domain::outcome::{Channel, Outcome};
use domain::second_factor::Proof;
use domain::staff::Role;
use platform::clock::Clock;
use platform::database::Database;
use platform::http::StaffCaller;
use platform::{BoxError, Platform};
use prost::Message as _;
use proto::Event;
use roaring::RoaringBitmap;
use sqlx::Row as _;
use stages::views::Reach;
use stages::{MINUTE, Tables, views};
pub(crate) use stages::{Store, noon};

use crate::ending::Stop;
use crate::ledger::{BatchKey, Claimed, GoneEndpoint, Ledger};
use crate::planning::{Line, Planner};
use crate::pump::{Pump, Pumped};
use crate::settings::Settings;
use crate::worker::{BatchChannel, Noted, Sent, Worker, WorkerSettings};
use crate::{
    Capacity, MIGRATOR, SCHEMA, approved, ending, held, in_a_browser, progress, reminders, sending_again, unheard, unlike, withdrawn_for,
};

/// What phones and their providers say, and what they were sent.
#[derive(Debug, Default)]
pub(crate) struct Phones {
    /// Answers by resident, one for each send; afterwards accepted.
    pub answers: Mutex<BTreeMap<u32, Vec<Outcome>>>,
    /// Everything sent, in order.
    pub sent: Mutex<Vec<(u32, Channel)>>,
    /// The headline that each phone shows, of what takes each other's place, or of the last short message.
    pub shown: Mutex<BTreeMap<(u32, Channel, AlertId), String>>,
}

impl Phones {
    /// The residents sent to by `channel`, in order, since the last look.
    pub(crate) fn take(&self, channel: Channel) -> Vec<u32> {
        let mut sent = self.sent.lock().unwrap();
        let (asked, others) = sent.drain(..).partition(|(_, by)| *by == channel);
        *sent = others;
        let asked: Vec<(u32, Channel)> = asked;
        asked.into_iter().map(|(number, _)| number).collect()
    }
}

/// Who was sent to by app and by SMS since the last look, ascending.
pub(crate) fn told(city: &City) -> (Vec<u32>, Vec<u32>) {
    let mut told = (city.phones.take(Channel::App), city.phones.take(Channel::Sms));
    told.0.sort_unstable();
    told.1.sort_unstable();
    told
}

/// What the phone of somebody shows of this alert and whatever took its place.
pub(crate) fn shown(city: &City, of: AlertId, number: u32, by: Channel) -> Option<String> {
    city.phones.shown.lock().unwrap().get(&(number, by, of)).cloned()
}

/// An alert with this headline.
pub(crate) fn with_headline(headline: &str) -> AlertContent {
    let mut content = alert();
    content.texts.get_mut(&Language::ZhCn).unwrap().headline = headline.to_owned();
    content
}

/// The phones as the app's provider or, with `SMS`, as the SMS centre sees them.
#[derive(Debug)]
pub(crate) struct Provider<const SMS: bool>(pub Arc<Phones>);

impl<const SMS: bool> BatchChannel for Provider<SMS> {
    const CHANNEL: Channel = if SMS { Channel::Sms } else { Channel::App };

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        for (position, no) in batch.pending() {
            let mut answers = self.0.answers.lock().unwrap();
            let answer = answers.get_mut(&no.get()).and_then(|answers| (!answers.is_empty()).then(|| answers.remove(0)));
            let answer = answer.unwrap_or(Outcome::Accepted);
            if answer.is_handed_over() {
                let headline = batch.alert.content.texts[&Language::ZhCn].headline.clone();
                self.0.shown.lock().unwrap().insert((no.get(), Self::CHANNEL, batch.alert.root_id), headline);
            }
            self.0.sent.lock().unwrap().push((no.get(), Self::CHANNEL));
            if answer == Outcome::EndpointGone {
                noted.gone(GoneEndpoint { resident_no: no, endpoint_id: i64::from(no.get()) * 10, registered_at: None });
            }
            noted.outcome(position, answer);
        }
        Ok(Sent::Done)
    }
}

/// Somebody of staff, whose second factor nobody has asked for.
pub(crate) fn staff(role: Role, scope: &str) -> StaffCaller {
    StaffCaller {
        id: StaffId::new(),
        name: "王芳".to_owned(),
        role,
        scope: scope.parse().unwrap(),
        acts_from: None,
        session: String::new(),
        proof: Proof::NotAsked,
    }
}

/// Dispatch in a small city.
pub(crate) struct City {
    pub platform: Platform,
    pub settings: Settings,
    pub capacity: Capacity,
    pub ledger: Ledger,
    pub phones: Arc<Phones>,
    pub planner: Arc<Planner>,
}

impl City {
    /// Batches of 5, chunks of 10 after a first one of 5, a window of 2.
    pub(crate) async fn new(store: Store) -> Self {
        const TABLES: Tables = Tables { stand_ins: &[views::RESIDENT, views::REVIEW, views::DISPLAY], schemas: &[(SCHEMA, &MIGRATOR)] };
        let platform = store.open_with(TABLES).await;
        let settings = Settings { batch_size: 5, chunk: 10, first_chunk: 5, window: 2, ..Settings::default() };
        let ledger = Ledger::new(&platform, TimeDelta::seconds(30));
        let planner = Arc::new(Planner::new(&platform, settings.clone(), Line::All));
        Self { platform, settings, capacity: Capacity::default(), ledger, phones: Arc::default(), planner }
    }

    /// The same city with other settings, and accounts that allow this.
    pub(crate) fn with(mut self, settings: Settings, capacity: Capacity) -> Self {
        self.planner = Arc::new(Planner::new(&self.platform, settings.clone(), Line::All));
        Self { settings, capacity, ..self }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.platform.database
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.platform.clock
    }

    pub(crate) fn forward(&self, minutes: u32) {
        self.clock().forward(minutes * MINUTE);
    }

    /// Registers residents of one community; `app`, `sms` and `drill` as the view has them.
    pub(crate) async fn residents(&self, numbers: impl IntoIterator<Item = u32>, app: bool, sms: bool, drill: bool) {
        views::residents(&self.platform, numbers, Reach { app, sms, drill, language: Language::ZhCn }).await;
    }

    pub(crate) async fn acknowledge(&self, alert_id: AlertId, numbers: impl IntoIterator<Item = u32>) {
        let numbers: Vec<i32> = numbers.into_iter().map(|number| number.try_into().unwrap()).collect();
        sqlx::query("insert into resident.acknowledged select $1, n, now(), 'app' from unnest($2::int[]) as n")
            .bind(alert_id.uuid())
            .bind(numbers)
            .execute(self.database().pool())
            .await
            .unwrap();
    }

    /// They write back about the alert in words; `read`: staff have answered.
    pub(crate) async fn write_back(&self, alert_id: AlertId, numbers: impl IntoIterator<Item = u32>, read: bool) {
        let numbers: Vec<i32> = numbers.into_iter().map(|number| number.try_into().unwrap()).collect();
        sqlx::query("delete from resident.wrote_back where alert_id = $1 and resident_no = any($2)")
            .bind(alert_id.uuid())
            .bind(&numbers)
            .execute(self.database().pool())
            .await
            .unwrap();
        sqlx::query("insert into resident.wrote_back select $1, n, $3, false, $4 from unnest($2::int[]) as n")
            .bind(alert_id.uuid())
            .bind(&numbers)
            .bind(self.clock().now())
            .bind(read)
            .execute(self.database().pool())
            .await
            .unwrap();
    }

    /// review approves an alert now and tells of it.
    pub(crate) async fn approve(&self, class: DeliveryClass, content: AlertContent, audience: Audience) -> AlertId {
        let alert_id = AlertId::new();
        self.shown_by_review(alert_id, class, &content, &audience).await;
        self.hear_of_approval(alert_id).await;
        alert_id
    }

    /// The same with the seal of whoever approved it, who was shown so many people; dispatch has not heard of it yet.
    pub(crate) async fn sealed(&self, class: DeliveryClass, content: AlertContent, audience: Audience, people: Option<u64>) -> AlertId {
        let alert_id = AlertId::new();
        self.shown_by_review(alert_id, class, &content, &audience).await;
        views::sealed(&self.platform, alert_id, class, &content, &audience, people).await;
        alert_id
    }

    pub(crate) async fn shown_by_review(&self, alert_id: AlertId, class: DeliveryClass, content: &AlertContent, audience: &Audience) {
        views::approved(&self.platform, alert_id, class, content, audience).await;
    }

    /// Review approves a correction of `old`, which ends with it; `for_holders`: two people have made it, for those alone who have the old one.
    pub(crate) async fn correct(
        &self,
        old: AlertId,
        class: DeliveryClass,
        content: AlertContent,
        audience: Audience,
        for_holders: bool,
    ) -> AlertId {
        let new = AlertId::new();
        self.shown_by_review(new, class, &content, &audience).await;
        sqlx::query("update review.approved_alert set corrects = $2, for_holders = $3 where alert_id = $1")
            .bind(new.uuid())
            .bind(old.uuid())
            .bind(for_holders)
            .execute(self.database().pool())
            .await
            .unwrap();
        sqlx::query("update review.alert_standing set state = 'superseded', superseded_by = $1 where alert_id = $2")
            .bind(new.uuid())
            .bind(old.uuid())
            .execute(self.database().pool())
            .await
            .unwrap();
        self.hear_of_approval(new).await;
        ending::on_stopped(&self.platform, old, Stop::Superseded).await.unwrap();
        new
    }

    pub(crate) async fn hear_of_approval(&self, alert_id: AlertId) {
        approved::on_approved(&self.platform, &self.settings, alert_id).await.unwrap();
    }

    /// Staff cancel the alert, and dispatch withdraws what is not sent.
    pub(crate) async fn cancel(&self, alert_id: AlertId) {
        self.hear_of_stop(alert_id).await;
        self.withdraw().await;
    }

    pub(crate) async fn hear_of_stop(&self, alert_id: AlertId) {
        ending::on_stopped(&self.platform, alert_id, Stop::Cancelled).await.unwrap();
    }

    /// Review withdraws the alert for these people alone, and dispatch hears of it.
    pub(crate) async fn withdraw_for(&self, alert_id: AlertId, numbers: impl IntoIterator<Item = u32>) {
        views::withdrawn_for(&self.platform, alert_id, numbers).await;
        self.hear_of_withdrawn(alert_id).await;
    }

    pub(crate) async fn hear_of_withdrawn(&self, alert_id: AlertId) {
        withdrawn_for::on_withdrawn(&self.platform, alert_id).await.unwrap();
    }

    pub(crate) async fn withdraw(&self) {
        while ending::withdraw_next(self.database(), self.clock()).await.unwrap() {}
    }

    /// One chunk.
    pub(crate) async fn plan_chunk(&self) -> bool {
        self.planner.turn().await.unwrap()
    }

    pub(crate) async fn plan(&self) {
        while self.plan_chunk().await {}
    }

    /// The pump of a process that has been running for a while.
    pub(crate) fn new_pump(&self) -> Pump {
        Pump::new(&self.platform, self.settings.clone(), self.capacity.clone())
    }

    /// One turn of the pump, which looks at everything.
    pub(crate) async fn turn_pump(&self) -> Pumped {
        self.new_pump().turn().await.unwrap()
    }

    pub(crate) async fn pump(&self) -> Vec<BatchKey> {
        self.turn_pump().await;
        self.on_their_way().await.into_iter().map(|(batch, _)| batch).collect()
    }

    /// The batches whose events left the outbox since the last look, in order.
    async fn on_their_way(&self) -> Vec<(BatchKey, Channel)> {
        let rows = sqlx::query("delete from dispatch.outbox where topic like 'batch.ready.%' returning id, topic, payload")
            .fetch_all(self.database().pool())
            .await
            .unwrap();
        let mut events: Vec<(i64, BatchKey, Channel)> = rows
            .iter()
            .map(|row| {
                let channel = if row.get::<&str, _>("topic").contains(".app") { Channel::App } else { Channel::Sms };
                let batch = proto::AppBatchReady::decode(row.get::<&[u8], _>("payload")).unwrap();
                let key = BatchKey { alert_id: batch.alert_id.parse().unwrap(), batch_id: BatchId::new(batch.batch_id) };
                (row.get("id"), key, channel)
            })
            .collect();
        events.sort_unstable_by_key(|(id, ..)| *id);
        events.into_iter().map(|(_, batch, channel)| (batch, channel)).collect()
    }

    /// The events of one kind that left the outbox since the last look.
    pub(crate) async fn told<E: Event>(&self) -> Vec<E> {
        let rows = sqlx::query("delete from dispatch.outbox where topic = $1 returning payload")
            .bind(E::TOPIC)
            .fetch_all(self.database().pool())
            .await
            .unwrap();
        rows.iter().map(|row| E::decode(row.get::<&[u8], _>("payload")).unwrap()).collect()
    }

    pub(crate) fn worker<const SMS: bool>(&self) -> Worker<Provider<SMS>> {
        Worker {
            ledger: self.ledger.clone(),
            platform: self.platform.clone(),
            settings: WorkerSettings { checkpoint_every: 2, ..WorkerSettings::default() },
            holder: "worker".to_owned(),
            asks_every: Duration::ZERO,
            channel: Arc::new(Provider(Arc::clone(&self.phones))),
        }
    }

    /// Fills the window once and sends what is in it.
    pub(crate) async fn send_window(&self) -> usize {
        self.turn_pump().await;
        let batches = self.on_their_way().await;
        for (batch, channel) in &batches {
            match channel {
                Channel::App => self.worker::<false>().work(*batch).await.unwrap(),
                _ => self.worker::<true>().work(*batch).await.unwrap(),
            }
        }
        batches.len()
    }

    /// Lets everything happen that can happen at this moment.
    pub(crate) async fn settle(&self) {
        loop {
            self.plan().await;
            while self.send_window().await > 0 {}
            let closed = progress::close_wave(self.database(), self.clock()).await.unwrap();
            let expired = ending::close_expired(self.database(), self.clock()).await.unwrap();
            let withdrawn = ending::withdraw_next(self.database(), self.clock()).await.unwrap();
            let reminded = reminders::turn(self.database(), self.clock(), &self.settings).await.unwrap();
            let let_go = held::turn(self.database(), self.clock()).await.unwrap();
            let unheard = unheard::turn(self.database(), self.clock()).await.unwrap();
            let again = sending_again::turn(self.database(), self.clock(), &self.settings).await.unwrap();
            let unlike = unlike::turn(&self.platform).await.unwrap();
            let in_a_browser = in_a_browser::turn(self.database(), self.clock(), &self.settings).await.unwrap();
            if !(closed || expired || withdrawn || reminded || unheard || again || let_go || unlike || in_a_browser) {
                break;
            }
        }
        assert!(crate::settled(&self.platform, &self.settings).await.unwrap(), "nothing is left to do at this moment");
    }

    /// Everybody who was ever in a batch of the wave.
    pub(crate) async fn in_batches(&self, alert_id: AlertId, wave: i16) -> BTreeSet<u32> {
        let rows = sqlx::query(
            "select recipients from dispatch.recipient_list join dispatch.batch using (alert_id, batch_id) where alert_id = $1 and wave = $2",
        )
        .bind(alert_id.uuid())
        .bind(wave)
        .fetch_all(self.database().pool())
        .await
        .unwrap();
        let lists = rows.iter().map(|row| domain::batch::RecipientList::decode(row.get::<&[u8], _>("recipients")).unwrap());
        lists.flat_map(|list| list.as_slice().to_vec()).collect()
    }

    /// Changes a row of an alert's as nobody of dispatch would.
    pub(crate) async fn damage(&self, sql: &'static str, alert_id: AlertId) {
        let changed = sqlx::query(sql).bind(alert_id.uuid()).execute(self.database().pool()).await.unwrap().rows_affected();
        assert!(changed > 0, "{sql}");
    }

    pub(crate) async fn mend_audience(&self, alert_id: AlertId, audience: &Audience) {
        sqlx::query("update dispatch.alert set audience = $2 where alert_id = $1")
            .bind(alert_id.uuid())
            .bind(audience.to_bytes())
            .execute(self.database().pool())
            .await
            .unwrap();
    }

    /// A number out of the tables.
    pub(crate) async fn number(&self, sql: &'static str, alert_id: AlertId) -> i64 {
        sqlx::query_scalar::<_, i64>(sql).bind(alert_id.uuid()).fetch_one(self.database().pool()).await.unwrap()
    }

    pub(crate) async fn state(&self, alert_id: AlertId) -> String {
        sqlx::query_scalar("select state from dispatch.alert where alert_id = $1")
            .bind(alert_id.uuid())
            .fetch_one(self.database().pool())
            .await
            .unwrap()
    }

    /// (resident, reason) of the alert's follow-up items.
    pub(crate) async fn follow_ups(&self, alert_id: AlertId) -> Vec<(i64, String)> {
        sqlx::query_as("select resident_no, reason from dispatch.follow_up where alert_id = $1 order by resident_no")
            .bind(alert_id.uuid())
            .fetch_all(self.database().pool())
            .await
            .unwrap()
    }
}

/// An alert valid for two days, to be acknowledged within an hour.
pub(crate) fn alert() -> AlertContent {
    stages::alert(noon() + TimeDelta::days(2))
}

/// These residents, by number.
pub(crate) fn named(numbers: impl IntoIterator<Item = u32>) -> Audience {
    Audience::Residents(RoaringBitmap::from_iter(numbers))
}
