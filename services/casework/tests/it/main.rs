//! Casework from outside: what citizens bring, what the desk, units and supervision do with it, and what becomes of it in time.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod city;
mod from_call_to_answer;
mod intake;
mod lists;
mod reviews;
mod time;
mod two_people;
mod whose_it_is;
