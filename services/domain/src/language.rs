//! The languages an alert may be written in, by their BCP 47 tags.

crate::words! {
    /// A language of alert texts. Every alert has [`Language::ZhCn`]; it stands in for a language that an alert lacks.
    #[derive(Default)]
    pub enum Language {
        /// Chinese as written on the mainland.
        #[default]
        ZhCn as "zh-CN",
        /// English.
        En as "en",
    }
}

/// The least number of letters from which the language of a text can be told at all.
const ENOUGH_LETTERS: usize = 4;

impl Language {
    /// Whether a text may be in this language, told by its letters: a Chinese one has Chinese characters, an English one has more Latin
    /// letters than those. What is too short to tell fits.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        let (mut chinese, mut latin) = (0_usize, 0_usize);
        for letter in text.chars() {
            match letter {
                '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' => chinese += 1,
                _ if letter.is_alphabetic() => latin += 1,
                _ => {}
            }
        }
        match self {
            Self::ZhCn => chinese > 0 || latin < ENOUGH_LETTERS,
            Self::En => latin > chinese || chinese < ENOUGH_LETTERS,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::chinese(Language::ZhCn, "请立即居家隔离", true)]
    #[case::chinese_with_latin_names(Language::ZhCn, "请戴 N95 口罩，详见 COVID-19 指引", true)]
    #[case::english_as_chinese(Language::ZhCn, "Stay at home at once", false)]
    #[case::a_number_as_chinese(Language::ZhCn, "12320", true)]
    #[case::english(Language::En, "Stay at home at once", true)]
    #[case::english_with_a_chinese_name(Language::En, "Go to 渝州宾馆 at once", true)]
    #[case::chinese_as_english(Language::En, "请立即居家隔离", false)]
    #[case::chinese_with_a_word_as_english(Language::En, "请立即居家隔离，请戴好口罩 OK", false)]
    #[case::nothing(Language::En, "", true)]
    fn a_text_tells_its_language(#[case] language: Language, #[case] text: &str, #[case] fits: bool) {
        assert_eq!(language.fits(text), fits);
    }
}
