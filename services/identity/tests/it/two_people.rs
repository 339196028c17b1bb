//! What one administrator proposes holds when another confirms it, and not otherwise; whoever is given power waits; an emergency is an alarm.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::{Agreed, Answer, DAY, HOUR, MINUTE, TwoAdministrators, activate};

use crate::city::City;

fn officer(login: &str) -> Value {
    json!({ "login": login, "name": "值班", "role": "city_command_officer", "scope": "city" })
}

impl City {
    async fn proposes(&self, who: &str, new: Value) -> String {
        let proposed = self.ask(Method::POST, who, "/api/v1/staff", new).await;
        assert_eq!(proposed.status, StatusCode::ACCEPTED, "{}", proposed.body);
        proposed.text("/proposal/id")
    }

    async fn steps(&self, who: &str, proposal: &str, step: &str) -> Answer {
        let body = if step == "emergency" { json!({ "reason": "另一位管理员住院，值班室无人" }) } else { Value::Null };
        let path = format!("/api/v1/proposals/{proposal}/{step}");
        let answer = self.ask(Method::POST, who, &path, body.clone()).await;
        if answer.text("/code") != "fresh_proof_needed" {
            return answer;
        }
        let who = &self.proves(who).await;
        self.ask(Method::POST, who, &path, body).await
    }

    /// Proposes something else, with a path below `/api/v1/`.
    async fn asks_for(&self, who: &str, method: Method, path: &str, body: Value) -> String {
        let proposed = self.ask(method, who, &format!("/api/v1/{path}"), body).await;
        assert_eq!(proposed.status, StatusCode::ACCEPTED, "{path}: {}", proposed.body);
        proposed.text("/proposal/id")
    }

    async fn open_to(&self, who: &str) -> Value {
        self.look(who, "/api/v1/proposals").await.body[0]["open_steps"].clone()
    }
}

#[tokio::test]
async fn whoever_proposes_does_not_confirm_and_an_expired_proposal_is_void() {
    let city = City::founded().await;
    let TwoAdministrators { one, two } = city.administrators().await;
    let proposal = city.proposes(&one, officer("duty")).await;
    assert_eq!(city.steps(&one, &proposal, "confirmation").await.text("/code"), "same_person");
    assert_eq!(city.open_to(&one).await, json!(["withdraw", "declare_emergency"]));
    assert_eq!(city.open_to(&two).await, json!(["confirm", "object"]));
    assert_eq!(
        city.look(&two, "/api/v1/proposals").await.text("/0/change/account/role"),
        "city_command_officer",
        "it says what would change"
    );

    city.passes(72 * HOUR);
    let again = city.administrators_again().await;
    assert_eq!(city.steps(&again.two, &proposal, "confirmation").await.text("/code"), "proposal_ended");
    assert_eq!(city.look(&again.two, "/api/v1/proposals").await.text("/0/state"), "expired");
}

#[tokio::test]
async fn a_proposal_is_withdrawn_by_who_made_it_and_stopped_by_another_or_the_command() {
    let city = City::founded().await;
    let TwoAdministrators { one, two } = city.administrators().await;
    let wang = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let wang = city.session("wang", &wang).await;

    let proposal = city.proposes(&one, officer("a.duty")).await;
    assert_eq!(city.steps(&two, &proposal, "withdrawal").await.text("/code"), "not_proposer");
    assert_eq!(city.steps(&one, &proposal, "withdrawal").await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.steps(&two, &proposal, "confirmation").await.text("/code"), "proposal_ended");
    for (login, who) in [("b.duty", &two), ("c.duty", &wang)] {
        let proposal = city.proposes(&one, officer(login)).await;
        assert_eq!(city.steps(who, &proposal, "objection").await.status, StatusCode::NO_CONTENT);
        assert_eq!(city.steps(&two, &proposal, "confirmation").await.text("/code"), "proposal_ended");
    }
    let actions: Vec<_> =
        city.trace().await.into_iter().map(|entry| entry.action).filter(|action| action.starts_with("proposal")).collect();
    let expected = ["proposal.propose", "proposal.withdraw", "proposal.propose", "proposal.object", "proposal.propose", "proposal.object"];
    assert_eq!(actions, expected);
    assert!(city.traced("proposal.object").await.detail_json.contains("c.duty"));
}

#[tokio::test]
async fn what_a_disabled_administrator_proposed_is_confirmed_by_nobody() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let third = administrators.staff(&city, "root.three", "administrator", "city").await;
    let proposal = city.proposes(&third, officer("duty")).await;
    let id = city.look(&third, "/api/v1/session").await.text("/id");
    let disabled = city.ask(Method::POST, &administrators.one, &format!("/api/v1/staff/{id}/disable"), Value::Null).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT);
    assert_eq!(city.steps(&administrators.two, &proposal, "confirmation").await.text("/code"), "proposer_gone");
}

#[tokio::test]
async fn two_agreed_to_what_they_saw_and_to_nothing_else() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, _) = administrators.new_staff(&city, "unit", "submitting_unit", "city").await;
    let path = format!("/api/v1/staff/{id}");
    let promotion = json!({ "role": "city_command_officer" });
    let proposed = city.ask(Method::PATCH, &administrators.one, &path, promotion).await;
    assert_eq!(proposed.status, StatusCode::ACCEPTED);
    let narrowed = city.ask(Method::PATCH, &administrators.two, &path, json!({ "scope": "district:500103" })).await;
    assert_eq!(narrowed.status, StatusCode::OK);
    let late = city.steps(&administrators.two, &proposed.text("/proposal/id"), "confirmation").await;
    assert_eq!(late.text("/code"), "proposal_outdated");
}

#[tokio::test]
async fn a_new_administrator_confirms_nothing_on_the_first_day_unless_two_say_so() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, third) = administrators.new_staff(&city, "root.three", "administrator", "city").await;
    let proposal = city.proposes(&administrators.one, officer("duty")).await;
    let refused = city.steps(&third, &proposal, "confirmation").await;
    assert_eq!((refused.status, refused.text("/code")), (StatusCode::FORBIDDEN, "account_too_new".to_owned()));
    assert!(refused.text("/detail").contains("2026-11-03T01:00:00Z"), "{}", refused.body);
    assert_eq!(refused.body["retry_after"], json!(24 * 3600));

    let lifting = city.ask(Method::POST, &administrators.one, &format!("/api/v1/staff/{id}/waiting-lifted"), Value::Null).await;
    let lifting = lifting.text("/proposal/id");
    assert_eq!(city.steps(&administrators.one, &lifting, "emergency").await.text("/code"), "no_emergency");
    assert_eq!(city.steps(&third, &lifting, "confirmation").await.text("/code"), "account_too_new");
    assert_eq!(city.steps(&administrators.two, &lifting, "confirmation").await.status, StatusCode::OK);
    assert_eq!(city.steps(&third, &proposal, "confirmation").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_day_after_it_was_made_an_account_acts() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    administrators.new_staff(&city, "root.three", "administrator", "city").await;
    city.passes(24 * HOUR);
    let third = city.session("root.three", stages::PASSWORD).await;
    let proposal = city.proposes(&city.administrators_again().await.one, officer("duty")).await;
    assert_eq!(city.steps(&third, &proposal, "confirmation").await.status, StatusCode::OK);
}

#[tokio::test]
async fn in_an_emergency_one_acts_alone_after_the_delay_and_everybody_is_told() {
    let city = City::founded().await;
    let TwoAdministrators { one, two } = city.administrators().await;
    let (wang, chen) = (city.has("wang", Role::CityCommandOfficer, Scope::City).await, city.has("chen", Role::Auditor, Scope::City).await);
    let (wang, chen) = (city.session("wang", &wang).await, city.session("chen", &chen).await);

    let proposal = city.proposes(&one, officer("duty")).await;
    let silent = city.ask(Method::POST, &one, &format!("/api/v1/proposals/{proposal}/emergency"), json!({ "reason": " " })).await;
    assert_eq!(silent.text("/errors/0/field"), "reason");
    let declared = city.steps(&one, &proposal, "emergency").await;
    assert_eq!(declared.text("/emergency/alone_from"), "2026-11-02T01:15:00Z");
    for who in [&two, &wang, &chen] {
        assert_eq!(city.look(who, "/api/v1/proposals").await.text("/0/emergency/reason"), "另一位管理员住院，值班室无人");
    }
    assert!(city.traced("proposal.emergency").await.detail_json.contains("duty"));

    city.passes(14 * MINUTE);
    assert_eq!(city.steps(&one, &proposal, "confirmation").await.text("/code"), "too_early");
    city.passes(MINUTE);
    let alone = city.steps(&one, &proposal, "confirmation").await;
    assert_eq!(alone.status, StatusCode::OK);
    assert!(city.traced("staff.create").await.detail_json.contains(r#""emergency":true"#));
    assert!(
        city.look(&one, "/api/v1/staff").await.body.to_string().contains("2026-11-03T01:15:00Z"),
        "even so the new account waits a day"
    );

    let stopped = city.proposes(&one, officer("duty.two")).await;
    city.steps(&one, &stopped, "emergency").await;
    assert_eq!(city.steps(&wang, &stopped, "objection").await.status, StatusCode::NO_CONTENT);
    city.passes(HOUR / 4);
    assert_eq!(city.steps(&one, &stopped, "confirmation").await.text("/code"), "proposal_ended");
}

#[tokio::test]
async fn no_emergency_makes_the_second_person_or_a_key() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, third) = administrators.new_staff(&city, "root.three", "administrator", "city").await;
    let (zhao, _) = administrators.new_staff(&city, "zhao", "auditor", "city").await;
    let key = json!({ "unit": "市疾控中心", "origin": "surveillance", "area": "500103", "kinds": ["case"], "expires_at": "2026-12-01T00:00:00Z" });
    let another = json!({ "login": "root.four", "name": "管理", "role": "administrator", "scope": "city" });
    for (method, path, body) in [
        (Method::POST, "staff".to_owned(), another),
        (Method::POST, format!("staff/{id}/reset"), Value::Null),
        (Method::PATCH, format!("staff/{zhao}"), json!({ "role": "administrator" })),
        (Method::POST, "api-keys".to_owned(), key),
    ] {
        let proposal = city.asks_for(&administrators.one, method, &path, body).await;
        assert_eq!(city.steps(&administrators.one, &proposal, "emergency").await.text("/code"), "no_emergency", "{path}");
    }
    let half = city.ask(Method::POST, &third, "/api/v1/staff", officer("duty")).await;
    assert_eq!(half.text("/code"), "account_too_new", "proposing is half of it");
    let ended = city.ask(Method::DELETE, &third, &format!("/api/v1/staff/{zhao}/sessions"), Value::Null).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "what is wrong is stopped by whoever notices");
}

#[tokio::test]
async fn whoever_stopped_those_who_could_object_has_no_emergency() {
    let city = City::founded().await;
    let TwoAdministrators { one, two } = city.administrators().await;
    let two_id = city.look(&two, "/api/v1/session").await.text("/id");
    let proposal = city.proposes(&one, officer("duty")).await;
    assert_eq!(city.steps(&one, &proposal, "emergency").await.status, StatusCode::OK);
    let silenced = city.ask(Method::DELETE, &one, &format!("/api/v1/staff/{two_id}/sessions"), Value::Null).await;
    assert_eq!(silenced.status, StatusCode::NO_CONTENT);
    city.passes(15 * MINUTE);
    assert_eq!(city.steps(&one, &proposal, "confirmation").await.text("/code"), "objector_stopped");
    let next = city.proposes(&one, officer("duty.two")).await;
    assert_eq!(city.steps(&one, &next, "emergency").await.text("/code"), "objector_stopped");
    assert_eq!(city.open_to(&one).await, json!(["withdraw"]));
    let again = city.administrators_again().await;
    assert_eq!(city.steps(&again.two, &proposal, "confirmation").await.status, StatusCode::OK, "a second person was not stopped");

    city.passes(DAY);
    let again = city.administrators_again().await;
    assert_eq!(city.steps(&again.one, &next, "emergency").await.status, StatusCode::OK, "a day later everybody could have signed in");
}

#[tokio::test]
async fn where_nobody_could_object_nobody_acts_alone() {
    let city = City::founded().await;
    let TwoAdministrators { one, .. } = city.administrators().await;
    let proposal = city.proposes(&one, officer("duty")).await;
    identity::recover_administrator(&city.platform, &identity::Settings::default(), "root.two").await.unwrap();
    assert_eq!(city.steps(&one, &proposal, "emergency").await.text("/code"), "nobody_to_object");
}

#[tokio::test]
async fn an_emergency_that_was_not_used_in_time_is_over() {
    let city = City::founded().await;
    let TwoAdministrators { one, .. } = city.administrators().await;
    let proposal = city.proposes(&one, officer("duty")).await;
    assert_eq!(city.steps(&one, &proposal, "emergency").await.status, StatusCode::OK);
    city.passes(2 * HOUR + 15 * MINUTE);
    let again = city.administrators_again().await;
    assert_eq!(city.steps(&again.one, &proposal, "confirmation").await.text("/code"), "emergency_over");
    assert_eq!(city.steps(&again.two, &proposal, "confirmation").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_two_would_agree_to_in_one_situation_does_not_hold_in_the_next() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let TwoAdministrators { one, two } = &administrators;
    let (zhao, _) = administrators.new_staff(&city, "zhao", "district_reviewer", "district:500103").await;
    let (lift, enable, reset) = (format!("staff/{zhao}/waiting-lifted"), format!("staff/{zhao}/enable"), format!("staff/{zhao}/reset"));
    let disable = format!("/api/v1/staff/{zhao}/disable");
    let first_lift = city.asks_for(one, Method::POST, &lift, Value::Null).await;
    let first_reset = city.asks_for(one, Method::POST, &reset, Value::Null).await;
    assert_eq!(city.ask(Method::POST, one, &disable, Value::Null).await.status, StatusCode::NO_CONTENT);
    let first_enable = city.asks_for(one, Method::POST, &enable, Value::Null).await;
    city.passes(MINUTE);
    administrators.agree(&city, Method::POST, &enable, Value::Null).await;
    assert_eq!(city.ask(Method::POST, one, &disable, Value::Null).await.status, StatusCode::NO_CONTENT);
    for (what, proposal) in [("another wait", first_lift), ("another password or session", first_reset), ("disabled again", first_enable)] {
        assert_eq!(city.steps(two, &proposal, "confirmation").await.text("/code"), "proposal_outdated", "{what}");
    }
}

#[tokio::test]
async fn a_code_is_void_once_its_account_is_disabled_and_its_owner_waits_for_a_while() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let Agreed { halves: [first, second], proposal } = administrators.agree(&city, Method::POST, "staff", officer("duty")).await;
    let id = proposal["staff"]["id"].as_str().unwrap();
    assert_eq!(
        city.ask(Method::POST, &administrators.one, &format!("/api/v1/staff/{id}/disable"), Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    administrators.agree(&city, Method::POST, &format!("staff/{id}/enable"), Value::Null).await;
    let body = json!({ "login": "duty", "first_half": first, "second_half": second, "password": stages::PASSWORD });
    let void = city.ask(Method::POST, stages::NOBODY, "/api/v1/session/activation", body).await;
    assert_eq!(void.text("/code"), "activation_refused");

    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, "staff", officer("late.duty")).await;
    city.passes(23 * HOUR);
    let late = activate(&city, ["late.duty", &first, &second]).await;
    assert_eq!(city.look(&late, "/api/v1/session").await.text("/acts_from"), "2026-11-03T04:00:00Z", "nobody could notice them before");
}

#[tokio::test]
async fn one_administrator_does_not_disable_the_last_who_could_act() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let TwoAdministrators { one, two } = &administrators;
    let two_id = city.look(two, "/api/v1/session").await.text("/id");
    city.asks_for(one, Method::POST, &format!("staff/{two_id}/disable"), Value::Null).await;
    assert_eq!(city.look(two, "/api/v1/session").await.status, StatusCode::OK);

    let mut officers = Vec::new();
    for login in ["wang", "chen", "liu"] {
        let password = city.has(login, Role::CityCommandOfficer, Scope::City).await;
        let session = city.session(login, &password).await;
        officers.push((city.look(&session, "/api/v1/session").await.text("/id"), session));
    }
    let at_once = city.ask(Method::POST, one, &format!("/api/v1/staff/{}/disable", officers[0].0), Value::Null).await;
    assert_eq!(at_once.status, StatusCode::NO_CONTENT, "two are left");
    let (id, chen) = &officers[1];
    let proposal = city.asks_for(one, Method::POST, &format!("staff/{id}/disable"), Value::Null).await;
    assert_eq!(city.look(chen, "/api/v1/session").await.status, StatusCode::OK, "an urgent alert takes two");
    assert_eq!(city.steps(chen, &proposal, "objection").await.text("/code"), "own_account");
    assert_eq!(city.steps(two, &proposal, "confirmation").await.status, StatusCode::OK);
    assert_eq!(city.look(chen, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_row_says_that_one_person_confirmed_what_they_proposed() {
    let city = City::founded().await;
    let TwoAdministrators { one, .. } = city.administrators().await;
    let proposal = city.proposes(&one, officer("duty")).await;
    let alone = "update identity.proposal
                    set state = 'effective', decided_by = proposed_by, decided_at = proposed_at, secret_half = null where id = $1::uuid";
    let refused = sqlx::query(alone).bind(&proposal).execute(city.pool()).await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(|error| error.constraint()), Some("two_people"));
}
