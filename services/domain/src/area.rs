//! Administrative areas by their codes: GB/T 2260 for districts (6 digits), the National Bureau of Statistics' longer
//! codes for townships (9) and communities (12). Each code begins with the code of what it lies in.
//!
//! A code here is well formed; whether the city has such a place is [`crate::place`]'s to say.

use std::fmt;
use std::str::FromStr;

/// The text is no code of an area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// A code of another length, or not made of digits.
    #[error("a {kind} code has {digits} digits and does not begin with 0")]
    Code {
        /// District, township or community.
        kind: &'static str,
        /// How many digits it has.
        digits: u32,
    },
    /// Neither `city` nor a code.
    #[error("an area is \"city\" or the code of a district (6 digits), township (9) or community (12)")]
    Area,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident($number:ty, $signed:ty) $kind:literal $digits:literal $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($number);

        impl $name {
            const LOWEST: $number = <$number>::pow(10, $digits - 1);
            const HIGHEST: $number = <$number>::pow(10, $digits - 1) * 9 + (<$number>::pow(10, $digits - 1) - 1);

            /// The code as a number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl TryFrom<$number> for $name {
            type Error = AreaError;

            fn try_from(number: $number) -> Result<Self, AreaError> {
                if (Self::LOWEST..=Self::HIGHEST).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(AreaError::Code { kind: $kind, digits: $digits })
                }
            }
        }

        /// From the signed column of a table.
        impl TryFrom<$signed> for $name {
            type Error = AreaError;

            fn try_from(number: $signed) -> Result<Self, AreaError> {
                Self::try_from(number.unsigned_abs()).and_then(|code| {
                    if number > 0 { Ok(code) } else { Err(AreaError::Code { kind: $kind, digits: $digits }) }
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = AreaError;

            fn from_str(text: &str) -> Result<Self, AreaError> {
                let wrong = AreaError::Code { kind: $kind, digits: $digits };
                // `u32::from_str` also takes a sign, which no code has.
                if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(wrong);
                }
                text.parse::<$number>().map_err(|_| wrong).and_then(Self::try_from)
            }
        }

        crate::text_form::text_form!($name, "Code of an area (GB/T 2260 and its longer forms)", $example);
    )*};
}

codes! {
    /// A district or county, for instance 500103 渝中区.
    DistrictCode(u32, i32) "district" 6 "500103";
    /// A township or subdistrict, for instance 500101001 高笋塘街道.
    TownshipCode(u32, i32) "township" 9 "500101001";
    /// A village or urban community, for instance 500101001001 东方广场社区.
    CommunityCode(u64, i64) "community" 12 "500101001001";
}

impl TownshipCode {
    /// The district it lies in.
    #[must_use]
    pub const fn district(self) -> DistrictCode {
        DistrictCode(self.0 / 1_000)
    }
}

impl CommunityCode {
    /// The township it lies in.
    #[must_use]
    pub const fn township(self) -> TownshipCode {
        // Twelve digits without the last three are nine: they fit.
        TownshipCode((self.0 / 1_000) as u32)
    }

    /// The district it lies in.
    #[must_use]
    pub const fn district(self) -> DistrictCode {
        self.township().district()
    }
}

/// The city or a part of it. As text: `city` or the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The whole city.
    City,
    /// One district or county.
    District(DistrictCode),
    /// One township or subdistrict.
    Township(TownshipCode),
    /// One village or urban community.
    Community(CommunityCode),
}

impl Area {
    /// Whether the other area is this one or lies in it.
    #[must_use]
    pub fn contains(self, other: Area) -> bool {
        match self {
            Self::City => true,
            Self::District(district) => other.district() == Some(district),
            Self::Township(township) => other.township() == Some(township),
            Self::Community(community) => other == Self::Community(community),
        }
    }

    /// The one district it is or lies in; none for the city.
    #[must_use]
    pub const fn district(self) -> Option<DistrictCode> {
        match self {
            Self::City => None,
            Self::District(district) => Some(district),
            Self::Township(township) => Some(township.district()),
            Self::Community(community) => Some(community.district()),
        }
    }

    /// The one township it is or lies in, if it is that small.
    #[must_use]
    pub const fn township(self) -> Option<TownshipCode> {
        match self {
            Self::City | Self::District(_) => None,
            Self::Township(township) => Some(township),
            Self::Community(community) => Some(community.township()),
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::City => f.write_str("city"),
            Self::District(code) => code.fmt(f),
            Self::Township(code) => code.fmt(f),
            Self::Community(code) => code.fmt(f),
        }
    }
}

impl FromStr for Area {
    type Err = AreaError;

    fn from_str(text: &str) -> Result<Self, AreaError> {
        let area = match text.len() {
            4 if text == "city" => Ok(Self::City),
            6 => text.parse().map(Self::District),
            9 => text.parse().map(Self::Township),
            12 => text.parse().map(Self::Community),
            _ => Err(AreaError::Area),
        };
        area.map_err(|_| AreaError::Area)
    }
}

crate::text_form::text_form!(Area, "\"city\", or the code of a district, township or community", "500103");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn area(text: &str) -> Area {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("city", "city", true)]
    #[case("city", "500101001001", true)]
    #[case("500101", "city", false)]
    #[case("500101", "500101", true)]
    #[case("500101", "500101001", true)]
    #[case("500101", "500101001001", true)]
    #[case("500101", "500102001001", false)]
    #[case("500101001", "500101", false)]
    #[case("500101001", "500101001001", true)]
    #[case("500101001", "500101017001", false)]
    #[case("500101001001", "500101001001", true)]
    #[case("500101001001", "500101001002", false)]
    #[case("500101001001", "500101001", false)]
    fn an_area_contains_itself_and_what_lies_in_it(#[case] one: &str, #[case] other: &str, #[case] contains: bool) {
        assert_eq!(area(one).contains(area(other)), contains);
    }

    #[rstest]
    #[case("")]
    #[case("City")]
    #[case("50010")]
    #[case("5001011")]
    #[case("050101")]
    #[case("+50101")]
    #[case("50010a")]
    #[case("５００１")]
    #[case("500101001001001")]
    fn what_is_no_code_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Area>(), Err(AreaError::Area));
    }

    #[test]
    fn codes_are_read_from_json_with_and_without_quotes_and_written_with() {
        let code: DistrictCode = serde_json::from_str("500103").unwrap();
        assert_eq!(serde_json::from_str::<DistrictCode>("\"500103\"").unwrap(), code);
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"500103\"");
        assert!(serde_json::from_str::<DistrictCode>("99999").is_err());
        assert!(serde_json::from_str::<DistrictCode>("-500103").is_err());
    }

    #[test]
    fn a_negative_column_is_no_code() {
        assert!(DistrictCode::try_from(-500_103_i32).is_err());
        assert_eq!(DistrictCode::try_from(500_103_i32).map(DistrictCode::get), Ok(500_103));
    }

    proptest! {
        #[test]
        fn every_community_lies_in_its_township_and_district(number in 100_000_000_000_u64..=999_999_999_999) {
            let community = CommunityCode::try_from(number).unwrap();
            let area = Area::Community(community);
            prop_assert!(Area::Township(community.township()).contains(area));
            prop_assert!(Area::District(community.district()).contains(Area::Township(community.township())));
            prop_assert_eq!(area.to_string().parse(), Ok(area));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<Area>();
        }
    }
}
