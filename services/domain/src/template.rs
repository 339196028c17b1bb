//! The texts of a rule, with variables: `您近期到过{place}` becomes an alert's text when records are gathered into a draft.
//!
//! A variable is a name in braces; `{{` and `}}` are braces themselves. Names are a closed list, so a misspelt one is found when the rule is saved and
//! not when people are waiting for the alert. A variable without a value is left standing as `{name}` and reported: the draft cannot be
//! submitted before a person has replaced it ([`FaultKind::Unfilled`](crate::alert::FaultKind::Unfilled)).

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::language::Language;
use crate::risk_record::AttributeValue;

/// A variable that texts may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownVariable {
    /// Its name between the braces. A record's attribute of this name gives it its value.
    pub name: &'static str,
    /// What stands for it, told to the author of a rule.
    pub meaning: &'static str,
    /// A value as it may come, to check and show texts with.
    pub example: &'static str,
}

/// All of them.
pub const KNOWN_VARIABLES: [KnownVariable; 9] = [
    KnownVariable { name: "city", meaning: "城市名称", example: "重庆市" },
    KnownVariable { name: "district", meaning: "负责处置的区县名称", example: "沙坪坝区" },
    KnownVariable { name: "township", meaning: "街道（乡镇）名称", example: "渝碚路街道" },
    KnownVariable { name: "community", meaning: "社区（村）名称", example: "杨公桥社区" },
    KnownVariable { name: "date", meaning: "事件发生的日期", example: "11月20日" },
    KnownVariable { name: "place", meaning: "涉及的公共场所名称", example: "三峡广场" },
    KnownVariable { name: "isolation_site", meaning: "隔离地点", example: "区集中隔离点" },
    KnownVariable { name: "test_site", meaning: "检测地点", example: "区人民医院" },
    KnownVariable { name: "risk_area", meaning: "风险地区名称", example: "某市某区" },
];

/// The values of variables, for each language where it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    everywhere: BTreeMap<&'static str, String>,
    by_language: BTreeMap<(&'static str, Language), String>,
}

impl Variables {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The example values of [`KNOWN_VARIABLES`].
    pub fn examples() -> Self {
        let everywhere = KNOWN_VARIABLES.iter().map(|variable| (variable.name, variable.example.to_owned())).collect();
        Self { everywhere, by_language: BTreeMap::new() }
    }

    /// Sets a value for all languages. Without effect if there is no such variable or the value is blank.
    pub fn set(&mut self, name: &str, value: &str) {
        if let (Some(name), false) = (known(name), value.trim().is_empty()) {
            self.everywhere.insert(name, value.trim().to_owned());
        }
    }

    /// Sets a value for one language, which counts before the one for all.
    pub fn set_in(&mut self, language: Language, name: &str, value: &str) {
        if let (Some(name), false) = (known(name), value.trim().is_empty()) {
            self.by_language.insert((name, language), value.trim().to_owned());
        }
    }

    /// Sets what a record's attributes say: those with the name of a variable and a text or a number.
    pub fn set_attributes(&mut self, attributes: &BTreeMap<String, AttributeValue>) {
        for (name, value) in attributes {
            match value {
                AttributeValue::Text(text) => self.set(name, text),
                AttributeValue::Number(number) => self.set(name, &number.to_string()),
                AttributeValue::Bool(_) => {}
            }
        }
    }

    /// Keeps what `other` says too. A draft gathers many records under one text: where they differ, the text has no value, and a person decides.
    pub fn keep_common(&mut self, other: &Self) {
        self.everywhere.retain(|name, value| other.everywhere.get(name) == Some(value));
        self.by_language.retain(|key, value| other.by_language.get(key) == Some(value));
    }

    /// The value of a variable in a language.
    pub fn get(&self, name: &str, language: Language) -> Option<&str> {
        let name = known(name)?;
        self.by_language.get(&(name, language)).or_else(|| self.everywhere.get(name)).map(String::as_str)
    }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN_VARIABLES.iter().map(|variable| variable.name).find(|known| *known == name)
}

/// A text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(&'static str),
}

/// Why a text is no template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("第 {line} 行第 {column} 个字符：{problem}")]
pub struct TemplateError {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub problem: TemplateProblem,
}

/// What can be wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// No variable of this name.
    #[error("没有名为“{0}”的变量，可用的变量有：{names}", names = names())]
    UnknownVariable(String),
    /// `{` without its `}`.
    #[error("“{{”没有对应的“}}”；如需显示花括号，请写成“{{{{”")]
    Unclosed,
    /// `}` without its `{`.
    #[error("“}}”没有对应的“{{”；如需显示花括号，请写成“}}}}”")]
    Unopened,
}

fn names() -> String {
    KNOWN_VARIABLES.map(|variable| variable.name).join("、")
}

/// Some variables had no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("变量没有内容：{}", .0.join("、"))]
pub struct MissingVariables(pub Vec<&'static str>);

impl Template {
    /// Reads a text with variables.
    ///
    /// # Errors
    /// The first fault and its position.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut reader = Reader { rest: source, line: 1, column: 1 };
        let mut pieces = Vec::new();
        let mut text = String::new();
        loop {
            let (line, column) = (reader.line, reader.column);
            let fault = |problem| TemplateError { line, column, problem };
            if reader.skip("{{") {
                text.push('{');
            } else if reader.skip("}}") {
                text.push('}');
            } else if reader.skip("{") {
                let name = reader.until('}').ok_or_else(|| fault(TemplateProblem::Unclosed))?;
                let name = name.trim();
                let variable = known(name).ok_or_else(|| fault(TemplateProblem::UnknownVariable(name.chars().take(40).collect())))?;
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Variable(variable));
            } else if reader.skip("}") {
                return Err(fault(TemplateProblem::Unopened));
            } else if let Some(c) = reader.next() {
                text.push(c);
            } else {
                break;
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { pieces })
    }

    /// The variables it uses, each once, in the order of their names.
    pub fn variables(&self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            self.pieces.iter().filter_map(|piece| if let Piece::Variable(name) = piece { Some(*name) } else { None }).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The text with every variable filled in.
    ///
    /// # Errors
    /// The variables that have no value.
    pub fn render(&self, variables: &Variables, language: Language) -> Result<String, MissingVariables> {
        let (text, missing) = self.render_draft(variables, language);
        if missing.is_empty() { Ok(text) } else { Err(MissingVariables(missing)) }
    }

    /// The text with those variables filled in that have a value; the others stand as `{name}` and are listed.
    pub fn render_draft(&self, variables: &Variables, language: Language) -> (String, Vec<&'static str>) {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable(name) => match variables.get(name, language) {
                    Some(value) => text.push_str(value),
                    // Writing to a String cannot fail.
                    None => _ = write!(text, "{{{name}}}"),
                },
            }
        }
        let missing = self.variables().into_iter().filter(|name| variables.get(name, language).is_none()).collect();
        (text, missing)
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                self.column += sign.len() as u32;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// What stands before `end`, which is taken too; `None` if it does not come before the next `{` or the end.
    fn until(&mut self, end: char) -> Option<&'a str> {
        let at = self.rest.find([end, '{']).filter(|at| self.rest[*at..].starts_with(end))?;
        let found = &self.rest[..at];
        while self.next().is_some_and(|c| c != end) {}
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn variables(values: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::new();
        values.iter().for_each(|(name, value)| variables.set(name, value));
        variables
    }

    #[rstest]
    #[case::plain("请立即隔离", "请立即隔离", &[])]
    #[case::one("请到{isolation_site}隔离", "请到青松酒店隔离", &["isolation_site"])]
    #[case::twice("{place}、{place}", "三峡广场、三峡广场", &["place"])]
    #[case::side_by_side("{place}{isolation_site}", "三峡广场青松酒店", &["isolation_site", "place"])]
    #[case::spaces_inside("{ place }", "三峡广场", &["place"])]
    #[case::braces("{{place}} {place} }}{{", "{place} 三峡广场 }{", &["place"])]
    #[case::nothing("", "", &[])]
    fn a_text_is_filled_in(#[case] source: &str, #[case] expected: &str, #[case] uses: &[&str]) {
        let template = Template::parse(source).unwrap();
        assert_eq!(template.variables(), uses);
        let values = variables(&[("place", "三峡广场"), ("isolation_site", "青松酒店")]);
        assert_eq!(template.render(&values, Language::ZhCn), Ok(expected.to_owned()));
    }

    #[rstest]
    #[case::misspelt("请到{isolation_sit}隔离", 1, 3, TemplateProblem::UnknownVariable("isolation_sit".into()))]
    #[case::on_the_second_line("第一行\n请到{where}", 2, 3, TemplateProblem::UnknownVariable("where".into()))]
    #[case::after_another("{place}和{nowhere}", 1, 9, TemplateProblem::UnknownVariable("nowhere".into()))]
    #[case::no_name("{}", 1, 1, TemplateProblem::UnknownVariable(String::new()))]
    #[case::not_closed("请到{place", 1, 3, TemplateProblem::Unclosed)]
    #[case::opened_twice("{place {district}", 1, 1, TemplateProblem::Unclosed)]
    #[case::not_opened("place}", 1, 6, TemplateProblem::Unopened)]
    fn a_faulty_text_is_refused_where_the_fault_is(
        #[case] source: &str,
        #[case] line: u32,
        #[case] column: u32,
        #[case] problem: TemplateProblem,
    ) {
        assert_eq!(Template::parse(source), Err(TemplateError { line, column, problem }));
    }

    #[test]
    fn a_variable_without_value_is_left_standing_and_reported() {
        let template = Template::parse("{district}：请到{isolation_site}").unwrap();
        let values = variables(&[("district", "渝中区"), ("isolation_site", "  ")]);
        assert_eq!(template.render(&values, Language::ZhCn), Err(MissingVariables(vec!["isolation_site"])));
        assert_eq!(template.render_draft(&values, Language::ZhCn), ("渝中区：请到{isolation_site}".to_owned(), vec!["isolation_site"]));
    }

    #[test]
    fn a_language_may_have_its_own_value() {
        let template = Template::parse("{district}").unwrap();
        let mut values = variables(&[("district", "渝中区")]);
        values.set_in(Language::En, "district", "Yuzhong");
        assert_eq!(template.render(&values, Language::En).unwrap(), "Yuzhong");
        assert_eq!(template.render(&values, Language::ZhCn).unwrap(), "渝中区");
    }

    #[test]
    fn records_that_differ_leave_no_value() {
        let mut values = variables(&[("place", "三峡广场"), ("district", "沙坪坝区")]);
        values.keep_common(&variables(&[("place", "大学城"), ("district", "沙坪坝区")]));
        assert_eq!(values, variables(&[("district", "沙坪坝区")]));
    }

    #[test]
    fn attributes_with_the_name_of_a_variable_give_it_its_value() {
        let mut values = Variables::new();
        values.set_attributes(&BTreeMap::from([
            ("place".to_owned(), AttributeValue::Text("三峡广场".into())),
            ("name".to_owned(), AttributeValue::Text("张三".into())),
            ("date".to_owned(), AttributeValue::Bool(true)),
        ]));
        assert_eq!(values, variables(&[("place", "三峡广场")]));
    }

    proptest! {
        #[test]
        fn every_text_is_a_template_or_has_a_fault_inside_it(source in "[{}a-z\\n重庆]{0,40}") {
            if let Err(error) = Template::parse(&source) {
                let line = source.split('\n').nth(error.line as usize - 1).unwrap();
                let sign = line.chars().nth(error.column as usize - 1);
                prop_assert!(matches!(sign, Some('{' | '}')), "{:?} at {:?}", error, sign);
            }
        }

        #[test]
        fn braces_written_twice_are_text(text in "\\PC*") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(Template::parse(&escaped).unwrap().render(&Variables::new(), Language::ZhCn).unwrap(), text);
        }
    }
}
