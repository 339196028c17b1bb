//! One SMPP session: bind, then submits in, receipts and replies out, until unbind or the end of the connection.
//!
//! Submits that wait for their answer fill the window; beyond it they are throttled at once. What the platform sent together is answered together, in one write.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, SinkExt, StreamExt};
use rusmpp::{
    Command, CommandId, CommandStatus, Pdu,
    pdus::{BindReceiverResp, BindTransceiverResp, BindTransmitterResp, DeliverSm, SubmitSm, SubmitSmResp},
    tokio_codec::CommandCodec,
    types::COctetString,
    values::InterfaceVersion,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until},
};
use tokio_util::{codec::Framed, sync::CancellationToken, task::TaskTracker};

use super::{
    Smsc,
    submission::{Judgement, status_name},
};
use crate::dice::Dice;

/// Deliveries that may wait for the platform's answer.
const DELIVERY_WINDOW: usize = 64;
/// Submits answered in one write.
const TOGETHER: usize = 256;

type Link = Framed<TcpStream, CommandCodec>;

/// What a session may do (SMPP 3.4 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    No,
    Transmitter,
    Receiver,
    Transceiver,
}

/// Why a session ends.
struct Ended;

struct Session<'a> {
    smsc: &'a Smsc,
    link: Link,
    bound: Bound,
    dice: Dice,
    /// Answers held back, in the order in which they are due.
    delayed: VecDeque<(Instant, Command)>,
    /// Submits that will never be answered.
    hung: usize,
    sequence_number: u32,
    /// Deliveries sent and not yet acknowledged.
    unacknowledged: HashMap<u32, DeliverSm>,
}

/// Accepts sessions until stopped.
pub(crate) async fn listen(listener: TcpListener, smsc: Arc<Smsc>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((socket, _)) = accepted else { continue };
        let (smsc, stop) = (smsc.clone(), stop.clone());
        tasks.spawn(async move {
            socket.set_nodelay(true).ok();
            let _open = smsc.tallies.connection_opened();
            tokio::select! {
                () = serve(&smsc, socket) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Serves a session to its end; deliveries that were not acknowledged wait for the next one.
async fn serve(smsc: &Smsc, socket: TcpStream) {
    let mut session = Session {
        smsc,
        link: Framed::new(socket, CommandCodec::new()),
        bound: Bound::No,
        dice: Dice::default(),
        delayed: VecDeque::new(),
        hung: 0,
        sequence_number: 0,
        unacknowledged: HashMap::new(),
    };
    while session.step().await.is_ok() {}
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.smsc.deliveries.give_back(self.unacknowledged.drain().map(|(_, delivery)| delivery));
    }
}

impl Session<'_> {
    /// Waits for whatever comes next, takes what has come with it, writes all of it.
    async fn step(&mut self) -> Result<(), Ended> {
        let may_deliver = matches!(self.bound, Bound::Receiver | Bound::Transceiver) && self.unacknowledged.len() < DELIVERY_WINDOW;
        let due = self.delayed.front().map(|(due, _)| *due);
        tokio::select! {
            incoming = self.link.next() => {
                self.handle(incoming).await?;
                for _ in 1..TOGETHER {
                    let Some(incoming) = self.link.next().now_or_never() else { break };
                    self.handle(incoming).await?;
                }
            }
            delivery = self.smsc.deliveries.next(), if may_deliver => self.deliver(delivery).await?,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        while self.delayed.front().is_some_and(|(due, _)| *due <= Instant::now()) {
            if let Some((_, response)) = self.delayed.pop_front() {
                self.feed(response).await?;
            }
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        SinkExt::<Command>::flush(&mut self.link).await.map_err(|_| Ended)
    }

    async fn feed(&mut self, command: Command) -> Result<(), Ended> {
        self.link.feed(command).await.map_err(|_| Ended)
    }

    async fn handle(&mut self, incoming: Option<Result<Command, rusmpp::tokio_codec::DecodeError>>) -> Result<(), Ended> {
        let Some(Ok(command)) = incoming else { return Err(Ended) };
        let sequence_number = command.sequence_number();
        let answer = |status, pdu: Pdu| Command::new(status, sequence_number, pdu);
        match command.pdu() {
            Some(Pdu::BindTransceiver(bind)) => {
                let status = self.bind(Bound::Transceiver, bind.system_id.as_str(), bind.password.as_str());
                let (system_id, version) = self.identity(bind.interface_version);
                self.feed(answer(status, BindTransceiverResp::new(system_id, version).into())).await
            }
            Some(Pdu::BindTransmitter(bind)) => {
                let status = self.bind(Bound::Transmitter, bind.system_id.as_str(), bind.password.as_str());
                let (system_id, version) = self.identity(bind.interface_version);
                self.feed(answer(status, BindTransmitterResp::new(system_id, version).into())).await
            }
            Some(Pdu::BindReceiver(bind)) => {
                let status = self.bind(Bound::Receiver, bind.system_id.as_str(), bind.password.as_str());
                let (system_id, version) = self.identity(bind.interface_version);
                self.feed(answer(status, BindReceiverResp::new(system_id, version).into())).await
            }
            Some(Pdu::SubmitSm(submit)) => self.submit(sequence_number, submit).await,
            Some(Pdu::CancelSm(cancel)) => {
                self.smsc.take_back(cancel.message_id.as_str());
                self.feed(answer(CommandStatus::EsmeRok, Pdu::CancelSmResp)).await
            }
            Some(Pdu::EnquireLink) => self.feed(answer(CommandStatus::EsmeRok, Pdu::EnquireLinkResp)).await,
            Some(Pdu::Unbind) => {
                self.feed(answer(CommandStatus::EsmeRok, Pdu::UnbindResp)).await?;
                self.flush().await?;
                Err(Ended)
            }
            _ => match command.id() {
                CommandId::DeliverSmResp => {
                    self.acknowledged(sequence_number, command.status());
                    Ok(())
                }
                CommandId::UnbindResp | CommandId::EnquireLinkResp | CommandId::GenericNack => Ok(()),
                _ => self.feed(answer(CommandStatus::EsmeRinvcmdid, Pdu::GenericNack)).await,
            },
        }
    }

    fn bind(&mut self, wanted: Bound, system_id: &str, password: &str) -> CommandStatus {
        let status = match () {
            () if self.bound != Bound::No => CommandStatus::EsmeRalybnd,
            () if system_id != self.smsc.system_id => CommandStatus::EsmeRinvsysid,
            () if password != self.smsc.password || self.smsc.faults.now().refuses_credentials() => CommandStatus::EsmeRinvpaswd,
            () => {
                self.bound = wanted;
                return CommandStatus::EsmeRok;
            }
        };
        self.smsc.tallies.refused(status_name(status));
        status
    }

    /// The centre's name, and its version for clients that know version 3.4 or later (SMPP 3.4 §5.3.2.25).
    fn identity(&self, version: InterfaceVersion) -> (COctetString<1, 16>, Option<InterfaceVersion>) {
        let knows_tlvs = u8::from(version) >= u8::from(InterfaceVersion::Smpp3_4);
        (COctetString::from_static_slice(b"SMSC\0").unwrap_or_default(), knows_tlvs.then_some(InterfaceVersion::Smpp3_4))
    }

    async fn submit(&mut self, sequence_number: u32, submit: &SubmitSm) -> Result<(), Ended> {
        self.smsc.tallies.request();
        let refusal = match self.bound {
            Bound::No | Bound::Receiver => Some(CommandStatus::EsmeRinvbndsts),
            _ if self.delayed.len() + self.hung >= self.smsc.window => Some(CommandStatus::EsmeRthrottled),
            _ => None,
        };
        if let Some(status) = refusal {
            return self.feed(self.refuse(status, sequence_number)).await;
        }
        let mut late = Duration::ZERO;
        let response = match self.smsc.judge(submit, &mut self.dice) {
            Judgement::Accepted { message_id, receipts, late: by } => {
                late = by;
                receipts.into_iter().for_each(|receipt| self.smsc.deliveries.push(receipt));
                let message_id = COctetString::from_string(message_id).unwrap_or_default();
                Command::new(CommandStatus::EsmeRok, sequence_number, SubmitSmResp::new(message_id, Vec::new()))
            }
            Judgement::Refused(status) => self.refuse(status, sequence_number),
            Judgement::Nonsense => {
                self.smsc.tallies.refused("nonsense");
                Command::new(CommandStatus::Other(0x0BAD), sequence_number, Pdu::GenericNack)
            }
            Judgement::Hang => {
                self.hung += 1;
                self.smsc.tallies.refused("hung");
                return Ok(());
            }
            Judgement::Break => {
                self.smsc.tallies.refused("connection closed");
                return Err(Ended);
            }
        };
        let latency = self.smsc.faults.now().latency + late;
        if latency.is_zero() && self.delayed.front().is_none_or(|(due, _)| *due > Instant::now()) {
            return self.feed(response).await;
        }
        let due = Instant::now() + latency;
        let place = self.delayed.partition_point(|(earlier, _)| *earlier <= due);
        self.delayed.insert(place, (due, response));
        Ok(())
    }

    fn refuse(&self, status: CommandStatus, sequence_number: u32) -> Command {
        self.smsc.tallies.refused(status_name(status));
        Command::new(status, sequence_number, SubmitSmResp::default())
    }

    async fn deliver(&mut self, delivery: DeliverSm) -> Result<(), Ended> {
        let mut delivery = Some(delivery);
        while let Some(next) = delivery.take() {
            self.sequence_number = self.sequence_number % 0x7FFF_FFFF + 1;
            let command = Command::new(CommandStatus::EsmeRok, self.sequence_number, next.clone());
            self.unacknowledged.insert(self.sequence_number, next);
            self.feed(command).await?;
            if self.unacknowledged.len() < DELIVERY_WINDOW {
                delivery = self.smsc.deliveries.try_next();
            }
        }
        Ok(())
    }

    fn acknowledged(&mut self, sequence_number: u32, status: CommandStatus) {
        let Some(delivery) = self.unacknowledged.remove(&sequence_number) else { return };
        if status == CommandStatus::EsmeRok {
            self.smsc.deliveries.acknowledged();
            self.smsc.tallies.changed();
        } else {
            self.smsc.deliveries.give_back([delivery]);
        }
    }
}
