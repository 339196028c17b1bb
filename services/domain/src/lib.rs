//! The vocabulary and the decisions of the platform, without I/O.
//!
//! Everything here is a pure function of its arguments: time, randomness and stored facts are passed in. Services fetch,
//! call a decision, and store what it says; there is no second copy of a decision in SQL, in the API or in the pages.
//!
//! * Who and where: [`ids`], [`area`], [`place`], [`country`], [`phone`], [`identity_document`], [`identity_number`], [`language`],
//!   [`industry`], [`staff`], [`second_person`], [`second_factor`], [`directory`], [`consent`]; from where: [`network`], [`address_block`], and back to which page: [`console_path`]; whose a number is: [`binding`], [`continuity`], [`sign_in`].
//! * What comes in: [`risk_record`], in [`list`]s with [`written_time`]s and [`place_name`]s; what becomes of it: [`condition`], [`template`], [`rule`], [`shipped`];
//!   how its sources are doing: [`source_health`], [`unusual_list`], [`held_list`].
//! * The alert: [`cap`], [`alert`], [`alert_state`], [`alert_view`], [`before_sending`], [`audience`], [`privacy`], [`exercise`], [`withdrawal`], [`retraction`], [`public_reason`]; people named by hand: [`named_by_hand`].
//!   What was approved is what leaves: [`approval_seal`]; alerts that contradict each other: [`conflict`]; how staff find one again: [`found_text`].
//! * Its review: [`checklist`], [`comment`] on a [`passage`], [`since_return`], [`claim`], [`presence`], [`many_decisions`].
//! * What stands against a person, and what lifts it: [`standing`].
//! * When: [`quiet_hours`], [`deadline`], [`forecast`], [`retry`], [`reminder`]; how long: [`month`], [`retention`]; which times at
//!   all: [`instant`];
//!   scheduled work: [`schedule`].
//! * What citizens bring, and until when it is answered: [`casework`], [`working_day`].
//! * What all lists of words are made with: [`words!`].
//! * Sending: [`outcome`], [`batch`], [`sms_text`], [`sms_reply`], [`web_push`]; what providers' answers mean: [`refusal`], [`patience`], [`pace`], [`gone`].

mod ack_window;
pub mod address_block;
pub mod alert;
mod alert_check;
pub mod alert_state;
pub mod alert_view;
pub mod approval_seal;
pub mod area;
pub mod audience;
pub mod batch;
pub mod before_sending;
pub mod binding;
pub mod cap;
pub mod casework;
pub mod checklist;
pub mod claim;
pub mod comment;
pub mod condition;
pub mod conflict;
pub mod consent;
pub mod console_path;
pub mod continuity;
pub mod country;
pub mod deadline;
mod digits;
pub mod directory;
pub mod exercise;
pub mod forecast;
pub mod found_text;
pub mod gone;
pub mod headcount;
pub mod held_list;
mod home_address;
pub mod identity_document;
pub mod identity_number;
pub mod ids;
pub mod industry;
pub mod instant;
pub mod language;
pub mod late_answer;
pub mod list;
pub mod many_decisions;
pub mod month;
pub mod named_by_hand;
pub mod network;
pub mod outcome;
pub mod pace;
pub mod passage;
pub mod patience;
pub mod phone;
pub mod place;
pub mod place_name;
pub mod presence;
pub mod privacy;
pub mod public_reason;
pub mod quiet_hours;
pub mod record_life;
pub mod refusal;
pub mod reminder;
pub mod retention;
pub mod retraction;
pub mod retry;
pub mod risk_record;
pub mod rule;
pub mod schedule;
pub mod second_factor;
pub mod second_person;
pub mod shipped;
pub mod sign_in;
pub mod since_return;
pub mod sms_reply;
pub mod sms_text;
pub mod source_health;
pub mod source_words;
pub mod staff;
pub mod standing;
pub mod template;
mod text_form;
pub mod turn;
pub mod unusual_list;
pub mod web_push;
pub mod withdrawal;
mod words;
pub mod working_day;
pub mod written_time;
