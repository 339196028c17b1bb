//! The rehearsal told, for somebody who has never seen the platform.

use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Asia::Shanghai;
use comfy_table::{Table, presets};
use domain::place;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::cast::Cast;
use super::figures::Figures;
use super::outbreak::Outbreak;
use super::people::{Answers, Readers};
use super::staff::Decided;
use super::stage::Stage;

/// Tells, or stays silent until the JSON at the end.
pub(crate) struct Story {
    json: bool,
    bar: ProgressBar,
}

impl Story {
    pub(crate) fn new(json: bool) -> Self {
        // drawn on standard error, and only when that is a terminal
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} scenes").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { json, bar }
    }

    fn line(&self, at: DateTime<Utc>, text: &str) {
        if !self.json {
            self.bar.suspend(|| println!("{}  {text}", at.with_timezone(&Shanghai).format("%m-%d %H:%M")));
        }
    }

    pub(crate) fn opens(&self, outbreak: &Outbreak, cast: &Cast, stage: &Stage) {
        if self.json {
            return;
        }
        println!(
            "MERS in South Korea, 2015, as if it came to Chongqing: {} cases and {} contacts, reported by hospitals in {} districts, from 2 March.",
            outbreak.cases.len(),
            outbreak.contacts.len(),
            cast.districts()
        );
        println!(
            "{} synthetic residents; the whole platform runs on the {} set, providers are simulated, staff and residents act by rule,",
            cast.people.count(),
            stage.set
        );
        println!("and the clock is moved. Reports of the evening are approved at night and wait for 07:00 (quiet hours).\n");
    }

    pub(crate) fn reported(&self, at: DateTime<Utc>, sent: usize, report: &Value) {
        self.line(
            at,
            &format!(
                "风险记录 {sent} records arrive: {} kept, {} known already, {} refused",
                report["accepted"], report["repeated"], report["refused"]
            ),
        );
    }

    pub(crate) fn decided(&self, at: DateTime<Utc>, who: &str, decided: &Decided) {
        for (headline, district) in &decided.alerts {
            let name = district.parse().ok().and_then(place::district).map_or(district.as_str(), |district| district.name);
            self.line(at, &format!("{who}: {name}「{headline}」"));
        }
    }

    pub(crate) fn answered(&self, at: DateTime<Utc>, readers: Readers, answers: Answers) {
        if answers.by_app + answers.by_sms > 0 {
            let when = match readers {
                Readers::Prompt => "at once",
                Readers::Late => "late",
            };
            self.line(at, &format!("居民确认 {} residents acknowledge in the app and {} by SMS, {when}", answers.by_app, answers.by_sms));
        }
    }

    pub(crate) fn passes(&self, scene: usize, scenes: usize) {
        self.bar.set_length(scenes as u64);
        self.bar.set_position(scene as u64);
    }

    pub(crate) fn ends(&self, figures: &Figures) -> Result<()> {
        self.bar.finish_and_clear();
        if self.json {
            println!("{}", serde_json::to_string(figures)?);
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        for (what, value) in [
            ("risk records kept", figures.records.to_string()),
            ("rows refused", figures.refused.to_string()),
            ("records matched by a rule", figures.matched.to_string()),
            ("alerts drafted", figures.alerts.to_string()),
            ("alerts approved by three different people", figures.approved.to_string()),
            ("people alerted", figures.recipients.to_string()),
            ("messages taken by APNs and FCM", figures.push_accepted.to_string()),
            ("messages taken by the SMS centre", figures.sms_accepted.to_string()),
            ("devices found gone and removed", figures.endpoints_pruned.to_string()),
            ("people reached by SMS instead of the app", figures.fallbacks.to_string()),
            ("acknowledged", format!("{} ({} by SMS)", figures.acknowledged, figures.acknowledged_by_sms)),
            ("reminded a second time", figures.reminded.to_string()),
            ("handed to their community to follow up", figures.follow_ups.to_string()),
            ("alerts handed over by their deadline", percent(figures.on_time_share)),
            ("slowest hand-over after approval", format!("{:.0} s, quiet hours included", figures.slowest_hand_over_s)),
            ("slowest hand-over once sending was allowed", format!("{:.0} s", figures.slowest_sending_s)),
        ] {
            table.add_row([what.to_owned(), value]);
        }
        println!("\n{table}\nEvery number was read from the stores. The rehearsal took {:.1} s.", figures.took_s);
        Ok(())
    }
}
