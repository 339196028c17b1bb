//! The master key, and who can read the files with secrets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use platform::tasks::chain;
use secrecy::ExposeSecret as _;

use super::finding::Finding;
use crate::configuration::Configuration;

/// The rights of others and of the group, to read, write or execute.
const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;

pub(super) fn look(settings: &Configuration) -> Vec<Finding> {
    let mut findings = vec![of_master_key(settings)];
    let push = &settings.push;
    let files = [
        push.apns.as_ref().and_then(|apns| apns.key_file.as_deref()),
        push.web_push.as_ref().and_then(|web_push| web_push.key_file.as_deref()),
    ];
    let accounts = push.fcm.iter().flat_map(|fcm| &fcm.projects).map(|project| project.service_account_file.as_deref());
    // a file that is missing is the provider's line
    findings.extend(files.into_iter().chain(accounts).flatten().filter(|file| file.exists()).map(|file| of_rights("key file", file)));
    findings
}

fn of_master_key(settings: &Configuration) -> Finding {
    let keys = &settings.keys;
    let in_place = !keys.master_key.expose_secret().is_empty();
    let file = keys.master_key_file.as_deref().filter(|_| !in_place);
    if let Some(file) = file
        && keys.create
        && !file.exists()
    {
        return Finding::ok("master key", format!("the first start makes {}", file.display()));
    }
    match (keys.check(), file) {
        (Err(error), _) => Finding::fail(
            "master key",
            chain(&error),
            "set keys.master_key_file to a file made by: (umask 077; openssl rand -hex 32 > FILE)",
        ),
        (Ok(()), Some(file)) => of_rights("master key", file),
        (Ok(()), None) => Finding::ok("master key", "given in place, 32 bytes"),
    }
}

/// A secret is for the user alone who runs the platform.
fn of_rights(check: &'static str, file: &Path) -> Finding {
    let mode = match std::fs::metadata(file) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) => {
            return Finding::fail(check, format!("{}: {error}", file.display()), "let the user that runs the platform read it");
        }
    };
    let (what, remedy) = (format!("{}, rights {mode:04o}", file.display()), format!("chmod 600 {}", file.display()));
    if mode & OTHERS != 0 {
        Finding::fail(check, format!("{what}: anybody on this machine can use it"), remedy)
    } else if mode & GROUP != 0 {
        Finding::warn(check, format!("{what}: its group can use it"), remedy)
    } else {
        Finding::ok(check, what)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0o600, "ok ")]
    #[case(0o400, "ok ")]
    #[case(0o640, "warn ")]
    #[case(0o644, "fail ")]
    #[case(0o602, "fail ")]
    fn a_secret_is_for_one_user(#[case] mode: u32, #[case] begins: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let found = of_rights("master key", file.path()).to_string();
        assert!(found.starts_with(begins) && found.contains(&format!("{mode:04o}")), "{found}");
        assert_eq!(found.ends_with(&format!("chmod 600 {}", file.path().display())), begins != "ok ", "{found}");
    }

    #[rstest]
    #[case::none("", "fail  master key       the master key is unusable: set keys.master_key or keys.master_key_file →")]
    #[case::short("[keys]\nmaster_key = 'deadbeef'", "fail  master key       the master key is unusable: it must be 32 bytes")]
    #[case::in_place(
        "[keys]\nmaster_key = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'",
        "ok    master key       given in place"
    )]
    #[case::to_be_made(
        "[keys]\nmaster_key_file = '/no/such/master.key'\ncreate = true",
        "ok    master key       the first start makes /no/such/master.key"
    )]
    #[case::missing("[keys]\nmaster_key_file = '/no/such/master.key'", "fail  master key       /no/such/master.key cannot be used")]
    fn a_master_key_is_there_and_of_the_right_length(#[case] text: &str, #[case] line: &str) {
        let found = of_master_key(&toml::from_str(text).unwrap()).to_string();
        assert!(found.starts_with(line), "{found}");
        assert!(!found.contains("deadbeef") && !found.contains("0001"), "{found}");
    }
}
