//! The demo city: staff of every role, the shipped rules in force, what each district fills in, a key for records.
//!
//! Made once; a second start finds it there. Rehearsals use the same city. Its accounts have passwords that were made for them, a second factor that is
//! one fixed code, and wait for nothing ([`identity::demo`]): one person plays everybody, in five minutes.

pub(crate) mod accounts;
pub(crate) mod play;
pub(crate) mod scenes;
mod units;

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use domain::area::{Area, CommunityCode, DistrictCode};
use domain::ids::StaffId;
use domain::place;
use domain::risk_record::{Origin, RecordKind};
use domain::staff::{Role, Scope};
use identity::NewStaff;
use identity::api_key::NewApiKey;
use platform::Platform;
use strum::VariantArray as _;

use accounts::Access;
pub(crate) use identity::demo::CODE;

const ADMINISTRATOR: &str = "admin";
/// Power takes two people.
const SECOND_ADMINISTRATOR: &str = "admin.two";

/// The district of the demo's district staff: 渝中区, the city's centre.
const CENTRE: u32 = 500_103;

/// Everybody who has an account in the demo city.
fn everybody() -> Result<Vec<NewStaff>> {
    let centre = DistrictCode::try_from(CENTRE)?;
    let community = communities_of(centre).next().context("the centre has communities")?;
    let staff = |login: &str, name: &str, role, scope| NewStaff { login: login.to_owned(), name: name.to_owned(), role, scope };
    let mut everybody = vec![
        staff("command.rules", "市指挥部·规则负责人", Role::CityCommandOfficer, Scope::City),
        staff("command.one", "市指挥部·值班一", Role::CityCommandOfficer, Scope::City),
        staff("command.two", "市指挥部·值班二", Role::CityCommandOfficer, Scope::City),
        staff("unit.centre", "渝中区疾控中心", Role::SubmittingUnit, Scope::District(centre)),
        staff("community.centre", "社区工作者", Role::CommunityWorker, Scope::Community(community)),
        staff("operator", "技术支撑", Role::TechnicalOperator, Scope::City),
        staff("auditor", "审计", Role::Auditor, Scope::City),
        identity::demo::administrator(SECOND_ADMINISTRATOR, "系统管理员二"),
    ];
    everybody.extend(place::districts().iter().map(|district| NewStaff {
        login: reviewer_login(district.code),
        name: format!("{}审核员", district.name),
        role: Role::DistrictReviewer,
        scope: Scope::District(district.code),
    }));
    Ok(everybody)
}

/// Login of the reviewer of a district.
pub(crate) fn reviewer_login(district: DistrictCode) -> String {
    format!("review.{district}")
}

fn communities_of(district: DistrictCode) -> impl Iterator<Item = CommunityCode> {
    place::townships_of(district).iter().flat_map(|township| place::communities_of(township.code)).map(|community| community.code)
}

/// Makes what is missing of the demo city, and hands over each account and key as soon as it is made: its secret is nowhere else.
pub(crate) async fn settle(platform: &Platform, new: &mut (dyn FnMut(Access) -> Result<()> + Send)) -> Result<()> {
    for person in everybody()? {
        account(platform, person).await?.map_or(Ok(()), &mut *new)?;
    }
    for person in units::caseworkers(platform).await? {
        account(platform, person).await?.map_or(Ok(()), &mut *new)?;
    }
    let responsible = staff_id(platform, "command.rules").await?;
    rules::install_shipped(platform, responsible).await?;
    if identity::account::find(platform, ADMINISTRATOR).await?.is_some() {
        return Ok(());
    }
    for district in place::districts() {
        let (isolation_site, test_site) = (format!("{}集中隔离点", district.name), format!("{}人民医院发热门诊", district.name));
        let facts = [("isolation_site", isolation_site.as_str()), ("test_site", &test_site), ("risk_area", "风险地区")];
        rules::set_district_facts(platform, district.code, &facts, responsible).await?;
    }
    new(key(platform, responsible).await?)?;
    // The administrator comes last: once there, the city is complete.
    account(platform, identity::demo::administrator(ADMINISTRATOR, "系统管理员")).await?.map_or(Ok(()), new)
}

/// The administrators alone: a city that people want to fill themselves.
pub(crate) async fn settle_administrators(platform: &Platform, new: &mut (dyn FnMut(Access) -> Result<()> + Send)) -> Result<()> {
    for (login, name) in [(ADMINISTRATOR, "系统管理员"), (SECOND_ADMINISTRATOR, "系统管理员二")] {
        account(platform, identity::demo::administrator(login, name)).await?.map_or(Ok(()), &mut *new)?;
    }
    Ok(())
}

/// The account, if it is new.
async fn account(platform: &Platform, person: NewStaff) -> Result<Option<Access>> {
    let (login, title) = (person.login.clone(), format!("{} {}", person.role.title(), person.name));
    let secret = identity::demo::ensure_staff(platform, person).await?;
    Ok(secret.map(|secret| Access { login, secret, code: Some(CODE.to_owned()), title }))
}

/// A key that may deliver every kind of record for the whole city.
async fn key(platform: &Platform, by: StaffId) -> Result<Access> {
    let now = platform.clock.now();
    let request = NewApiKey {
        unit: "市疾控中心".to_owned(),
        origin: Origin::Surveillance,
        area: Area::City,
        kinds: RecordKind::VARIANTS.to_vec(),
        asks: Vec::new(),
        networks: Vec::new(),
        expires_at: now + TimeDelta::days(365),
    };
    let secret = identity::demo::make_key(platform, request, by).await?;
    Ok(Access { login: "api-key".to_owned(), secret, code: None, title: "数据来源 市疾控中心（导入风险记录）".to_owned() })
}

async fn staff_id(platform: &Platform, login: &str) -> Result<StaffId> {
    identity::account::find(platform, login).await?.with_context(|| format!("there is no account {login}"))
}
