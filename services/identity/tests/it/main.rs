//! Staff, sessions and keys through the HTTP face, on the embedded database.
#![allow(clippy::unwrap_used, reason = "a city that cannot be set up fails the test")]

mod accounts;
mod city;
mod command_line;
mod keys;
mod sessions;
mod two_people;
