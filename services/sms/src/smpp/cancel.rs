//! Taking messages back: `cancel_sm` (SMPP 3.4 §4.9), for alerts that were stopped.
//!
//! The centre may have delivered them already, or know no such command: what it answers is counted, nothing depends on it.

use std::sync::atomic::{AtomicU32, Ordering};

use rusmpp::{
    CommandId,
    encode::{Encode, Length},
    pdus::CancelSm,
};

use super::{session::c_string, source::Source, submit::Account};

/// Octets of a PDU before its body.
const HEADER: usize = 16;
/// Far from the numbers that the library gives.
const FIRST_SEQUENCE_NUMBER: u32 = 0x4000_0000;
const LAST_SEQUENCE_NUMBER: u32 = 0x7FFF_FFFF;

impl Account {
    /// Asks the centre to deliver these messages no more. False: no bind is up, nobody was asked.
    pub async fn cancel(&self, ids: &[String]) -> bool {
        let Some((_, bound)) = self.links.roomiest() else { return false };
        let pdus: Vec<u8> = ids.iter().filter_map(|id| pdu(&self.source, id)).flatten().collect();
        if pdus.is_empty() {
            return true;
        }
        bound.beside.put(&pdus);
        // What is put beside is written when the library writes something.
        bound.client.no_wait().enquire_link().await.is_ok()
    }
}

fn pdu(source: &Source, id: &str) -> Option<Vec<u8>> {
    static SEQUENCE_NUMBER: AtomicU32 = AtomicU32::new(FIRST_SEQUENCE_NUMBER);
    // With the message's id the recipient need not be named (§4.9.1).
    let cancel = CancelSm::builder()
        .message_id(c_string(id)?)
        .source_addr_ton(source.ton)
        .source_addr_npi(source.npi)
        .source_addr(source.address.clone())
        .build();
    let next = |number: u32| Some(if number >= LAST_SEQUENCE_NUMBER { FIRST_SEQUENCE_NUMBER } else { number + 1 });
    let sequence_number = SEQUENCE_NUMBER.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    let length = HEADER + cancel.length();
    let mut pdu = vec![0; length];
    let header = [u32::try_from(length).ok()?, CommandId::CancelSm.into(), 0, sequence_number];
    let (head, body) = pdu.split_at_mut(HEADER);
    head.chunks_exact_mut(4).zip(header).for_each(|(octets, number)| octets.copy_from_slice(&number.to_be_bytes()));
    cancel.encode(body);
    Some(pdu)
}

#[cfg(test)]
mod tests {
    use rusmpp::{Pdu, tokio_codec::CommandCodec};
    use tokio_util::{bytes::BytesMut, codec::Decoder as _};

    use super::*;

    #[test]
    fn the_centre_reads_which_message_is_taken_back() {
        let source = Source::of("106912320").unwrap();
        let mut octets: BytesMut = [pdu(&source, "0000012345").unwrap(), pdu(&source, "AB-1").unwrap()].concat().as_slice().into();
        let mut codec = CommandCodec::new();
        let mut read = || codec.decode(&mut octets).unwrap().unwrap();
        let (first, second) = (read(), read());
        assert!(second.sequence_number() > first.sequence_number() && first.sequence_number() >= FIRST_SEQUENCE_NUMBER);
        let Some(Pdu::CancelSm(cancel)) = first.pdu() else { panic!("{first:?}") };
        assert_eq!((cancel.message_id.as_str(), cancel.source_addr.as_str()), ("0000012345", "106912320"));
    }
}
