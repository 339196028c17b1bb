//! What of a condition a record does not meet, for whoever asks why it led to nothing.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{ExecutionError, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::Facts;

/// A part of a condition that a record does not meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct UnmetPart {
    /// The part, as conditions are written.
    #[schema(example = "level == \"high\"")]
    pub wanted: String,
    /// What the record says instead, where the part asks for one field. Values of attributes and areas are not shown (CQ14).
    #[schema(example = "medium")]
    pub found: Option<String>,
    /// The attribute or field that decides and that the record lacks.
    pub lacks: Option<String>,
}

/// The parts that are not met, the fewest where a condition leaves a choice; none of a condition that holds.
pub(super) fn parts(expression: &IdedExpr, facts: &Facts) -> Vec<UnmetPart> {
    if let Expr::Call(CallExpr { func_name, args, .. }) = &expression.expr {
        match func_name.as_str() {
            operators::LOGICAL_AND => return args.iter().flat_map(|side| parts(side, facts)).collect(),
            operators::LOGICAL_OR => return args.iter().map(|side| parts(side, facts)).min_by_key(Vec::len).unwrap_or_default(),
            _ => {}
        }
    }
    let lacks = match Value::resolve(expression, facts.context()) {
        Ok(Value::Bool(true)) => return Vec::new(),
        Err(ExecutionError::NoSuchKey(name)) => Some(name.to_string()),
        Err(ExecutionError::UndeclaredReference(name)) => Some(name.to_string()),
        Ok(_) | Err(_) => None,
    };
    let found = if lacks.is_none() { only_field(expression).and_then(|field| said(field, facts)) } else { None };
    vec![UnmetPart { wanted: written(expression), found, lacks }]
}

/// The one field that a comparison asks for.
fn only_field(part: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &part.expr else { return None };
    let mut fields = call.target.iter().map(AsRef::as_ref).chain(&call.args).filter(|side| matches!(side.expr, Expr::Ident(_)));
    fields.next().filter(|_| fields.next().is_none())
}

/// Where somebody lives may be what the platform knows and the source does not, so areas are not said.
fn said(field: &IdedExpr, facts: &Facts) -> Option<String> {
    if matches!(&field.expr, Expr::Ident(name) if ["district", "township", "community"].contains(&name.as_str())) {
        return None;
    }
    match Value::resolve(field, facts.context()).ok()? {
        Value::String(text) => Some(text.to_string()),
        Value::Float(number) => Some(format!("{number:.1}")),
        Value::Timestamp(time) => Some(time.to_rfc3339()),
        _ => None,
    }
}

/// A part of an expression as its author might have written it.
fn written(part: &IdedExpr) -> String {
    match &part.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(yes) => yes.inner().to_string(),
            LiteralValue::Int(number) => number.inner().to_string(),
            LiteralValue::UInt(number) => number.inner().to_string(),
            LiteralValue::Double(number) => number.inner().to_string(),
            LiteralValue::String(text) => quoted(text.inner()),
            LiteralValue::Bytes(_) | LiteralValue::Null => String::new(),
        },
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => format!("{}.{}", written(&select.operand), select.field),
        Expr::List(list) => format!("[{}]", list.elements.iter().map(written).collect::<Vec<_>>().join(", ")),
        Expr::Call(call) => call_written(call),
        // no condition has any of these
        Expr::Unspecified | Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) => String::new(),
    }
}

fn call_written(call: &CallExpr) -> String {
    match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
        (operators::LOGICAL_NOT, None, [side]) => format!("!{}", enclosed(side)),
        (operators::CONDITIONAL, None, [asked, yes, no]) => format!("{} ? {} : {}", enclosed(asked), enclosed(yes), enclosed(no)),
        (operators::INDEX, None, [all, name]) => format!("{}[{}]", written(all), written(name)),
        (operators::NEGATE, None, [number]) => format!("-{}", written(number)),
        // how an attribute is read is not its author's word
        ("string" | "double" | "bool", None, [attribute]) => written(attribute),
        (name, None, sides) => match sign(name) {
            Some(sign) => {
                let side = |part| if is_joined(part) || !is_junction(name) { enclosed(part) } else { written(part) };
                sides.iter().map(side).collect::<Vec<_>>().join(&format!(" {sign} "))
            }
            None => format!("{name}({})", sides.iter().map(written).collect::<Vec<_>>().join(", ")),
        },
        (name, Some(text), arguments) => {
            format!("{}.{name}({})", written(text), arguments.iter().map(written).collect::<Vec<_>>().join(", "))
        }
    }
}

fn sign(operator: &str) -> Option<&'static str> {
    Some(match operator {
        operators::LOGICAL_AND => "&&",
        operators::LOGICAL_OR => "||",
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        operators::LESS => "<",
        operators::LESS_EQUALS => "<=",
        operators::GREATER => ">",
        operators::GREATER_EQUALS => ">=",
        operators::IN => "in",
        _ => return None,
    })
}

fn is_junction(operator: &str) -> bool {
    matches!(operator, operators::LOGICAL_AND | operators::LOGICAL_OR | operators::CONDITIONAL)
}

/// Whether a part is itself joined of several.
fn is_joined(part: &IdedExpr) -> bool {
    matches!(&part.expr, Expr::Call(call) if is_junction(&call.func_name))
}

/// In brackets, if it is an expression of signs itself.
fn enclosed(part: &IdedExpr) -> String {
    let text = written(part);
    match &part.expr {
        Expr::Call(call) if call.target.is_none() && (sign(&call.func_name).is_some() || call.func_name == operators::CONDITIONAL) => {
            format!("({text})")
        }
        _ => text,
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
