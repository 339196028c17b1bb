//! The faults of one row as they are found.

use platform::http::FieldFault;

/// What is wrong with a row: everything, and nothing twice.
pub(super) struct Faults(pub Vec<FieldFault>);

impl Faults {
    /// Adds a fault, unless one of the same field is there: what follows from a fault is none of its own.
    pub(super) fn add(&mut self, fault: FieldFault) {
        let of_the_same =
            |known: &FieldFault| known.field == fault.field || (fault.field == "subject" && known.field.starts_with("subject."));
        if !self.0.iter().any(of_the_same) {
            self.0.push(fault);
        }
    }

    /// The value, if there is one; else its fault is added.
    pub(super) fn hear<T>(&mut self, result: Result<T, FieldFault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.add(fault);
                None
            }
        }
    }
}
