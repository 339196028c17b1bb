//! A city of processes under faults.

mod faults;
