//! As what an attribute is read: as what it is compared with.
//!
//! An attribute has no kind of its own. A list knows texts only, and one source sends 12 where another sends "12". So what it is compared
//! with decides, the same for every record: `attributes.seat == "12"` compares texts, and `attributes.nights >= 3` numbers. A text that is
//! no number then decides nothing ([`EvaluationError::WrongKind`](super::EvaluationError)), and the record does not match.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::check::{self, is_attribute};

/// What reads an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Text,
    Number,
    Bool,
}

impl Reading {
    /// The function of CEL that reads anything so.
    const fn function(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "double",
            Self::Bool => "bool",
        }
    }

    /// As what an attribute beside this is read; none beside another attribute.
    fn beside(part: &IdedExpr) -> Option<Self> {
        match &part.expr {
            Expr::Literal(LiteralValue::String(_)) => Some(Self::Text),
            Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => Some(Self::Number),
            Expr::Literal(LiteralValue::Boolean(_)) => Some(Self::Bool),
            Expr::Ident(name) if check::is_number(name) => Some(Self::Number),
            Expr::Ident(name) if check::is_word(name) => Some(Self::Text),
            Expr::List(list) => {
                let mut readings = list.elements.iter().map(Self::beside);
                let first = readings.next()??;
                readings.all(|reading| reading == Some(first)).then_some(first)
            }
            _ => None,
        }
    }
}

/// Has every attribute of a checked condition read as what it is compared with.
pub(super) fn settle(part: &mut IdedExpr) {
    let Expr::Call(call) = &mut part.expr else { return };
    match (call.func_name.as_str(), call.args.as_mut_slice()) {
        (
            operators::EQUALS
            | operators::NOT_EQUALS
            | operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS
            | operators::IN,
            [left, right],
        ) => match (is_attribute(left), is_attribute(right)) {
            (true, false) => read_as(left, Reading::beside(right)),
            (false, true) => read_as(right, Reading::beside(left)),
            _ => {}
        },
        (_, parts) => parts.iter_mut().for_each(settle),
    }
}

fn read_as(attribute: &mut IdedExpr, reading: Option<Reading>) {
    let Some(reading) = reading else { return };
    let id = attribute.id;
    let read = std::mem::take(attribute);
    attribute.id = id;
    attribute.expr = Expr::Call(CallExpr { func_name: reading.function().to_owned(), target: None, args: vec![read] });
}
