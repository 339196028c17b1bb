//! A block of addresses as networks are written (CIDR, RFC 4632 and RFC 4291): from where a key is good, or somebody may read.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Neighbouring addresses: `198.51.100.0/24`, `2001:db8::/48`, or a single one, `198.51.100.7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressBlock {
    first: IpAddr,
    bits: u8,
}

impl AddressBlock {
    /// Whether the address lies in it. IPv4 that came as IPv6 (`::ffff:198.51.100.7`) is IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.first) && begin(address, self.bits) == self.first
    }

    const fn is_one(&self) -> bool {
        self.bits == width(self.first)
    }
}

/// Whether an address lies in one of the blocks.
#[must_use]
pub fn any_contains(blocks: &[AddressBlock], address: IpAddr) -> bool {
    blocks.iter().any(|block| block.contains(address))
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The first address of the block of this length around an address.
fn begin(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or_default()).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(128 - bits).unwrap_or_default()).into(),
    }
}

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, bits: width(first) }
    }
}

impl From<Ipv4Addr> for AddressBlock {
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::V4(address).into()
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() { write!(f, "{}", self.first) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

/// The text is no block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressBlockError {
    /// What stands before the slash is no address.
    #[error("a network is an address, or an address with a length: 198.51.100.0/24, 2001:db8::/48")]
    NoAddress,
    /// The length is none, or longer than an address.
    #[error("the length of a network is a number of bits, at most 32 of IPv4 and 128 of IPv6")]
    NoLength,
    /// The address is not the first of its block: which one is meant, the address or the block, cannot be told.
    #[error("the network of this length begins at {first}")]
    NotTheFirst {
        /// Where it begins.
        first: IpAddr,
    },
}

impl FromStr for AddressBlock {
    type Err = AddressBlockError;

    fn from_str(text: &str) -> Result<Self, AddressBlockError> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| AddressBlockError::NoAddress)?;
        let Some(length) = length else { return Ok(address.into()) };
        // `+8` is a number for Rust, and no length
        let sound = length.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = length.parse().ok().filter(|_| sound).ok_or(AddressBlockError::NoLength)?;
        let first = address.to_canonical();
        let mapped = width(address) - width(first);
        let bits = bits.checked_sub(mapped).filter(|&bits| bits <= width(first)).ok_or(AddressBlockError::NoLength)?;
        match begin(first, bits) {
            begins if begins == first => Ok(Self { first, bits }),
            begins => Err(AddressBlockError::NotTheFirst { first: begins }),
        }
    }
}

crate::text_form::text_form!(AddressBlock, "an address, or a network as <address>/<bits>", "198.51.100.0/24");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("198.51.100.0/24", "198.51.100.255", true)]
    #[case("198.51.100.0/24", "198.51.101.0", false)]
    #[case("198.51.100.0/24", "::ffff:198.51.100.7", true)]
    #[case("198.51.100.7", "198.51.100.7", true)]
    #[case("198.51.100.7", "198.51.100.8", false)]
    #[case("198.51.100.6/31", "198.51.100.7", true)]
    #[case("0.0.0.0/0", "203.0.113.9", true)]
    #[case("0.0.0.0/0", "2001:db8::1", false)]
    #[case("2001:db8:1::/48", "2001:db8:1:ffff::1", true)]
    #[case("2001:db8:1::/48", "2001:db8:2::1", false)]
    #[case("2001:db8::7", "2001:db8::7", true)]
    #[case("::/0", "2001:db8::1", true)]
    #[case("::/0", "198.51.100.7", false)]
    #[case("::ffff:198.51.100.0/120", "198.51.100.7", true)]
    fn an_address_lies_in_its_own_network_and_in_no_other(#[case] block: AddressBlock, #[case] address: IpAddr, #[case] lies_in: bool) {
        assert_eq!(block.contains(address), lies_in);
    }

    #[rstest]
    #[case("", AddressBlockError::NoAddress)]
    #[case("198.51.100", AddressBlockError::NoAddress)]
    #[case("198.51.100.0 /24", AddressBlockError::NoAddress)]
    #[case("example.cn", AddressBlockError::NoAddress)]
    #[case("198.51.100.0/33", AddressBlockError::NoLength)]
    #[case("198.51.100.0/", AddressBlockError::NoLength)]
    #[case("198.51.100.0/+8", AddressBlockError::NoLength)]
    #[case("198.51.100.0/24/8", AddressBlockError::NoLength)]
    #[case("2001:db8::/129", AddressBlockError::NoLength)]
    #[case("::ffff:198.51.100.0/24", AddressBlockError::NoLength)]
    #[case("198.51.100.7/24", AddressBlockError::NotTheFirst { first: "198.51.100.0".parse().unwrap() })]
    #[case("2001:db8::7/48", AddressBlockError::NotTheFirst { first: "2001:db8::".parse().unwrap() })]
    fn what_is_no_network_is_refused(#[case] text: &str, #[case] why: AddressBlockError) {
        assert_eq!(text.parse::<AddressBlock>(), Err(why));
    }

    proptest! {
        #[test]
        fn a_network_reads_as_it_is_written_and_holds_its_first_address(address: IpAddr, bits in 0..=128_u8) {
            let address = address.to_canonical();
            let bits = bits.min(width(address));
            let block: AddressBlock = format!("{}/{bits}", begin(address, bits)).parse().unwrap();
            prop_assert_eq!(block.to_string().parse(), Ok(block));
            prop_assert!(block.contains(address) && block.contains(begin(address, bits)));
        }

        #[test]
        fn no_text_makes_the_reader_of_networks_panic(text in "\\PC{0,60}") {
            let _ = text.parse::<AddressBlock>();
        }
    }
}
