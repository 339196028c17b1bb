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
