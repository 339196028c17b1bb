//! What push does, told against the simulated providers over the real protocols.

mod browsers;
mod city;
mod delivery;
mod providers;
mod settings;
mod trials;
