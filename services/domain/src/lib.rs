//! The vocabulary and the decisions of the platform, without I/O.
//!
//! Everything here is a pure function of its arguments: time, randomness and stored facts are passed in. Services fetch,
//! call a decision, and store what it says; there is no second copy of a decision in SQL, in the API or in the pages.
//!
//! * Who and where: [`ids`], [`area`], [`place`], [`phone`], [`identity_number`], [`language`], [`industry`], [`staff`],
//!   [`consent`].
//! * What comes in: [`risk_record`]; what becomes of it: [`condition`], [`template`], [`rule`], [`shipped`].
//! * The alert: [`cap`], [`alert`], [`alert_state`], [`before_sending`], [`audience`], [`privacy`], [`exercise`].
//! * When: [`quiet_hours`], [`deadline`], [`forecast`], [`retry`], [`reminder`]; how long: [`month`], [`retention`]; which times at
//!   all: [`instant`];
//!   scheduled work: [`schedule`].
//! * What all lists of words are made with: [`words!`].
//! * Sending: [`outcome`], [`batch`], [`sms_text`], [`sms_reply`], [`web_push`].

mod ack_window;
pub mod alert;
mod alert_check;
pub mod alert_state;
pub mod area;
pub mod audience;
pub mod batch;
pub mod before_sending;
pub mod cap;
pub mod condition;
pub mod consent;
pub mod deadline;
mod digits;
pub mod exercise;
pub mod forecast;
mod home_address;
pub mod identity_number;
pub mod ids;
pub mod industry;
pub mod instant;
pub mod language;
pub mod month;
pub mod outcome;
pub mod phone;
pub mod place;
pub mod privacy;
pub mod quiet_hours;
pub mod reminder;
pub mod retention;
pub mod retry;
pub mod risk_record;
pub mod rule;
pub mod schedule;
pub mod shipped;
pub mod sms_reply;
pub mod sms_text;
pub mod staff;
pub mod template;
mod text_form;
pub mod web_push;
mod words;
