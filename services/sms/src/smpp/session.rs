//! One bind to the SMS centre: connect, bind as transceiver, keep alive, hand on what is delivered, come back after a break.
//!
//! `rusmppc` speaks the protocol on an open socket; this file is what it leaves out. The socket is opened here, without
//! Nagle's delay, since a window of small PDUs would otherwise wait for each other. A broken link comes back by itself with
//! backoff; refused credentials are an alarm and are tried again slowly, until an operator has mended them. Answers that nobody waits
//! for any more go where they settle their part ([`late`](super::late)).
//!
//! Time-outs of the network run on real time; the pauses between attempts run on the platform's clock.

use std::{io, num::NonZeroU32, sync::Arc, time::Duration};

use domain::retry::Backoff;
use futures::{Stream, StreamExt};
use platform::clock::Clock;
use platform::encryption;
use rusmpp::{
    CommandId, CommandStatus, Pdu,
    pdus::{BindTransceiver, DeliverSm, DeliverSmResp},
    types::COctetString,
    values::InterfaceVersion,
};
use rusmppc::{Client, ConnectionBuilder, Event};
use secrecy::ExposeSecret;
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc, watch},
    time::timeout,
};
use tokio_rustls::{client::TlsStream, rustls::pki_types::ServerName};
use tokio_util::either::Either;

use super::{
    answer::BindAnswer,
    beside::{Beside, Shared},
    late::{Late, LateAnswer},
    socket::Prompt,
};
use crate::settings::Settings;

/// Pauses between attempts to bind.
const RECONNECT: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(60), factor: 2 };

/// The pause after refused credentials: centres lock accounts that try too often.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// The largest PDU that is read, in bytes: a `deliver_sm` with a payload of some kilobytes is far below.
const PDU_LIMIT: usize = 64 * 1024;

/// Whether a link can be used.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Connecting, or waiting to.
    Down,
    /// The centre does not accept the account.
    Refused,
    /// Ready to submit.
    Bound(Bound),
}

/// A connection that may submit.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) client: Client,
    /// What is sent beside the library.
    pub(super) beside: Arc<Beside>,
}

/// One bind as the submitting side sees it.
pub(super) struct Link {
    pub(super) state: watch::Receiver<State>,
    /// Free places in its window.
    pub(super) window: Arc<Semaphore>,
    /// Its parts whose answer stays out.
    pub(super) late: Arc<Late>,
}

/// Something the centre delivered, waiting for our answer. Answer only what is stored: unanswered, it is delivered again.
pub struct Delivered {
    /// The message.
    pub message: DeliverSm,
    sequence_number: u32,
    client: Client,
}

impl Delivered {
    /// Tells the centre that we have it.
    pub async fn accept(self) {
        // A lost connection needs no care: the centre delivers again, and everything delivered is stored idempotently.
        let _ = self.client.deliver_sm_resp(self.sequence_number, DeliverSmResp::default()).await;
    }

    /// Asks the centre to deliver it again later (`ESME_RX_T_APPN`).
    pub async fn defer(self) {
        let _ = self.client.status(CommandStatus::EsmeRxTAppn).deliver_sm_resp(self.sequence_number, DeliverSmResp::default()).await;
    }
}

/// Why a link is not bound.
#[derive(Debug, thiserror::Error)]
pub enum Unbound {
    /// Nobody listens there, or the way is closed.
    #[error("the SMS centre cannot be reached")]
    Connect(#[source] io::Error),
    /// It speaks no TLS, or shows a certificate that is not believed.
    #[error("the connection to the SMS centre cannot be encrypted")]
    Encryption(#[source] io::Error),
    /// The authority that is to be believed cannot be read.
    #[error(transparent)]
    Authority(#[from] platform::Error),
    /// It took the connection or the bind and said nothing.
    #[error("the SMS centre did not answer within {0:?}")]
    Silent(Duration),
    /// Account or password are not the centre's.
    #[error("the SMS centre refuses the account ({0:?})")]
    Refused(CommandStatus),
    /// The account is good, but cannot be bound at present.
    #[error("the SMS centre cannot bind the account now ({0:?})")]
    NotNow(CommandStatus),
    /// A setting does not fit into the protocol.
    #[error("the setting sms.{0} is longer than SMPP allows or is not ASCII")]
    Setting(&'static str),
    /// The centre hung up, or does not speak SMPP.
    #[error("the connection broke while binding")]
    Broken(#[source] rusmppc::error::Error),
}

/// Binds once, as every link does, and unbinds: whether the centre takes the account.
///
/// # Errors
/// When it does not.
pub async fn try_account(settings: &Settings) -> Result<(), Unbound> {
    let (Bound { client, .. }, _events) = bind(settings).await?;
    // it is bound, which is what was asked; a centre that does not answer the goodbye is told by the end of the connection
    let _ = client.unbind().await;
    let _ = client.close().await;
    Ok(())
}

/// Runs one link until the platform stops. `number` tells links of the account apart in the log.
pub(super) struct Runner {
    pub(super) number: NonZeroU32,
    pub(super) settings: Arc<Settings>,
    pub(super) clock: Clock,
    pub(super) state: watch::Sender<State>,
    pub(super) delivered: mpsc::Sender<Delivered>,
    pub(super) late: Arc<Late>,
}

impl Runner {
    pub(super) fn new(
        number: NonZeroU32,
        settings: &Arc<Settings>,
        clock: &Clock,
        delivered: &mpsc::Sender<Delivered>,
        answered_late: &mpsc::UnboundedSender<LateAnswer>,
    ) -> (Link, Self) {
        let (state, seen) = watch::channel(State::Down);
        let window = Arc::new(Semaphore::new(settings.window.get()));
        let late = Arc::new(Late::new(answered_late.clone()));
        let link = Link { state: seen, window, late: late.clone() };
        (link, Self { number, settings: settings.clone(), clock: clock.clone(), state, delivered: delivered.clone(), late })
    }

    /// Binds, serves, comes back; ends when the task is stopped.
    pub(super) async fn run(&self) {
        self.state.send_replace(State::Down);
        let mut failures: u8 = 0;
        loop {
            let pause = match bind(&self.settings).await {
                Ok((bound, events)) => {
                    failures = 0;
                    tracing::info!(link = self.number, "bound to the SMS centre");
                    metrics::gauge!("sms_links_bound").increment(1.0);
                    self.state.send_replace(State::Bound(bound.clone()));
                    self.serve(&bound.client, events).await;
                    self.late.end();
                    self.state.send_replace(State::Down);
                    metrics::gauge!("sms_links_bound").decrement(1.0);
                    RECONNECT.delay(1, rand::random())
                }
                Err(refused @ Unbound::Refused(_)) => {
                    metrics::counter!("sms_credentials_refused_total").increment(1);
                    tracing::error!(link = self.number, error = %refused, "SMS is held until the account is mended");
                    self.state.send_replace(State::Refused);
                    REFUSED_PAUSE
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    let pause = RECONNECT.delay(failures, rand::random());
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(link = self.number, %error, cause, pause_ms = pause.as_millis(), "no link to the SMS centre");
                    self.state.send_replace(State::Down);
                    pause
                }
            };
            self.clock.sleep(pause).await;
        }
    }

    /// Hands on what is delivered, until the connection ends. What the library reports besides is not logged: it holds numbers.
    async fn serve(&self, client: &Client, mut events: impl Stream<Item = Event> + Unpin) {
        while let Some(event) = events.next().await {
            let command = match event {
                Event::Incoming(command) => command,
                Event::Error(_) => {
                    tracing::warn!(link = self.number, "the link to the SMS centre broke");
                    metrics::counter!("sms_links_broken_total").increment(1);
                    continue;
                }
            };
            let (id, status, sequence_number) = (command.id(), command.status(), command.sequence_number());
            match command.into_parts().raw().3 {
                Some(Pdu::DeliverSm(message)) => {
                    let delivered = Delivered { message, sequence_number, client: client.clone() };
                    if self.delivered.send(delivered).await.is_err() {
                        return;
                    }
                }
                Some(Pdu::Unbind) => {
                    let _ = client.unbind_resp(sequence_number).await;
                    let _ = client.close().await;
                }
                answer if id == CommandId::SubmitSmResp || id == CommandId::GenericNack => {
                    self.late.answered(sequence_number, status, answer.as_ref());
                }
                _ if id == CommandId::CancelSmResp => count_taken_back(status),
                _ if id.is_response() => {}
                Some(Pdu::AlertNotification(_)) => {}
                _ => {
                    let _ = client.status(CommandStatus::EsmeRinvcmdid).generic_nack(sequence_number).await;
                }
            }
        }
    }
}

/// What the centre says of a message that it is asked to deliver no more.
fn count_taken_back(status: CommandStatus) {
    let answer = if status == CommandStatus::EsmeRok { "taken_back" } else { "refused" };
    metrics::counter!("sms_cancelled_total", "answer" => answer).increment(1);
}

async fn bind(settings: &Settings) -> Result<(Bound, impl Stream<Item = Event> + Unpin + use<>), Unbound> {
    let patience = Duration::from_secs(settings.connect_timeout_s);
    let address = (settings.host.as_str(), settings.port);
    let socket = timeout(patience, TcpStream::connect(address)).await.map_err(|_| Unbound::Silent(patience))?;
    let socket = socket.map_err(Unbound::Connect)?;
    socket.set_nodelay(true).map_err(Unbound::Connect)?;
    let socket = encrypted(settings, socket, patience).await?;

    let beside = Arc::<Beside>::default();
    let of_answers = Duration::from_secs(settings.response_timeout_s);
    let (client, events) = ConnectionBuilder::new()
        .max_command_length(PDU_LIMIT)
        .enquire_link_interval(Duration::from_secs(settings.enquire_link_s))
        .enquire_link_response_timeout(of_answers)
        .response_timeout(of_answers)
        // We bind as 3.4; the library would insist on 5.0.
        .disable_interface_version_check()
        .connected(Prompt(Shared::new(socket, beside.clone())));
    let bind = BindTransceiver::builder()
        .system_id(text(&settings.system_id, "system_id")?)
        .password(text(settings.password.expose_secret(), "password")?)
        .system_type(text(&settings.system_type, "system_type")?)
        .interface_version(InterfaceVersion::Smpp3_4)
        .build();
    match timeout(patience, client.bind_transceiver(bind)).await.map_err(|_| Unbound::Silent(patience))? {
        Ok(_) => Ok((Bound { client, beside }, events)),
        Err(rusmppc::error::Error::UnexpectedResponse { response }) => match BindAnswer::to_bind(response.status()) {
            BindAnswer::CredentialsRefused => Err(Unbound::Refused(response.status())),
            BindAnswer::Bound | BindAnswer::Temporary => Err(Unbound::NotNow(response.status())),
        },
        Err(rusmppc::error::Error::ResponseTimeout { timeout, .. }) => Err(Unbound::Silent(timeout)),
        Err(error) => Err(Unbound::Broken(error)),
    }
}

/// The connection as it is spoken over: through TLS where the settings ask for it.
async fn encrypted(
    settings: &Settings,
    socket: TcpStream,
    patience: Duration,
) -> Result<Either<TcpStream, Box<TlsStream<TcpStream>>>, Unbound> {
    let Some(connector) = encryption::connector(&settings.host, settings.tls, settings.ca_file.as_deref(), "sms.ca_file")? else {
        return Ok(Either::Left(socket));
    };
    let name = ServerName::try_from(settings.host.clone()).map_err(|error| Unbound::Encryption(io::Error::other(error)))?;
    let opened = timeout(patience, connector.connect(name, socket)).await.map_err(|_| Unbound::Silent(patience))?;
    Ok(Either::Right(Box::new(opened.map_err(Unbound::Encryption)?)))
}

/// A setting as the protocol's NUL-terminated ASCII.
pub(super) fn c_string<const MAX: usize>(value: &str) -> Option<COctetString<1, MAX>> {
    let ascii = value.is_ascii() && !value.contains('\0');
    ascii.then(|| COctetString::from_string(value.to_owned()).ok()).flatten()
}

fn text<const MAX: usize>(value: &str, name: &'static str) -> Result<COctetString<1, MAX>, Unbound> {
    c_string(value).ok_or(Unbound::Setting(name))
}
