//! A bare submit loop: what the SMS library and the simulated SMS centre do together when there is no platform between.
//!
//! As many binds and as large a window as the platform uses, on the same socket (without it the library leaves PDUs behind);
//! nothing looked up, nothing kept, receipts answered and forgotten.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rusmpp::Pdu;
use rusmpp::pdus::{BindTransceiver, DeliverSmResp, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use rusmppc::{Client, ConnectionBuilder, Event};
use sms::smpp::socket::Prompt;
use tokio::net::TcpStream;

use crate::city::Providers;

/// Submits `messages` of one part over `binds` connections with `window` unanswered each, and returns messages a second.
pub async fn bare_smpp(providers: &Providers, messages: u32, binds: u32, window: usize) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..binds {
        clients.push(bind(providers).await?);
    }
    let share = messages / binds;
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..binds).zip(clients).map(|(at, client)| tokio::spawn(run(client, at * share + 1..=(at + 1) * share, window))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(f64::from(share * binds) / began.elapsed().as_secs_f64())
}

async fn bind(providers: &Providers) -> Result<Client> {
    let socket = TcpStream::connect(providers.addresses.smpp).await?;
    socket.set_nodelay(true)?;
    let (client, mut events) = ConnectionBuilder::new()
        .max_command_length(64 * 1024)
        .response_timeout(Duration::from_secs(10))
        .disable_interface_version_check()
        .connected(Prompt(socket));
    let bind = BindTransceiver::builder()
        .system_id(COctetString::from_string(providers.credentials.smpp_system_id.clone())?)
        .password(COctetString::from_string(providers.credentials.smpp_password.clone())?)
        .interface_version(InterfaceVersion::Smpp3_4)
        .build();
    client.bind_transceiver(bind).await?;
    let own = client.clone();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let Event::Incoming(command) = event else { return };
            let sequence = command.sequence_number();
            if let Some(Pdu::DeliverSm(_)) = command.into_parts().raw().3 {
                let _ = own.deliver_sm_resp(sequence, DeliverSmResp::default()).await;
            }
        }
    });
    Ok(client)
}

async fn run(client: Client, numbers: std::ops::RangeInclusive<u32>, window: usize) -> Result<()> {
    let text: Vec<u8> = "【烽火】自来水受污染，请饮用瓶装水。回复 1234 确认".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut flying = FuturesUnordered::new();
    let mut accepted = 0;
    let all = numbers.clone().count();
    for no in numbers {
        while flying.len() >= window {
            accepted += usize::from(flying.next().await.is_some_and(|answer: Result<_, rusmppc::error::Error>| answer.is_ok()));
        }
        let message = SubmitSm::builder()
            .source_addr_ton(Ton::Unknown)
            .source_addr_npi(Npi::Isdn)
            .source_addr(COctetString::from_string("106912320".to_owned())?)
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(COctetString::from_string(format!("86190{no:08}"))?)
            .esm_class(EsmClass::from(0x00))
            .registered_delivery(RegisteredDelivery::from(0x01))
            .data_coding(DataCoding::Ucs2)
            .short_message(OctetString::from_slice(&text)?)
            .build();
        let client = client.clone();
        flying.push(async move { client.submit_sm(message).await });
    }
    while let Some(answer) = flying.next().await {
        accepted += usize::from(answer.is_ok());
    }
    ensure!(accepted == all, "{accepted} of {all} messages were accepted");
    Ok(())
}
