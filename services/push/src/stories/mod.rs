//! What push does, told against the simulated providers over the real protocols.

mod city;
mod delivery;
mod providers;
