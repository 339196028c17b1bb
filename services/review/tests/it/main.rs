//! The review service from outside: drafts that become alerts, and the people who decide about them.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod approval;
mod city;
mod drafts;
mod ended_records;
mod endings;
mod exporting;
mod fresh_proof;
mod named_by_hand;
mod queues;
mod seal;
mod searching;
mod seoul;
mod stopping;
mod story;
mod taking_back;
mod two_people;
mod watching;
