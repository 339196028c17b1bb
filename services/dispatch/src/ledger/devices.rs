//! Some devices of the people of a batch: those that failed for now, where their owners were reached by another.

use domain::ids::ResidentNo;

/// A device that failed for now while its owner was reached by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherDevice {
    /// Whose.
    pub resident_no: ResidentNo,
    /// Its id in the view `resident.endpoint`.
    pub endpoint_id: i64,
}

/// Devices by their ids in the view `resident.endpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices(Vec<i64>);

impl Devices {
    /// These.
    pub(crate) fn of(others: &[OtherDevice]) -> Self {
        let mut ids: Vec<i64> = others.iter().map(|other| other.endpoint_id).collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    /// Whether a device is one of them.
    pub fn contains(&self, endpoint_id: i64) -> bool {
        self.0.binary_search(&endpoint_id).is_ok()
    }

    /// As the table has them.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0.iter().flat_map(|id| id.to_be_bytes()).collect()
    }

    /// None where these are no ids, ascending.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (ids, rest) = bytes.as_chunks::<8>();
        let ids: Vec<i64> = ids.iter().map(|id| i64::from_be_bytes(*id)).collect();
        (rest.is_empty() && ids.is_sorted()).then_some(Self(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_were_written_and_nothing_else_is() {
        let other = |endpoint_id| OtherDevice { resident_no: ResidentNo::new(1), endpoint_id };
        let devices = Devices::of(&[other(7), other(-3), other(7)]);
        assert_eq!(Devices::decode(&devices.encode()), Some(devices.clone()));
        assert_eq!([-3, 7, 8].map(|id| devices.contains(id)), [true, true, false]);
        assert_eq!(Devices::decode(&devices.encode()[1..]), None);
        assert_eq!(Devices::decode(&[devices.encode(), devices.encode()].concat()), None);
    }
}
