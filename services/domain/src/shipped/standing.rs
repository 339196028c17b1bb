//! What the shipped rules leave standing. Nobody may ask about any of it before a city names a purpose.

use std::collections::BTreeMap;

use crate::language::Language;
use crate::risk_record::RecordKind;
use crate::standing::{Lifter, LiftingRecord, StandingTerms};

/// In Chinese and in English.
type Both = (&'static str, &'static str);

/// What one rule leaves.
pub(super) struct Leaves {
    reason: &'static str,
    label: Both,
    measure: Both,
    days: u16,
    tests: Tests,
    who: &'static [Lifter],
}

/// The negative tests that lift it.
struct Tests {
    times: u8,
    apart_hours: u16,
    after_hours: u16,
    lifts: Both,
}

const ONE_TEST: Tests =
    Tests {
        times: 1, apart_hours: 0, after_hours: 0, lifts: ("此后采样的一次检测结果为阴性", "One negative test, taken after that")
    };

const TWO_TESTS: Tests = Tests {
    times: 2,
    apart_hours: 24,
    after_hours: 0,
    lifts: ("此后采样的两次检测结果均为阴性，间隔至少 24 小时", "Two negative tests taken after that, at least 24 hours apart"),
};

pub(super) const CLOSE_CONTACT: Leaves = Leaves {
    reason: "close_contact",
    label: ("密切接触者", "Close contact"),
    measure: ("到指定地点隔离，不外出", "Isolate at the place that you were told, do not go out"),
    days: 7,
    tests: TWO_TESTS,
    who: &[Lifter::District, Lifter::City],
};

pub(super) const SECONDARY_CONTACT: Leaves = Leaves {
    reason: "secondary_contact",
    label: ("次密切接触者", "Secondary contact"),
    measure: ("居家健康监测，早晚测体温", "Watch your health at home, take your temperature morning and evening"),
    days: 7,
    tests: ONE_TEST,
    who: &[Lifter::Community, Lifter::District, Lifter::City],
};

pub(super) const POSITIVE: Leaves = Leaves {
    reason: "infected",
    label: ("检测阳性或病例", "Positive test or case"),
    measure: ("留在原地等待接诊，不外出", "Stay where you are until medical staff come, do not go out"),
    days: 14,
    tests: TWO_TESTS,
    who: &[Lifter::District, Lifter::City],
};

pub(super) const PLACE_VISITED: Leaves = Leaves {
    reason: "place_visited",
    label: ("到访高风险场所", "Visited a high-risk place"),
    measure: ("尽快检测，出结果前不聚集", "Get tested soon, avoid gatherings until you have the result"),
    days: 3,
    tests: ONE_TEST,
    who: &[Lifter::Community, Lifter::District, Lifter::City],
};

pub(super) const ARRIVAL: Leaves = Leaves {
    reason: "arrival",
    label: ("自风险地区抵达", "Arrived from a risk area"),
    measure: ("尽快检测，每天测体温", "Get tested soon, take your temperature every day"),
    days: 7,
    tests: ONE_TEST,
    who: &[Lifter::Community, Lifter::District, Lifter::City],
};

pub(super) const ANALYSIS: Leaves = Leaves {
    reason: "analysis",
    label: ("数据分析发现", "Found by an analysis of data"),
    measure: ("检测一次，出结果前少去人多的地方", "Get tested once, avoid crowded places until you have the result"),
    days: 3,
    tests: ONE_TEST,
    who: &[Lifter::Community, Lifter::District, Lifter::City],
};

impl Leaves {
    pub(super) fn terms(&self) -> StandingTerms {
        StandingTerms {
            reason: self.reason.to_owned(),
            label: both(self.label),
            measure: both(self.measure),
            stands_for_days: Some(self.days),
            lifted_by: Some(LiftingRecord {
                kinds: [RecordKind::TestResult].into(),
                condition: r#"attributes.result == "negative""#.to_owned(),
                times: self.tests.times,
                apart_hours: self.tests.apart_hours,
                after_hours: self.tests.after_hours,
                lifts: both(self.tests.lifts),
            }),
            who: self.who.iter().copied().collect(),
            asked_for: Vec::new(),
        }
    }
}

fn both((chinese, english): Both) -> BTreeMap<Language, String> {
    [(Language::ZhCn, chinese.to_owned()), (Language::En, english.to_owned())].into()
}
