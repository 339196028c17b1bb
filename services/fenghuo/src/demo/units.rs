//! The units of the demo city, from the city down to a community, and the people of its hotline.

use anyhow::Result;
use casework::{NewUnit, UnitLevel};
use domain::area::DistrictCode;
use domain::ids::UnitId;
use domain::staff::{Role, Scope};
use identity::NewStaff;
use platform::Platform;

use super::CENTRE;

/// Makes the units that are missing, and returns everybody who works on what citizens bring.
pub(super) async fn caseworkers(platform: &Platform) -> Result<Vec<NewStaff>> {
    let centre = DistrictCode::try_from(CENTRE)?;
    let unit = async |name: &str, name_en: &str, level: UnitLevel, parent: Option<UnitId>| {
        let unit = NewUnit {
            name: name.to_owned(),
            name_en: Some(name_en.to_owned()),
            level,
            parent: parent.map(UnitId::get),
            district: (level != UnitLevel::City).then_some(centre),
            community: None,
            liaison: "值班联络员".to_owned(),
            phone: None,
        };
        casework::ensure_unit(platform, &unit).await
    };
    let commission = unit("市卫生健康委", "City health commission", UnitLevel::City, None).await?;
    let command = unit("渝中区指挥部", "Yuzhong district command", UnitLevel::District, Some(commission)).await?;
    let bureau = unit("渝中区卫生健康委", "Yuzhong health bureau", UnitLevel::District, Some(commission)).await?;
    let disease_control = unit("渝中区疾病预防控制中心", "Yuzhong centre for disease control", UnitLevel::District, Some(bureau)).await?;
    let clinic = unit("解放碑社区卫生服务中心", "Jiefangbei community health centre", UnitLevel::Community, Some(bureau)).await?;

    let staff = |login: &str, name: &str, role, scope| NewStaff { login: login.to_owned(), name: name.to_owned(), role, scope };
    let mut people = vec![
        staff("hotline.one", "热线坐席一", Role::HotlineOperator, Scope::City),
        staff("hotline.two", "热线坐席二", Role::HotlineOperator, Scope::City),
        staff("supervisor", "市督办", Role::Supervisor, Scope::City),
    ];
    for (login, name, unit) in [
        ("commission", "市卫生健康委", commission),
        ("command", "区指挥部", command),
        ("bureau", "区卫生健康委", bureau),
        ("cdc", "区疾控中心", disease_control),
        ("clinic", "社区卫生服务中心", clinic),
    ] {
        people.push(staff(&format!("{login}.handler"), &format!("{name}·经办"), Role::UnitHandler, Scope::Unit(unit)));
        people.push(staff(&format!("{login}.lead"), &format!("{name}·负责人"), Role::UnitLead, Scope::Unit(unit)));
    }
    Ok(people)
}
