//! The handle of all simulators, which tests hold.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    apns::Apns,
    fault::{Fault, FaultPlan, Faults},
    fcm::Fcm,
    ledger::Ledger,
    options::{Addresses, Credentials},
    received::{Provider, ReceivedPush, ReceivedSms},
    smsc::{Smsc, phone_key},
    statistics::Statistics,
    web_push::WebPush,
};

/// The running simulators. Clones share them; they run until [`Simulators::stop`].
#[derive(Debug, Clone)]
pub struct Simulators(pub(crate) Arc<Running>);

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) apns: Arc<Apns>,
    pub(crate) fcm: Arc<Fcm>,
    pub(crate) web_push: Arc<WebPush>,
    pub(crate) smsc: Arc<Smsc>,
    pub(crate) addresses: Addresses,
    pub(crate) credentials: Credentials,
    pub(crate) changed: Arc<Notify>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Simulators {
    /// Closes all connections and ports; returns when that is done.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }

    /// Where the simulators listen.
    pub fn addresses(&self) -> Addresses {
        self.0.addresses
    }

    /// What the platform needs to be let in.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// The last pushes to a token, installation id or id of a subscription, oldest first; empty unless `keep_payloads`.
    pub fn pushes_to(&self, token: &str) -> Vec<ReceivedPush> {
        let mut pushes = self.0.apns.kept.of(token);
        pushes.extend(self.0.fcm.kept.of(token));
        pushes.extend(self.0.web_push.kept.of(token));
        pushes.sort_by_key(|push| push.at);
        pushes
    }

    /// The last short messages to a phone, however its number is written, oldest first; empty unless `keep_payloads`.
    pub fn sms_to(&self, phone: &str) -> Vec<ReceivedSms> {
        self.0.smsc.kept.of(&phone_key(phone))
    }

    /// Ids of the short messages that the platform took back, in its order.
    pub fn sms_taken_back(&self) -> Vec<String> {
        self.0.smsc.taken_back()
    }

    /// An Android device loses its connection: Google keeps for it what it keeps.
    pub fn leave(&self, token: &str) {
        self.0.fcm.leave(token);
    }

    /// It is back, and gets what was kept.
    pub fn come_back(&self, token: &str) {
        self.0.fcm.come_back(token);
    }

    /// A resident answers by SMS. It waits when no receiver is bound.
    pub fn reply(&self, phone: &str, text: &str) {
        self.0.smsc.reply(phone, text);
    }

    /// Adds a fault to a provider.
    pub fn fault(&self, provider: Provider, mut fault: Fault) {
        if provider == Provider::Sms {
            fault.only = fault.only.iter().map(|phone| phone_key(phone)).collect();
        }
        self.faults(provider).add(fault);
    }

    /// Puts a plan in the place of all of a provider's faults.
    pub fn set_faults(&self, provider: Provider, mut plan: FaultPlan) {
        if provider == Provider::Sms {
            for fault in &mut plan.faults {
                fault.only = fault.only.iter().map(|phone| phone_key(phone)).collect();
            }
        }
        self.faults(provider).replace(plan);
    }

    /// Ends all faults of a provider.
    pub fn heal(&self, provider: Provider) {
        self.set_faults(provider, FaultPlan::default());
    }

    /// Counts of everything.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            apns: self.0.apns.tallies.push_statistics(&self.0.apns.ledger),
            fcm: self.0.fcm.tallies.push_statistics(&self.0.fcm.ledger),
            web_push: self.0.web_push.tallies.push_statistics(&self.0.web_push.ledger),
            sms: self.0.smsc.statistics(),
        }
    }

    /// How often a recipient was reached.
    pub fn times(&self, provider: Provider, recipient: &str) -> u64 {
        match provider {
            Provider::Sms => self.ledger(provider).count(&phone_key(recipient)).times,
            _ => self.ledger(provider).count(recipient).times,
        }
    }

    /// How often a token was reached under each collapse id; empty when counting is dense.
    pub fn collapse_ids(&self, provider: Provider, token: &str) -> BTreeMap<String, u64> {
        self.ledger(provider).count(token).collapse_ids
    }

    /// Every recipient with its count, for comparing sets. With dense counting a token is named by its first eight digits.
    pub fn recipients(&self, provider: Provider) -> impl Iterator<Item = (String, u64)> + '_ {
        (0..).map_while(move |index| self.ledger(provider).slice(index)).flatten()
    }

    /// Waits until what arrived or was refused satisfies a condition; returns at once when it already does. The caller sets the time limit.
    pub async fn until(&self, mut condition: impl FnMut(&Self) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Forgets what arrived and ends all faults.
    pub fn reset(&self) {
        for provider in [Provider::Apns, Provider::Fcm, Provider::WebPush, Provider::Sms] {
            self.heal(provider);
        }
        self.0.smsc.reset();
        self.0.apns.ledger.reset();
        self.0.apns.kept.reset();
        self.0.apns.tallies.reset();
        self.0.fcm.reset();
        self.0.web_push.reset();
    }

    pub(crate) fn ledger(&self, provider: Provider) -> &Ledger {
        match provider {
            Provider::Apns => &self.0.apns.ledger,
            Provider::Fcm => &self.0.fcm.ledger,
            Provider::WebPush => &self.0.web_push.ledger,
            Provider::Sms => &self.0.smsc.ledger,
        }
    }

    fn faults(&self, provider: Provider) -> &Faults {
        match provider {
            Provider::Apns => &self.0.apns.faults,
            Provider::Fcm => &self.0.fcm.faults,
            Provider::WebPush => &self.0.web_push.faults,
            Provider::Sms => &self.0.smsc.faults,
        }
    }
}
