//! The binary from outside: its commands, the platform as one process and as many, and the pages in a browser.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod command_line;
mod company;
mod doctor;
mod durable;
mod everything_killed;
mod first_minute;
mod pages;
mod planted;
mod processes;
mod rehearsal;
mod separate_processes;
mod walk_through;
