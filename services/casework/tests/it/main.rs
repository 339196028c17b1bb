//! Casework through its HTTP face.

#![allow(clippy::unwrap_used, reason = "a stage that cannot be set up fails the story that is told on it")]

mod city;
mod clocks;
mod lanes;
mod stories;
