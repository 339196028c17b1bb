//! The network that an address belongs to, as far as one customer has one: what attempts from outside are counted by.

use std::fmt;
use std::net::IpAddr;

/// A network: /24 of IPv4, /64 of IPv6. Whoever has one address of it may have them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The first three octets.
    V4([u8; 3]),
    /// The first four groups.
    V6([u16; 4]),
}

impl Network {
    /// The network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }

    /// The widest class that one customer has to themselves: /48 of IPv6, /24 of IPv4.
    #[must_use]
    pub fn widest(self) -> String {
        self.site().unwrap_or_else(|| self.to_string())
    }

    /// The site of a customer of IPv6, /48, which holds as many networks as they like: of IPv4 they have no more than one.
    #[must_use]
    pub fn site(self) -> Option<String> {
        match self {
            Self::V4(_) => None,
            Self::V6([a, b, c, _]) => Some(format!("{a:x}:{b:x}:{c:x}::")),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4([a, b, c]) => write!(f, "{a}.{b}.{c}.0"),
            Self::V6([a, b, c, d]) => write!(f, "{a:x}:{b:x}:{c:x}:{d:x}::"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("198.51.100.7", "198.51.100.254", true)]
    #[case("198.51.100.7", "198.51.101.7", false)]
    #[case("::ffff:198.51.100.7", "198.51.100.9", true)]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true)]
    #[case("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    fn one_network_is_one_customers(#[case] one: IpAddr, #[case] other: IpAddr, #[case] same: bool) {
        assert_eq!(Network::of(one) == Network::of(other), same);
        assert_eq!(Network::of(one).to_string() == Network::of(other).to_string(), same);
    }

    #[rstest]
    #[case("198.51.100.7", "198.51.100.254", true)]
    #[case("198.51.100.7", "198.51.101.7", false)]
    #[case("2001:db8:1:2::1", "2001:db8:1:3::1", true)]
    #[case("2001:db8:1:2::1", "2001:db8:2:2::1", false)]
    fn one_line_of_ipv6_has_many_networks_and_one_widest(#[case] one: IpAddr, #[case] other: IpAddr, #[case] same: bool) {
        assert_eq!(Network::of(one).widest() == Network::of(other).widest(), same);
    }
}
