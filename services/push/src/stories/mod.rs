//! What push does, told against the simulated providers over the real protocols.

mod browsers;
mod city;
mod delivery;
mod other_devices;
mod providers;
mod refusals;
mod settings;
mod slowing;
mod trials;
