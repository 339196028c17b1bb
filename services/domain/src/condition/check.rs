//! What is checked of a condition before it meets a record.
//!
//! CEL decides types when it runs. Here every part of the expression is given its kind beforehand, so what can never be decided is refused while its
//! author is looking at it. Attributes are the sources' own; their kinds are not known and are taken as they come.

use cel::Program;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use chrono::DateTime;
use strum::VariantArray;

use super::error::ConditionError;
use crate::area::{CommunityCode, DistrictCode, TownshipCode};
use crate::risk_record::{Origin, RecordKind, RiskLevel};

/// A field that conditions may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it says, for the author of a rule.
    pub meaning: &'static str,
    kind: Kind,
}

/// All fields.
pub const FIELDS: [Field; 9] = [
    Field { name: "kind", meaning: "记录类型", kind: Kind::Word(Words { are: is_variant::<RecordKind>, list: words::<RecordKind> }) },
    Field { name: "origin", meaning: "来源类别", kind: Kind::Word(Words { are: is_variant::<Origin>, list: words::<Origin> }) },
    Field { name: "level", meaning: "风险等级", kind: Kind::Word(Words { are: is_variant::<RiskLevel>, list: words::<RiskLevel> }) },
    Field {
        name: "district",
        meaning: "负责区县的 6 位代码",
        kind: Kind::Word(Words { are: is_code::<DistrictCode>, list: || "6 位区县代码".into() }),
    },
    Field {
        name: "township",
        meaning: "街道（乡镇）的 9 位代码",
        kind: Kind::Word(Words { are: is_code::<TownshipCode>, list: || "9 位街道（乡镇）代码".into() }),
    },
    Field {
        name: "community",
        meaning: "社区（村）的 12 位代码",
        kind: Kind::Word(Words { are: is_code::<CommunityCode>, list: || "12 位社区（村）代码".into() }),
    },
    Field { name: "occurred_at", meaning: "发生时间", kind: Kind::Time },
    Field { name: "age_hours", meaning: "发生至今的小时数", kind: Kind::Number },
    Field { name: ATTRIBUTES, meaning: "来源系统附加的属性，如 attributes.result", kind: Kind::Attributes },
];

const ATTRIBUTES: &str = "attributes";

/// Functions called on a text.
const TEXT_FUNCTIONS: [&str; 3] = ["startsWith", "endsWith", "contains"];

/// The kind of a part of an expression.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bool,
    Number,
    Time,
    Text,
    /// A text out of a closed set.
    Word(Words),
    /// One attribute: a text, a number, or true or false.
    Attribute,
    /// All attributes together.
    Attributes,
}

/// The closed set of a field's texts.
#[derive(Clone, Copy, Debug)]
struct Words {
    are: fn(&str) -> bool,
    list: fn() -> String,
}

fn is_variant<T: VariantArray + AsRef<str> + 'static>(text: &str) -> bool {
    T::VARIANTS.iter().any(|word| word.as_ref() == text)
}

fn words<T: VariantArray + AsRef<str> + 'static>() -> String {
    T::VARIANTS.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("、")
}

fn is_code<T: std::str::FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

impl Kind {
    const fn title(self) -> &'static str {
        match self {
            Self::Bool => "真假值",
            Self::Number => "数字",
            Self::Time => "时间",
            Self::Text | Self::Word(_) => "文本",
            Self::Attribute => "属性",
            Self::Attributes => "全部属性",
        }
    }

    const fn compares_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Attributes, _) | (_, Self::Attributes) => false,
            (Self::Attribute, _) | (_, Self::Attribute) => true,
            (Self::Bool, Self::Bool) | (Self::Number, Self::Number) | (Self::Time, Self::Time) => true,
            (Self::Text | Self::Word(_), Self::Text | Self::Word(_)) => true,
            _ => false,
        }
    }

    /// Whether before and after mean something. The words of a field have no order that letters would show: "high" < "low".
    const fn has_order(self) -> bool {
        matches!(self, Self::Number | Self::Time | Self::Attribute)
    }
}

/// Checks a whole condition.
pub(super) fn check(program: &Program, source: &str) -> Result<(), ConditionError> {
    let checker = Checker { program, source };
    let root = program.expression();
    match checker.kind(root)? {
        Kind::Bool => Ok(()),
        other => Err(checker
            .fault(root, format!("条件的结果必须是真或假，这里是{}；请写出比较，例如 attributes.result == \"positive\"", other.title()))),
    }
}

struct Checker<'a> {
    program: &'a Program,
    source: &'a str,
}

type Checked = Result<Kind, ConditionError>;

impl Checker<'_> {
    fn fault(&self, at: &IdedExpr, message: String) -> ConditionError {
        let offset = self.program.source_info().offset_for(at.id).map_or(0, |(start, _)| start as usize);
        let before = &self.source[..self.source.floor_char_boundary(offset)];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        // A source has 4,096 octets at most.
        ConditionError { message, line: line as u32, column: column as u32 }
    }

    fn kind(&self, part: &IdedExpr) -> Checked {
        match &part.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => Ok(Kind::Bool),
            Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => Ok(Kind::Number),
            Expr::Literal(LiteralValue::String(_)) => Ok(Kind::Text),
            Expr::Literal(LiteralValue::Bytes(_) | LiteralValue::Null) => Err(self.fault(part, "条件中不能使用字节串和 null".to_owned())),
            Expr::Ident(name) => self.field(part, name),
            Expr::Select(select) if !select.test && is_attributes(&select.operand) => Ok(Kind::Attribute),
            Expr::Select(select) => {
                self.kind(&select.operand)?;
                Err(self.fault(part, format!("“.{}”不可用：只有 attributes 带有下级属性", select.field)))
            }
            Expr::Call(call) => self.call(part, call),
            Expr::List(_) => Err(self.fault(part, "列表只能写在 in 的右边".to_owned())),
            Expr::Unspecified | Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) => {
                Err(self.fault(part, "条件中不能使用这种写法".to_owned()))
            }
        }
    }

    fn field(&self, part: &IdedExpr, name: &str) -> Checked {
        FIELDS.iter().find(|field| field.name == name).map(|field| field.kind).ok_or_else(|| {
            let names = FIELDS.map(|field| field.name).join("、");
            self.fault(part, format!("没有名为“{name}”的字段，可用的字段有：{names}"))
        })
    }

    fn call(&self, part: &IdedExpr, call: &CallExpr) -> Checked {
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, None, sides) => {
                sides.iter().try_for_each(|side| self.expect_bool(side))?;
                Ok(Kind::Bool)
            }
            (operators::LOGICAL_NOT, None, [side]) => {
                self.expect_bool(side)?;
                Ok(Kind::Bool)
            }
            (operators::CONDITIONAL, None, [asked, yes, no]) => {
                [asked, yes, no].into_iter().try_for_each(|side| self.expect_bool(side))?;
                Ok(Kind::Bool)
            }
            (operators::EQUALS | operators::NOT_EQUALS, None, [left, right]) => self.comparison(part, left, right),
            (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, None, [left, right]) => {
                for side in [left, right] {
                    let kind = self.kind(side)?;
                    if !kind.has_order() {
                        return Err(
                            self.fault(side, format!("{}没有大小之分，请用 == 或 in，例如 level in [\"medium\", \"high\"]", kind.title()))
                        );
                    }
                }
                self.comparison(part, left, right)
            }
            (operators::IN, None, [name, all]) if is_attributes(all) => match self.kind(name)? {
                Kind::Text => Ok(Kind::Bool),
                other => Err(self.fault(name, format!("属性名应为文本，这里是{}", other.title()))),
            },
            (operators::IN, None, [one, IdedExpr { expr: Expr::List(list), .. }]) => {
                list.elements.iter().try_for_each(|element| self.comparison(element, one, element).map(|_| ()))?;
                Ok(Kind::Bool)
            }
            (operators::IN, None, [_, other]) => Err(self.fault(other, "in 的右边应为列表或 attributes".to_owned())),
            (operators::INDEX, None, [all, name]) if is_attributes(all) && matches!(name.expr, Expr::Literal(LiteralValue::String(_))) => {
                Ok(Kind::Attribute)
            }
            ("timestamp", None, [time]) => match &time.expr {
                Expr::Literal(LiteralValue::String(text)) if DateTime::parse_from_rfc3339(text.inner()).is_ok() => Ok(Kind::Time),
                _ => Err(self.fault(time, "时间应写成 timestamp(\"2026-11-20T08:00:00+08:00\")".to_owned())),
            },
            (name, Some(text), [argument]) if TEXT_FUNCTIONS.contains(&name) => {
                for side in [text, argument] {
                    let kind = self.kind(side)?;
                    if !matches!(kind, Kind::Text | Kind::Word(_) | Kind::Attribute) {
                        return Err(self.fault(side, format!("{name} 只能用于文本，这里是{}", kind.title())));
                    }
                }
                Ok(Kind::Bool)
            }
            (name, ..) => Err(self.fault(part, format!("“{}”在条件中不可用", name.trim_matches(['_', '@'])))),
        }
    }

    fn expect_bool(&self, part: &IdedExpr) -> Result<(), ConditionError> {
        match self.kind(part)? {
            Kind::Bool => Ok(()),
            other => {
                Err(self.fault(part, format!("这里应为真假值，实际是{}；请写出比较，例如 attributes.symptoms == true", other.title())))
            }
        }
    }

    fn comparison(&self, part: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Checked {
        let kinds = (self.kind(left)?, self.kind(right)?);
        if !kinds.0.compares_with(kinds.1) {
            return Err(self.fault(part, format!("{}不能与{}比较", kinds.0.title(), kinds.1.title())));
        }
        for (kind, other) in [(kinds.0, right), (kinds.1, left)] {
            if let (Kind::Word(words), Expr::Literal(LiteralValue::String(text))) = (kind, &other.expr)
                && !(words.are)(text.inner())
            {
                return Err(self.fault(other, format!("“{}”不是可能的取值，应为：{}", text.inner(), (words.list)())));
            }
        }
        Ok(Kind::Bool)
    }
}

fn is_attributes(part: &IdedExpr) -> bool {
    matches!(&part.expr, Expr::Ident(name) if name == ATTRIBUTES)
}

/// Whether the part is one attribute.
pub(super) fn is_attribute(part: &IdedExpr) -> bool {
    match &part.expr {
        Expr::Select(select) => !select.test && is_attributes(&select.operand),
        Expr::Call(call) => call.func_name == operators::INDEX && call.args.first().is_some_and(is_attributes),
        _ => false,
    }
}

/// Whether the field of this name is a number.
pub(super) fn is_number(name: &str) -> bool {
    FIELDS.iter().any(|field| field.name == name && matches!(field.kind, Kind::Number))
}

/// Whether the field of this name is a text.
pub(super) fn is_word(name: &str) -> bool {
    FIELDS.iter().any(|field| field.name == name && matches!(field.kind, Kind::Text | Kind::Word(_)))
}
