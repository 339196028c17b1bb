//! The SMS service from outside: short messages from the approved alert to the phone and back.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod answers;
mod city;
mod encrypted;
mod ends;
mod kept;
mod receipts;
mod stories;
