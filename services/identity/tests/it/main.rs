//! Staff, sessions and keys through the HTTP face, on the embedded database.
#![allow(clippy::unwrap_used, reason = "a city that cannot be set up fails the test")]

mod accounts;
mod authenticator;
mod city;
mod command_line;
mod directory;
mod door;
mod keys;
mod passkeys;
mod second_factor;
mod sessions;
mod two_people;
