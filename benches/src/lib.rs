//! Measurements with their limits and peers.
