//! The rules the platform comes with: the examples of the management measures (CQ7), active from the first day.
//!
//! Their texts are written to be acted on by somebody who is frightened: what to do first stands first, nobody is blamed, those who need care are told
//! where to find it. Cities change them by saving a new version; the ids stay. An SMS of them takes two segments at most, also in English from a
//! sender with a Chinese signature.

mod standing;

use std::sync::LazyLock;

use uuid::{Uuid, uuid};

use crate::alert::{AckWindow, AlertText};
use crate::cap::{Category, Certainty, Severity, Urgency};
use crate::ids::RuleId;
use crate::language::Language;
use crate::risk_record::RecordKind;
use crate::rule::{ContentTemplate, RuleAudience, RuleVersion};

/// The shipped rules, each in version 1.
pub static SHIPPED: LazyLock<Vec<RuleVersion>> = LazyLock::new(|| RULES.iter().map(Shipped::version).collect());

/// The national health hotline.
const CONTACT: &str = "12320";

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// One rule as it stands below.
struct Shipped {
    /// UUID of version 5 of `<name>.rules.fenghuo` in the DNS namespace, so that every installation has the same.
    id: Uuid,
    name: &'static str,
    kinds: &'static [RecordKind],
    condition: &'static str,
    audience: RuleAudience,
    urgency: Urgency,
    severity: Severity,
    certainty: Certainty,
    purpose: &'static str,
    chinese: Texts,
    english: Texts,
    validity: u32,
    ack_window: u32,
    cooldown: u32,
    gather_window: u32,
    display: bool,
    leaves: Option<standing::Leaves>,
}

struct Texts {
    headline: &'static str,
    body: &'static str,
    instruction: &'static str,
    sms: &'static str,
}

impl Shipped {
    fn version(&self) -> RuleVersion {
        RuleVersion {
            rule_id: RuleId::from_uuid(self.id),
            version: 1,
            name: self.name.to_owned(),
            kinds: self.kinds.iter().copied().collect(),
            condition: self.condition.to_owned(),
            content: ContentTemplate {
                category: Category::Health,
                urgency: self.urgency,
                severity: self.severity,
                certainty: self.certainty,
                purpose: self.purpose.to_owned(),
                texts: [(Language::ZhCn, self.chinese.text()), (Language::En, self.english.text())].into(),
                contact: CONTACT.to_owned(),
            },
            audience: self.audience,
            validity_s: self.validity,
            ack_window_s: AckWindow::capped(self.ack_window),
            cooldown_s: self.cooldown,
            gather_window_s: self.gather_window,
            display: self.display,
            standing: self.leaves.as_ref().map(standing::Leaves::terms),
        }
    }
}

impl Texts {
    fn text(&self) -> AlertText {
        let Self { headline, body, instruction, sms } = *self;
        AlertText { headline: headline.to_owned(), body: body.to_owned(), instruction: instruction.to_owned(), sms: sms.to_owned() }
    }
}

/// 504 hours are 21 days: the longest time for which contacts of the common notifiable diseases are watched. What is older needs no alert.
const RULES: [Shipped; 8] = [
    Shipped {
        id: uuid!("ae0e0a1d-2fde-515c-931c-dcfe9f353e97"),
        name: "密切接触者：立即隔离",
        kinds: &[RecordKind::CloseContact],
        condition: "age_hours < 504",
        audience: RuleAudience::Subject,
        urgency: Urgency::Immediate,
        severity: Severity::Severe,
        certainty: Certainty::Likely,
        purpose: "告知密切接触者立即隔离及隔离地点，防止疫情进一步传播",
        chinese: Texts {
            headline: "请立即隔离：您是传染病密切接触者",
            body: "经流行病学调查，您近期与一名确诊患者有过密切接触，可能已被感染。这不是您的过错。现在隔离，是对您自己和家人最好的保护。",
            instruction: "1. 请立即停止外出，戴好口罩，前往{isolation_site}隔离；请勿乘坐公交、地铁、出租车。\n\
                2. 需要接送，或家中有老人、孕妇、孩子、需长期用药的人要照顾，请来电，{district}会安排接送和照护。\n\
                3. 请告诉同住的人，与他们分房间、分餐，保持通风。\n\
                4. 如出现发热、咳嗽、呼吸困难，请拨打 120，并说明您是密切接触者。",
            sms: "您是传染病密切接触者，请立即到{isolation_site}隔离，途中戴口罩，勿乘公共交通。需接送或照护请来电",
        },
        english: Texts {
            headline: "Please isolate now: you are a close contact",
            body: "Our investigation shows that you were in close contact with a confirmed patient and may be infected. You have done nothing wrong. \
                Isolating now is the best protection for you and your family.",
            instruction: "1. Stop going out, put on a mask and go to {isolation_site} to isolate. Do not use buses, metro or taxis.\n\
                2. If you need transport, or care for elderly people, children, a pregnancy or regular medication, call us: {district} will arrange it.\n\
                3. Tell the people you live with. Use separate rooms, eat apart, keep windows open.\n\
                4. With fever, cough or trouble breathing call 120 and say that you are a close contact.",
            sms: "You are a close contact. Isolate now: {isolation_site}. Wear a mask, no buses.",
        },
        validity: 7 * DAY,
        ack_window: HOUR,
        cooldown: 7 * DAY,
        gather_window: 5 * MINUTE,
        display: false,
        leaves: Some(standing::CLOSE_CONTACT),
    },
    Shipped {
        id: uuid!("157f160b-46c2-503d-aac9-382327e9e840"),
        name: "次密切接触者：居家健康监测",
        kinds: &[RecordKind::SecondaryContact],
        condition: "age_hours < 504",
        audience: RuleAudience::Subject,
        urgency: Urgency::Expected,
        severity: Severity::Moderate,
        certainty: Certainty::Possible,
        purpose: "告知次密切接触者居家健康监测，及早发现可能的感染",
        chinese: Texts {
            headline: "请居家健康监测：您是次密切接触者",
            body: "您近期接触过一名传染病密切接触者。您被感染的可能性较低，但为稳妥起见，请在家观察健康状况。监测结束或情况有变时，{district}会通知您。",
            instruction: "1. 请尽量留在家中，不参加聚会；必须外出时戴好口罩，避开人群。\n\
                2. 每天早晚各测一次体温并记录。\n\
                3. 如出现发热、咳嗽或其他不适，请不要自行乘车就医，先来电，我们会告诉您去哪里、怎么去。\n\
                4. 买菜、取药有困难，也请来电。",
            sms: "您接触过传染病密切接触者，请居家健康监测，早晚测体温。如有不适请先来电，勿自行乘车就医",
        },
        english: Texts {
            headline: "Please watch your health at home: you are a secondary contact",
            body: "You recently met a close contact of a patient. An infection is unlikely, but to be safe please stay at home and watch your health. \
                {district} will tell you when this is over or if anything changes.",
            instruction: "1. Stay at home as far as you can and avoid gatherings; wear a mask if you must go out.\n\
                2. Take your temperature every morning and evening and write it down.\n\
                3. With fever, cough or other complaints do not travel to a hospital by yourself: call first, we will tell you where to go and how.\n\
                4. Call as well if you need help with food or medicine.",
            sms: "You met a close contact. Stay home, watch your health. If ill, call first.",
        },
        validity: 7 * DAY,
        ack_window: 2 * HOUR,
        cooldown: 7 * DAY,
        gather_window: 10 * MINUTE,
        display: false,
        leaves: Some(standing::SECONDARY_CONTACT),
    },
    Shipped {
        id: uuid!("f54f31a7-8264-5e05-8a38-0488224e7176"),
        name: "检测阳性与病例：原地等待接诊",
        kinds: &[RecordKind::TestResult, RecordKind::Case],
        condition: r#"age_hours < 504 && (kind == "case" || attributes.result == "positive")"#,
        audience: RuleAudience::Subject,
        urgency: Urgency::Immediate,
        severity: Severity::Severe,
        certainty: Certainty::Observed,
        purpose: "告知检测阳性者和病例停止外出、等待接诊，使其及时得到治疗",
        chinese: Texts {
            headline: "请留在原地，医务人员会与您联系",
            body: "您的检测或诊断结果提示您已感染传染病。请不要慌张：及时就医，多数人能够康复。{district}的医务人员会尽快与您联系，安排接诊。",
            instruction: "1. 请留在现在的地方，不要外出，与他人分开，戴好口罩。\n\
                2. 请保持电话畅通，准备好身份证件、常用药和换洗衣物。\n\
                3. 如呼吸困难、持续高热或意识不清，请立即拨打 120，并说明检测结果。\n\
                4. 请回想近几天到过的地方和见过的人，这能帮助他们及早得到保护。",
            sms: "您的检测或诊断结果提示感染，请留在原地、勿外出，医务人员会与您联系。呼吸困难或高热请拨打120",
        },
        english: Texts {
            headline: "Please stay where you are: medical staff will contact you",
            body: "Your test or diagnosis shows that you are infected. Please do not panic: with timely care most people recover. \
                Medical staff of {district} will contact you as soon as possible and arrange your care.",
            instruction: "1. Stay where you are, keep apart from others and wear a mask.\n\
                2. Keep your phone at hand; have your identity document, medicines and a change of clothes ready.\n\
                3. With trouble breathing, lasting high fever or confusion call 120 at once and mention your result.\n\
                4. Try to remember where you were and whom you met in the last days: it helps to protect them in time.",
            sms: "Test positive. Stay where you are, staff will call you. Emergency: 120.",
        },
        validity: 3 * DAY,
        ack_window: HOUR,
        cooldown: 7 * DAY,
        gather_window: 5 * MINUTE,
        display: false,
        leaves: Some(standing::POSITIVE),
    },
    Shipped {
        id: uuid!("3395dbd1-a8cf-52fb-87ed-8eaa6d5c5548"),
        name: "到访高风险场所：尽快检测",
        kinds: &[RecordKind::PlaceVisited],
        condition: r#"level == "high" && age_hours < 504"#,
        audience: RuleAudience::Subject,
        urgency: Urgency::Expected,
        severity: Severity::Moderate,
        certainty: Certainty::Possible,
        purpose: "提醒到访过高风险场所的人员尽快检测，及早发现感染",
        chinese: Texts {
            headline: "请尽快检测：您到访过高风险场所",
            body: "您于{date}到过{place}，同一时段有确诊患者在场。您未必被感染，一次检测就能让您和家人安心。",
            instruction: "1. 请在 24 小时内到{test_site}检测，途中戴好口罩，尽量不乘公共交通。\n\
                2. 拿到结果之前请不要参加聚会，不去人多的地方。\n\
                3. 之后几天请留意体温；如有发热、咳嗽，请戴口罩就医，并告诉医生您到过那里。",
            sms: "您{date}到过{place}，同时段有确诊患者在场，请24小时内到{test_site}检测，出结果前勿聚集",
        },
        english: Texts {
            headline: "Please get tested soon: you were at a high-risk place",
            body: "On {date} you were at {place} at the same time as a confirmed patient. You are not necessarily infected; one test will tell.",
            instruction: "1. Get tested at {test_site} within 24 hours. Wear a mask on the way, avoid public transport if you can.\n\
                2. Until you have the result, avoid gatherings and crowded places.\n\
                3. Watch your temperature for some days. With fever or cough see a doctor, wear a mask and say where you were.",
            sms: "You were near a patient: {place}, {date}. Get tested: {test_site}.",
        },
        validity: 3 * DAY,
        ack_window: 4 * HOUR,
        cooldown: 3 * DAY,
        gather_window: 10 * MINUTE,
        display: false,
        leaves: Some(standing::PLACE_VISITED),
    },
    Shipped {
        id: uuid!("ee9a7bdb-2eee-5997-a811-4c76b3b49f35"),
        name: "自风险地区抵达：检测并健康监测",
        kinds: &[RecordKind::ArrivalFromRiskArea],
        condition: r#"level in ["medium", "high"] && age_hours < 504"#,
        audience: RuleAudience::Subject,
        urgency: Urgency::Expected,
        severity: Severity::Moderate,
        certainty: Certainty::Possible,
        purpose: "告知自风险地区抵达人员检测并监测健康状况，防止疫情输入",
        chinese: Texts {
            headline: "请检测并留意健康：您来自风险地区",
            body: "您近期自{risk_area}抵达，当地目前有传染病流行。请完成一次检测，并在之后几天留意自己的健康。",
            instruction: "1. 请在 24 小时内到{test_site}检测，途中戴好口罩。\n\
                2. 抵达后 14 天内请每天测量体温，尽量减少聚会和不必要的外出。\n\
                3. 如出现发热、咳嗽或其他不适，请先来电再就医，并说明旅行经过。",
            sms: "您自{risk_area}抵达，请24小时内到{test_site}检测，14天内每日测体温，如有不适请先来电再就医",
        },
        english: Texts {
            headline: "Please get tested and watch your health: you came from a risk area",
            body: "You recently came from {risk_area}, where an infectious disease is spreading. Please get tested once and watch your health for some days.",
            instruction: "1. Get tested at {test_site} within 24 hours; wear a mask on the way.\n\
                2. For 14 days after your arrival take your temperature every day and avoid gatherings and needless trips.\n\
                3. With fever, cough or other complaints call first, then see a doctor, and mention your journey.",
            sms: "You came from a risk area. Get tested: {test_site}. If ill, call first.",
        },
        validity: 7 * DAY,
        ack_window: 4 * HOUR,
        cooldown: 7 * DAY,
        gather_window: 15 * MINUTE,
        display: false,
        leaves: Some(standing::ARRIVAL),
    },
    Shipped {
        id: uuid!("2faa3475-1b46-5fc1-9a5d-eec90ef6cad7"),
        name: "数据分析发现：建议检测",
        kinds: &[RecordKind::AnalysisFinding],
        condition: r#"level in ["medium", "high"] && age_hours < 504"#,
        audience: RuleAudience::Subject,
        urgency: Urgency::Expected,
        severity: Severity::Minor,
        certainty: Certainty::Possible,
        purpose: "提醒可能与疫情有关联的人员检测，及早发现感染",
        chinese: Texts {
            headline: "请检测一次：您可能接触过疫情",
            body: "数据分析显示，您近期的行程可能与疫情有交集。分析可能有误，这不代表您已被感染；一次检测就能弄清楚。",
            instruction: "1. 请在 24 小时内到{test_site}检测，途中戴好口罩。\n\
                2. 拿到结果之前请尽量不去人多的地方。\n\
                3. 如您认为信息有误，请来电说明，我们会核实并更正。",
            sms: "您近期的行程可能与疫情有交集，请24小时内到{test_site}检测。如信息有误请来电，我们会核实更正",
        },
        english: Texts {
            headline: "Please get tested once: you may have been exposed",
            body: "An analysis of data suggests that you may have been exposed to an infection recently. It may be wrong, and it does not mean that you are \
                infected; one test will tell.",
            instruction: "1. Get tested at {test_site} within 24 hours; wear a mask on the way.\n\
                2. Avoid crowded places until you have the result.\n\
                3. If you think that this is a mistake, call us: we will check and correct it.",
            sms: "You may have been exposed. Get tested: {test_site}. A mistake? Call us.",
        },
        validity: 3 * DAY,
        ack_window: 4 * HOUR,
        cooldown: 7 * DAY,
        gather_window: 15 * MINUTE,
        display: false,
        leaves: Some(standing::ANALYSIS),
    },
    Shipped {
        id: uuid!("c900fda8-262b-5f3c-ac75-b8a0535b96e5"),
        name: "社区上报饮水问题：煮沸饮用",
        kinds: &[RecordKind::CommunityReport],
        condition: r#"level in ["medium", "high"] && age_hours < 72 && attributes.hazard == "drinking_water""#,
        audience: RuleAudience::SubjectCommunity,
        urgency: Urgency::Immediate,
        severity: Severity::Moderate,
        certainty: Certainty::Likely,
        purpose: "提醒居民暂时将水煮沸后饮用，防止肠道传染病传播",
        chinese: Texts {
            headline: "请将水煮沸后再饮用",
            body: "{community}上报饮用水可能受到污染，正在检测。在通知恢复正常之前，请不要直接饮用自来水。",
            instruction: "1. 饮用、刷牙、洗菜、冲奶粉请用煮沸至少 1 分钟的水或瓶装水；洗澡、洗衣不受影响，注意不要吞咽。\n\
                2. 如有腹泻、呕吐、发热，请多喝补液，及时就医；老人、孕妇和婴幼儿请尽早就医。\n\
                3. 行动不便、取水困难请来电，社区会送水上门。",
            sms: "{community}饮用水可能受污染，请将水煮沸1分钟后再用于饮用、刷牙、洗菜。腹泻发热请就医，取水困难请来电",
        },
        english: Texts {
            headline: "Please boil water before drinking",
            body: "{community} reports that its drinking water may be polluted; it is being tested. Until we tell you that it is safe again, \
                please do not drink tap water as it is.",
            instruction: "1. For drinking, brushing teeth, washing food and baby formula use bottled water or water boiled for at least 1 minute. \
                You can wash with tap water; do not swallow it.\n\
                2. With diarrhoea, vomiting or fever drink plenty and see a doctor; old people, pregnant women and small children early.\n\
                3. If you cannot fetch water, call us: it will be brought to you.",
            sms: "Boil water 1 minute before drinking or washing food. If ill, see a doctor.",
        },
        validity: 3 * DAY,
        ack_window: 2 * HOUR,
        cooldown: DAY,
        gather_window: 5 * MINUTE,
        display: true,
        leaves: None,
    },
    Shipped {
        id: uuid!("24fd6f56-4c30-578e-8568-929fcc144cf5"),
        name: "社区上报场所风险：暂勿前往",
        kinds: &[RecordKind::CommunityReport],
        condition: r#"level in ["medium", "high"] && age_hours < 72 && (!("hazard" in attributes) || attributes.hazard != "drinking_water")"#,
        audience: RuleAudience::SubjectCommunity,
        urgency: Urgency::Expected,
        severity: Severity::Moderate,
        certainty: Certainty::Possible,
        purpose: "提醒居民暂时不要前往有疫情风险的场所，减少传播",
        chinese: Texts {
            headline: "请暂时不要前往{place}",
            body: "{community}上报{place}可能存在疫情传播风险，正在核实和消毒。恢复正常后我们会再通知您。",
            instruction: "1. 请暂时不要前往{place}，路过时戴好口罩，不停留。\n\
                2. 近三天去过那里的人，请留意体温；如有发热、咳嗽，请戴口罩就医，并说明去过那里。\n\
                3. 如因此买菜、取药有困难，请来电，社区会帮助您。",
            sms: "{place}可能有疫情传播风险，请暂勿前往。近三天去过的请留意体温，如有不适请戴口罩就医",
        },
        english: Texts {
            headline: "Please stay away from {place} for now",
            body: "{community} reports that an infection may be spreading at {place}. It is being checked and disinfected; we will tell you when it is safe again.",
            instruction: "1. Do not go to {place} for now; wear a mask when you pass by and do not stop.\n\
                2. If you were there in the last three days, watch your temperature. With fever or cough see a doctor, wear a mask and say where you were.\n\
                3. If this makes it hard to get food or medicine, call us: your community will help.",
            sms: "Avoid {place} for now, risk of infection. If you were there, watch your health.",
        },
        validity: 3 * DAY,
        ack_window: 4 * HOUR,
        cooldown: DAY,
        gather_window: 10 * MINUTE,
        display: true,
        leaves: None,
    },
];

#[cfg(test)]
mod tests;
