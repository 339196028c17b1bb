//! The part of the city whose people a member of staff sees in lists.

use domain::staff::Scope;

/// The part of the city that a scope covers, as statements ask for it: a row is in it when `everywhere or district = … or community = …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// All of it.
    pub everywhere: bool,
    /// One district, as tables keep its code.
    pub district: Option<i32>,
    /// One community, as tables keep its code.
    pub community: Option<i64>,
}

impl Within {
    /// What the scope covers. An industry's scope holds people and a unit's holds orders, not places: nothing.
    pub fn of(scope: &Scope) -> Self {
        let nowhere = Self { everywhere: false, district: None, community: None };
        match scope {
            Scope::City => Self { everywhere: true, ..nowhere },
            Scope::District(code) => Self { district: Some(code.get().cast_signed()), ..nowhere },
            Scope::Community(code) => Self { community: Some(code.get().cast_signed()), ..nowhere },
            Scope::Industry(_) | Scope::Unit(_) => nowhere,
        }
    }
}
