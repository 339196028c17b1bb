use rstest::rstest;

use super::*;

/// The browser of RFC 8291, appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn subscribed(endpoint: &str) -> Result<Subscription, SubscriptionFault> {
    Subscription::parse(endpoint, P256DH, AUTH, &PushServices::default())
}

#[rstest]
#[case::chrome("https://fcm.googleapis.com/fcm/send/cHh3:APA91b-x_Y")]
#[case::firefox("https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl")]
#[case::another_of_firefox("https://autopush.prod.push.services.mozilla.com/wpush/v2/g")]
#[case::safari("https://web.push.apple.com/QGVuZHBvaW50")]
#[case::edge("https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%3d%2b")]
fn the_push_services_of_browsers_are_called(#[case] endpoint: &str) {
    let subscription = subscribed(endpoint).unwrap();
    assert_eq!(subscription.address().to_string(), endpoint);
    assert_eq!(Subscription::from_bytes(&subscription.to_bytes()), Ok(subscription));
}

#[rstest]
#[case::the_machine_itself("https://127.0.0.1/admin")]
#[case::its_name("https://localhost/x")]
#[case::all_addresses("https://0.0.0.0/x")]
#[case::a_clouds_metadata("https://169.254.169.254/latest/meta-data/")]
#[case::the_private_network("https://10.0.0.1/x")]
#[case::any_other_host("https://example.com/x")]
#[case::a_name_that_ends_alike("https://evilfcm.googleapis.com/x")]
#[case::a_name_that_begins_alike("https://fcm.googleapis.com.example.com/x")]
#[case::the_domain_itself("https://push.apple.com/x")]
#[case::a_domain_that_ends_alike("https://evilpush.apple.com/x")]
#[case::another_service_of_theirs("https://storage.googleapis.com/x")]
#[case::another_port("https://fcm.googleapis.com:8443/x")]
#[case::another_port_below("https://web.push.apple.com:22/x")]
fn no_other_host_is_called(#[case] endpoint: &str) {
    assert_eq!(subscribed(endpoint), Err(SubscriptionFault::OtherService));
}

#[rstest]
#[case::in_the_clear("http://fcm.googleapis.com/x", AddressFault::NotHttps)]
#[case::a_file("file:///etc/passwd", AddressFault::NotHttps)]
#[case::large_letters("HTTPS://fcm.googleapis.com/x", AddressFault::NotHttps)]
#[case::backslashes("https:\\\\fcm.googleapis.com/x", AddressFault::NotHttps)]
#[case::nothing("", AddressFault::NotHttps)]
#[case::no_host("https:///x", AddressFault::Host)]
#[case::somebody_in_front("https://fcm.googleapis.com@example.com/x", AddressFault::Host)]
#[case::somebody_in_front_of_it("https://a:b@fcm.googleapis.com/x", AddressFault::Host)]
#[case::a_backslash("https://example.com\\.push.apple.com/x", AddressFault::Host)]
#[case::a_fragment_as_host("https://example.com#.push.apple.com/x", AddressFault::Host)]
#[case::a_query_as_host("https://example.com?.push.apple.com/x", AddressFault::Host)]
#[case::an_address_of_version_6("https://[::1]/x", AddressFault::Host)]
#[case::a_dot_behind("https://fcm.googleapis.com./x", AddressFault::Host)]
#[case::an_empty_label("https://..push.apple.com/x", AddressFault::Host)]
#[case::full_width("https://ｆcm.googleapis.com/x", AddressFault::Host)]
#[case::escaped("https://fcm%2egoogleapis.com/x", AddressFault::Host)]
#[case::a_line_break("https://fcm.googleapis.com\r\n/x", AddressFault::Host)]
#[case::a_port_that_is_none("https://fcm.googleapis.com:443443/x", AddressFault::Host)]
#[case::no_path("https://fcm.googleapis.com", AddressFault::Path)]
#[case::an_empty_path("https://fcm.googleapis.com/", AddressFault::Path)]
#[case::a_blank("https://fcm.googleapis.com/a b", AddressFault::Path)]
#[case::another_header("https://fcm.googleapis.com/a\r\nhost: example.com", AddressFault::Path)]
#[case::a_fragment("https://fcm.googleapis.com/a#b", AddressFault::Path)]
fn what_is_not_plainly_an_address_is_refused(#[case] endpoint: &str, #[case] fault: AddressFault) {
    assert_eq!(subscribed(endpoint), Err(SubscriptionFault::Endpoint(fault)));
}

#[test]
fn an_endless_address_is_refused() {
    let endpoint = format!("https://fcm.googleapis.com/{}", "x".repeat(2_048));
    assert_eq!(subscribed(&endpoint), Err(SubscriptionFault::Endpoint(AddressFault::TooLong)));
}

#[rstest]
#[case::not_on_the_curve("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8")]
#[case::nowhere("BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
#[case::compressed("AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx")]
#[case::too_short("BCVxsr7N_eNgVRqvHtD0zQ")]
#[case::not_base64("!!!")]
#[case::empty("")]
fn a_key_must_be_a_point_of_the_curve(#[case] p256dh: &str) {
    let parsed = Subscription::parse("https://fcm.googleapis.com/x", p256dh, AUTH, &PushServices::default());
    assert_eq!(parsed, Err(SubscriptionFault::Key));
}

#[rstest]
#[case::too_short("BTBZMqHH6r4Tts7J_aSI")]
#[case::too_long("BTBZMqHH6r4Tts7J_aSIggAA")]
#[case::empty("")]
fn a_secret_must_be_sixteen_octets(#[case] auth: &str) {
    let parsed = Subscription::parse("https://fcm.googleapis.com/x", P256DH, auth, &PushServices::default());
    assert_eq!(parsed, Err(SubscriptionFault::Secret));
}

#[test]
fn padded_keys_are_taken() {
    let padded = (format!("{P256DH}="), format!("{AUTH}=="));
    assert!(Subscription::parse("https://fcm.googleapis.com/x", &padded.0, &padded.1, &PushServices::default()).is_ok());
}

#[test]
fn nothing_of_a_subscription_is_printed() {
    let subscription = subscribed("https://web.push.apple.com/QGVuZHBvaW50").unwrap();
    assert_eq!(format!("{subscription:?} {:?}", subscription.address()), "Subscription(…) PushAddress(…)");
}

#[rstest]
#[case::all_below_a_top_level_domain("*.com")]
#[case::everything("*")]
#[case::a_url("https://push.example.com")]
#[case::large_letters("Push.example.com")]
#[case::a_star_within("push.*.example.com")]
fn a_list_that_allows_more_than_it_says_is_refused(#[case] entry: &str) {
    assert_eq!(PushServices::try_from(vec![entry.to_owned()]), Err(ServiceFault(entry.to_owned())));
}

#[test]
fn a_port_counts_as_part_of_the_host() {
    let services = PushServices::try_from(vec!["127.0.0.1:8443".to_owned()]).unwrap();
    let at = |endpoint: &str| Subscription::parse(endpoint, P256DH, AUTH, &services).map(|_| ());
    assert_eq!(at("https://127.0.0.1:8443/send/1"), Ok(()));
    assert_eq!(at("https://127.0.0.1:8080/send/1"), Err(SubscriptionFault::OtherService));
    assert_eq!(at("https://127.0.0.1/send/1"), Err(SubscriptionFault::OtherService));
}
