//! Where a request comes from: for limits on attempts, never for logs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::address_block::{AddressBlock, any_contains};
use http::{Extensions, HeaderMap};

pub(super) const FORWARDED: &str = "x-forwarded-for";

/// The other end of the connection, as the server saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

/// Address of the client. Behind a proxy it is what the proxy says, if the proxy is one of ours (`http.trusted_proxies`);
/// what anybody else says about it is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    pub(super) fn of(extensions: &Extensions, headers: &HeaderMap, trusted: &[AddressBlock]) -> Self {
        let peer = peer(extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        if !any_contains(trusted, peer) {
            return Self(peer);
        }
        // Every proxy appends whom it saw: the last one that is no proxy of ours is the client. What cannot be read ends the list: what
        // stands before it nobody of ours has said.
        let told = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or_default());
        let hops: Vec<&str> = told.flat_map(|value| value.split(',')).collect();
        let mut last = peer;
        for hop in hops.into_iter().rev() {
            match read(hop.trim()) {
                Some(address) if any_contains(trusted, address) => last = address,
                Some(address) => return Self(address),
                None => break,
            }
        }
        Self(last)
    }
}

/// The other end of the connection.
pub(super) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// An address, with or without the port that some proxies write.
fn read(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    address.or_else(|_| hop.trim_matches(['[', ']']).parse()).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::direct("192.0.2.7", "", "192.0.2.7")]
    #[case::a_stranger_who_claims_to_be_a_proxy("192.0.2.7", "198.51.100.1", "192.0.2.7")]
    #[case::behind_our_proxy("10.0.0.1", "198.51.100.1", "198.51.100.1")]
    #[case::behind_two_of_ours("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1")]
    #[case::a_client_that_forges_the_start_of_the_list("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1")]
    #[case::our_proxy_without_a_word("10.0.0.1", "", "10.0.0.1")]
    #[case::with_a_port("10.0.0.1", "203.0.113.9, 198.51.100.1:4711", "198.51.100.1")]
    #[case::of_version_six_with_a_port("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7")]
    #[case::our_proxy_as_version_six_writes_it("10.0.0.1", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1")]
    #[case::what_a_client_forged_before_an_unknown_hop("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1")]
    #[case::behind_one_of_a_network_of_ours("10.9.0.4", "198.51.100.1, 10.9.0.200", "198.51.100.1")]
    #[case::beside_our_network("10.9.1.4", "198.51.100.1", "10.9.1.4")]
    #[case::what_a_client_forged_before_nothing("10.0.0.1", "203.0.113.9, , 10.0.0.2", "10.0.0.2")]
    fn the_client_is_whom_our_own_proxies_saw(#[case] peer: IpAddr, #[case] told: &str, #[case] client: IpAddr) {
        let trusted = ["10.0.0.1", "10.0.0.2", "10.9.0.0/24"].map(|proxy| proxy.parse().unwrap());
        let mut extensions = Extensions::new();
        extensions.insert(Peer(SocketAddr::new(peer, 1)));
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED, told.parse().unwrap());
        assert_eq!(ClientAddress::of(&extensions, &headers, &trusted), ClientAddress(client));
    }
}
