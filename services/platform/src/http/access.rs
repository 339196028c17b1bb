//! Who may call a route.

use domain::staff::Role;
use http::Method;
use strum::VariantArray;

use super::Caller;

/// The rule of a route. A rule says which kind of caller and, for staff, which roles; whether the object at hand lies in the
/// caller's own area is for the handler to ask ([`super::StaffCaller::must_cover`]), since only it knows the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Staff in one of these roles.
    Staff(&'static [Role]),
    /// Whoever has a session of staff, also before they have shown their second factor: for looking at it, proving it and ending it alone.
    SessionOwner,
    /// A registered resident.
    Resident,
    /// A source system with an API key.
    Source,
    /// A source system with an API key, or staff in one of these roles who enter the same by hand.
    SourceOrStaff(&'static [Role]),
    /// A public display.
    Screen,
}

impl Access {
    /// Staff in any role: for what concerns the account itself.
    pub const ANY_STAFF: Self = Self::Staff(Role::VARIANTS);

    /// Whether this caller satisfies the rule.
    pub fn admits(self, caller: &Caller) -> bool {
        match (self, caller) {
            (Self::Public, _)
            | (Self::SessionOwner, Caller::Staff(_) | Caller::Unproved(_))
            | (Self::Resident, Caller::Resident(_))
            | (Self::Source | Self::SourceOrStaff(_), Caller::Source(_))
            | (Self::Screen, Caller::Screen(_)) => true,
            (Self::Staff(roles) | Self::SourceOrStaff(roles), Caller::Staff(staff)) => roles.contains(&staff.role),
            _ => false,
        }
    }

    /// The staff roles that the rule admits.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Staff(roles) | Self::SourceOrStaff(roles) => roles,
            Self::SessionOwner => Role::VARIANTS,
            Self::Public | Self::Resident | Self::Source | Self::Screen => &[],
        }
    }
}

/// One line of the table of all routes: what the access tests and the documentation read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// Method of the request.
    pub method: Method,
    /// Route template, such as `/api/v1/alerts/{id}`.
    pub path: String,
    /// Who may call it.
    pub access: Access,
}
