//! A centre that is spoken to through TLS.

use platform::encryption::Tls;
use secrecy::SecretString;
use simulators::{Options, Simulators};
use sms::Settings;
use sms::smpp::session::{Unbound, try_account};
use stages::Front;

/// The account of this centre, by way of a front.
fn settings(centre: &Simulators, front: &Front) -> Settings {
    let keys = centre.credentials();
    Settings {
        host: "localhost".to_owned(),
        port: front.address.port(),
        ca_file: Some(front.authority.clone()),
        system_id: keys.smpp_system_id.clone(),
        password: SecretString::from(keys.smpp_password.clone()),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_centre_is_bound_through_tls_by_who_believes_its_authority_and_by_nobody_else() {
    let centre = Simulators::start(Options::default()).await.unwrap();
    let address = centre.addresses().smpp.to_string();
    let front = Front::before(address.clone(), "localhost", false).await;
    try_account(&settings(&centre, &front)).await.expect("it binds");

    let another = Front::before(address.clone(), "localhost", false).await;
    let of_another = Settings { ca_file: Some(another.authority.clone()), ..settings(&centre, &front) };
    assert!(matches!(try_account(&of_another).await, Err(Unbound::Encryption(_))), "another authority");
    let misnamed = Front::before(address, "somebody.else", false).await;
    assert!(matches!(try_account(&settings(&centre, &misnamed)).await, Err(Unbound::Encryption(_))), "another name");

    // a centre that speaks no TLS gets no password
    let plain = Settings { port: centre.addresses().smpp.port(), connect_timeout_s: 3, ..settings(&centre, &front) };
    let refused = try_account(&plain).await;
    assert!(matches!(refused, Err(Unbound::Encryption(_) | Unbound::Silent(_))), "nothing is sent in the clear: {refused:?}");
    let lost = Settings { ca_file: Some("/nowhere/ca.pem".into()), ..settings(&centre, &front) };
    assert!(try_account(&lost).await.unwrap_err().to_string().contains("/nowhere/ca.pem"));

    // on this machine, and where somebody says so, it goes without
    let here = Settings { host: "127.0.0.1".to_owned(), ca_file: None, tls: Tls::Required, ..plain };
    try_account(&here).await.expect("it binds");
    centre.stop().await;
}
