//! The review service from outside: drafts that become alerts, and the people who decide about them.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod approval;
mod checklists;
mod city;
mod claims;
mod drafts;
mod ended_records;
mod endings;
mod exporting;
mod fresh_proof;
mod many;
mod named_by_hand;
mod presence;
mod queues;
mod remarks;
mod seal;
mod searching;
mod seoul;
mod stopping;
mod story;
mod taking_back;
mod two_people;
mod watching;
