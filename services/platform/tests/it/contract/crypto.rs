//! What the keys promise.

use platform::crypto::{KeySettings, Keyring, Purpose, Sealed};
use platform::{Error, Platform, scratch};

const PHONE: &[u8] = b"+8613800000000";

pub async fn what_was_sealed_opens_for_its_purpose_alone(platform: &Platform) {
    let keyring = &platform.keyring;
    let sealed = keyring.seal(Purpose::ResidentPhone, PHONE);
    assert!(!sealed.as_bytes().windows(4).any(|window| PHONE.windows(4).any(|plain| plain == window)), "nothing shows through");
    assert_ne!(sealed, keyring.seal(Purpose::ResidentPhone, PHONE), "equal texts look unequal");

    let stored = Sealed::from_bytes(sealed.into_bytes()).expect("as stored");
    assert_eq!(keyring.open(Purpose::ResidentPhone, &stored).expect("it opens").as_slice(), PHONE);
    let foreign = keyring.open(Purpose::ResidentName, &stored);
    assert!(matches!(foreign, Err(Error::Sealed { .. })), "another column's bytes");
}

pub async fn altered_or_cut_bytes_do_not_open(platform: &Platform) {
    let sealed = platform.keyring.seal(Purpose::PushToken, b"a token").into_bytes();
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        let opened = Sealed::from_bytes(altered).and_then(|altered| platform.keyring.open(Purpose::PushToken, &altered));
        assert!(matches!(opened, Err(Error::Sealed { .. })), "byte {at}");
        let cut = Sealed::from_bytes(sealed[..at].to_vec()).and_then(|cut| platform.keyring.open(Purpose::PushToken, &cut));
        assert!(matches!(cut, Err(Error::Sealed { .. })), "cut to {at} bytes");
    }
}

pub async fn a_hash_finds_equal_values_of_one_purpose(platform: &Platform) {
    let keyring = &platform.keyring;
    assert_eq!(keyring.hash(Purpose::ResidentPhone, PHONE), keyring.hash(Purpose::ResidentPhone, PHONE));
    assert_ne!(keyring.hash(Purpose::ResidentPhone, PHONE), keyring.hash(Purpose::IdentityNumber, PHONE));
    assert_ne!(keyring.hash(Purpose::ResidentPhone, PHONE), keyring.hash(Purpose::ResidentPhone, b"+8613800000001"));
    assert_ne!(keyring.hash(Purpose::ResidentPhone, PHONE), Keyring::random().hash(Purpose::ResidentPhone, PHONE));
}

pub async fn processes_that_start_at_once_agree_on_the_keys(platform: &Platform) {
    sqlx::raw_sql("delete from keys.wrapped_key").execute(platform.database.pool()).await.expect("no key yet");
    let settings = scratch::passing_key();
    let starts = (0..5).map(|_| Keyring::load(&settings, &platform.database));
    let keyrings = futures::future::try_join_all(starts).await.expect("all start");
    let sealed = keyrings[0].seal(Purpose::PushToken, b"a token");
    for keyring in &keyrings {
        assert_eq!(keyring.open(Purpose::PushToken, &sealed).expect("one key for all").as_slice(), b"a token");
        assert_eq!(keyring.hash(Purpose::PushToken, b"x"), keyrings[0].hash(Purpose::PushToken, b"x"));
    }
}

pub async fn another_master_key_is_refused(platform: &Platform) {
    let refused = Keyring::load(&scratch::passing_key(), &platform.database).await;
    assert!(matches!(refused, Err(Error::MasterKey { .. })), "the keys were made with another one");
}

pub async fn a_master_key_file_is_made_once_and_is_private(platform: &Platform) {
    use std::os::unix::fs::PermissionsExt as _;
    sqlx::raw_sql("delete from keys.wrapped_key").execute(platform.database.pool()).await.expect("no key yet");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("secrets/master.key");
    let missing = KeySettings { master_key_file: Some(file.clone()), ..KeySettings::default() };
    assert!(matches!(Keyring::load(&missing, &platform.database).await, Err(Error::File { .. })), "not made unasked");

    let made = KeySettings { create: true, ..missing };
    let sealed = Keyring::load(&made, &platform.database).await.expect("it is made").seal(Purpose::PushToken, b"x");
    assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    let again = Keyring::load(&made, &platform.database).await.expect("it is read");
    assert_eq!(again.open(Purpose::PushToken, &sealed).expect("the same key").as_slice(), b"x");
}
