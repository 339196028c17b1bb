//! Somebody asks about one person by asking about others as well.

#![allow(clippy::unwrap_used, reason = "an audience that cannot be read fails the test")]

use domain::area::CommunityCode;
use domain::audience::AudienceQuery;
use domain::industry::Industry;
use domain::language::Language;
use proptest::prelude::*;
use serde_json::json;

use super::RoundedCounts;
use super::cells::{Cells, Kind};
use super::counts::Ways;

/// Five communities of a city, the first the person's own.
const COMMUNITIES: [i64; 5] = [500_103_001_001, 500_103_001_002, 500_103_002_001, 500_104_001_001, 500_105_001_001];

fn community(at: usize) -> CommunityCode {
    CommunityCode::try_from(COMMUNITIES[at]).unwrap()
}

fn ways() -> impl Strategy<Value = Ways> {
    any::<[bool; 5]>().prop_map(|[apns, fcm, web, sms, drill]| Ways { apns, fcm, web, sms, drill })
}

fn told(cells: &Cells, query: &AudienceQuery) -> RoundedCounts {
    super::rounded(query, [cells])
}

proptest! {
    /// Two cities that differ by one person, and any question about them, padded as the asker likes.
    #[test]
    fn who_is_there_is_not_found_out_by_padding(
        own in 0_i32..9,
        others in prop::collection::vec((1_usize..5, 1_i32..60, ways()), 0..12),
        of_own in ways(),
        of_person in ways(),
        padding in prop::collection::vec(1_usize..5, 0..8),
    ) {
        let kind = |ways| Kind { industry: Some(Industry::Health), language: Language::En, ways };
        let mut without = Cells::default();
        without.add(community(0), kind(of_own), own);
        others.iter().for_each(|(at, people, ways)| without.add(community(*at), kind(*ways), *people));
        let mut with = without.clone();
        with.add(community(0), kind(of_person), 1);
        let mut include = vec![json!({ "areas": [community(0).to_string()], "industries": ["health"], "languages": ["en"] })];
        include.extend(padding.iter().map(|at| json!({ "areas": [community(*at).to_string()] })));
        let padded: AudienceQuery = serde_json::from_value(json!({ "include": include })).unwrap();
        if own + 1 < 10 {
            prop_assert_eq!(told(&with, &padded), told(&without, &padded), "nobody shows among fewer than ten");
        }
    }

    /// Whoever lives alone in a community: everybody of the district is asked for, with that community and without.
    #[test]
    fn who_lives_alone_is_not_found_out_by_leaving_out_where_they_live(
        others in prop::collection::vec((1_usize..3, 1_i32..60, ways()), 0..12),
        of_person in ways(),
    ) {
        let kind = |ways| Kind { industry: None, language: Language::En, ways };
        let mut without = Cells::default();
        others.iter().for_each(|(at, people, ways)| without.add(community(*at), kind(*ways), *people));
        let mut with = without.clone();
        with.add(community(0), kind(of_person), 1);
        let left_out: AudienceQuery =
            serde_json::from_value(json!({ "include": [{ "areas": ["500103"] }], "exclude": [{ "areas": [community(0).to_string()] }] })).unwrap();
        prop_assert_eq!(told(&with, &left_out), told(&without, &left_out));
    }

    /// What is asked about beside a community adds its own share, whoever is in the community.
    #[test]
    fn padding_adds_the_same_whoever_is_there(own in 0_i32..200, other in 0_i32..200, both in ways()) {
        let kind = Kind { industry: None, language: Language::En, ways: both };
        let ask = |areas: &[usize], own: i32| {
            let mut cells = Cells::default();
            cells.add(community(0), kind, own);
            cells.add(community(1), kind, other);
            let areas: Vec<String> = areas.iter().map(|at| community(*at).to_string()).collect();
            let query = serde_json::from_value(json!({ "include": [{ "areas": areas }] })).unwrap();
            told(&cells, &query).counts().everybody
        };
        let (alone, padded, padding) = (ask(&[0], own), ask(&[0, 1], own), ask(&[1], own));
        prop_assert_eq!(padded.people, alone.people + padding.people);
        prop_assert_eq!((padded.apns, padded.fcm, padded.sms), (alone.apns + padding.apns, alone.fcm + padding.fcm, alone.sms + padding.sms));
    }
}
