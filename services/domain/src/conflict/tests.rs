use rstest::rstest;

use super::*;
use crate::alert::sample::content;
use crate::audience::AudienceQuery;

fn saying(chinese: &str) -> AlertContent {
    let mut content = content();
    content.place = None;
    content.texts.remove(&Language::En);
    let text = content.texts.get_mut(&Language::ZhCn).unwrap();
    (text.headline, text.body, text.instruction, text.sms) =
        ("通知".to_owned(), chinese.to_owned(), "请留意后续消息。".to_owned(), chinese.to_owned());
    content
}

fn asked(chinese: &str) -> Vec<(Measure, bool)> {
    demands(&saying(chinese)).into_iter().map(|demand| (demand.measure, demand.taken)).collect()
}

#[rstest]
#[case("请居家，不外出。", &[(Measure::StayIn, true)])]
#[case("请立即撤离到体育馆。", &[(Measure::Leave, true)])]
#[case("无需撤离，请留在室内。", &[(Measure::StayIn, true), (Measure::Leave, false)])]
#[case("居家要求已解除，恢复正常生活。", &[(Measure::StayIn, false)])]
#[case("现解除居家要求。", &[(Measure::StayIn, false)])]
#[case("请勿撤离！", &[(Measure::Leave, false)])]
#[case("Residents must evacuate at once.", &[(Measure::Leave, true)])]
#[case("There is no need to evacuate.", &[(Measure::Leave, false)])]
#[case("Stay indoors. The evacuation has been lifted.", &[(Measure::StayIn, true), (Measure::Leave, false)])]
#[case("请把自来水煮沸后饮用。", &[(Measure::BoilWater, true)])]
#[case::unclear("一号楼请居家；二号楼居家要求已解除。", &[])]
#[case::nothing("今天气温下降，请注意保暖。", &[])]
fn what_is_asked_is_told_by_the_words_for_action(#[case] text: &str, #[case] expected: &[(Measure, bool)]) {
    assert_eq!(asked(text), expected);
}

fn areas(codes: &[&str]) -> Audience {
    let selection = crate::audience::Selection { areas: codes.iter().map(|code| code.parse().unwrap()).collect(), ..Default::default() };
    Audience::Query(AudienceQuery { include: vec![selection], exclude: Vec::new() })
}

fn named(numbers: &[u32]) -> Audience {
    Audience::Residents(numbers.iter().copied().collect())
}

struct One {
    author: StaffId,
    district: Option<DistrictCode>,
    content: AlertContent,
    audience: Audience,
}

impl One {
    fn new(district: Option<&str>, text: &str, audience: Audience) -> Self {
        Self { author: StaffId::new(), district: district.map(|code| code.parse().unwrap()), content: saying(text), audience }
    }

    fn said(&self) -> Said<'_> {
        Said { alert: None, corrects: None, district: self.district, author: self.author, content: &self.content, audience: &self.audience }
    }
}

fn found(one: &One, other: &One) -> Option<(Kind, Overlap)> {
    between(&Compared::of(one.said()), &Compared::of(other.said())).map(|conflict| (conflict.kind, conflict.overlap))
}

const STAY: &str = "请居家，不外出。";
const LEAVE: &str = "河堤告急，沿江居民请立即撤离。";

#[rstest]
#[case::district_and_city(Some("500103"), &["500103"], STAY, None, &["city"], LEAVE, Some((Kind::Contradicts, Overlap::Within)))]
#[case::city_and_district(None, &["city"], STAY, Some("500103"), &["500103"], LEAVE, Some((Kind::Contradicts, Overlap::Contains)))]
#[case::the_same_township(Some("500103"), &["500103001"], STAY, Some("500103"), &["500103001"], LEAVE, Some((Kind::Contradicts, Overlap::Same)))]
#[case::some_of_it(None, &["500103", "500105"], STAY, None, &["500105", "500112"], LEAVE, Some((Kind::Contradicts, Overlap::Partly)))]
#[case::elsewhere(Some("500103"), &["500103"], STAY, Some("500105"), &["500105"], LEAVE, None)]
#[case::the_same_again(Some("500103"), &["500103"], STAY, None, &["500103"], STAY, Some((Kind::Doubles, Overlap::Same)))]
#[case::something_else(Some("500103"), &["500103"], STAY, None, &["500103"], "请把自来水煮沸后饮用，供水检修预计今晚完成。", Some((Kind::Overlaps, Overlap::Same)))]
#[case::lifted(Some("500103"), &["500103"], STAY, None, &["city"], "全市居家要求已解除。", Some((Kind::Contradicts, Overlap::Within)))]
fn two_authors_for_one_place_are_shown_to_each_other(
    #[case] district: Option<&str>,
    #[case] own: &[&str],
    #[case] text: &str,
    #[case] other_district: Option<&str>,
    #[case] others: &[&str],
    #[case] other_text: &str,
    #[case] expected: Option<(Kind, Overlap)>,
) {
    let (one, other) = (One::new(district, text, areas(own)), One::new(other_district, other_text, areas(others)));
    assert_eq!(found(&one, &other), expected);
    // whoever is asked first, what contradicts is found
    assert_eq!(found(&other, &one).map(|(kind, _)| kind), expected.map(|(kind, _)| kind));
}

#[test]
fn of_people_who_are_named_those_in_both_count() {
    let (one, other) = (One::new(Some("500103"), STAY, named(&[1, 2])), One::new(Some("500103"), LEAVE, named(&[2, 3])));
    assert_eq!(found(&one, &other), Some((Kind::Contradicts, Overlap::People)));
    let others = One::new(Some("500103"), LEAVE, named(&[3]));
    assert_eq!(found(&one, &others), None);
    let place = One::new(None, LEAVE, areas(&["500103001"]));
    assert_eq!(found(&one, &place), Some((Kind::Contradicts, Overlap::People)));
}

#[test]
fn who_is_left_out_there_is_reached_by_one_only() {
    let mut query = AudienceQuery::everybody_in(Area::City);
    query.exclude = AudienceQuery::everybody_in("500103".parse().unwrap()).include;
    let (one, other) = (One::new(None, STAY, Audience::Query(query)), One::new(Some("500103"), LEAVE, areas(&["500103001"])));
    assert_eq!(found(&one, &other), None);
}

#[test]
fn a_correction_an_exercise_and_ones_own_next_alert_are_no_conflict() {
    let (one, mut other) = (One::new(Some("500103"), STAY, areas(&["500103"])), One::new(Some("500103"), LEAVE, areas(&["500103"])));
    let (earlier, later) = (AlertId::new(), AlertId::new());
    let later_one = Said { alert: Some(later), corrects: Some(earlier), ..one.said() };
    let earlier_one = Said { alert: Some(earlier), ..other.said() };
    let corrected = between(&Compared::of(later_one), &Compared::of(earlier_one));
    assert_eq!(corrected, None);
    other.content.status = Status::Exercise;
    assert_eq!(found(&one, &other), None);
    let mut next = One::new(Some("500103"), "明日上午停水检修，请储水。", areas(&["500103"]));
    next.author = one.author;
    assert_eq!(found(&one, &next), None);
}

#[test]
fn a_contradiction_says_in_both_languages_what_each_asks_for() {
    let (one, other) = (One::new(None, STAY, areas(&["500103"])), One::new(None, LEAVE, areas(&["500103"])));
    let conflict = between(&Compared::of(one.said()), &Compared::of(other.said())).unwrap();
    let (zh, en) = conflict.sentence();
    assert!(conflict.must_be_confirmed());
    assert!(zh.contains("要求居家") && zh.contains("要求撤离"), "{zh}");
    assert!(en.contains("stay inside") && en.contains("leave"), "{en}");
}
