//! What the platform promises to the services that stand on it, on every form of its stores.

mod configuration;
#[macro_use]
mod contract;
mod embedded;
mod encrypted;
mod services;
mod weir;
