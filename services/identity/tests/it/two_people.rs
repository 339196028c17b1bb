//! What one administrator proposes holds when another confirms it, and not otherwise; whoever is given power waits; an emergency is an alarm.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::{Answer, HOUR, MINUTE, TwoAdministrators};

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
        self.ask(Method::POST, who, &format!("/api/v1/proposals/{proposal}/{step}"), body).await
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
