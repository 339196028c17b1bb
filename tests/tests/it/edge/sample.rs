//! Requests made from the description of the interface: one that reads well for every operation, and the places in it where
//! something else may stand.

use http::Method;
use serde_json::{Map, Value, json};

/// One operation of the interface.
pub struct Operation {
    pub method: Method,
    /// The template of its path.
    pub path: String,
    /// Names of its parameters: those of the path, then those of the query.
    pub in_path: Vec<String>,
    pub in_query: Vec<String>,
    /// A body that reads well, where it takes JSON.
    pub body: Option<Value>,
    /// The roles that it admits, or the one kind of other caller; none: everybody.
    pub admits: Vec<String>,
}

impl Operation {
    /// Whether it is a list or another page that anybody who may can open just so.
    pub fn is_a_page(&self) -> bool {
        self.method == Method::GET && self.in_path.is_empty() && !self.path.ends_with("/events")
    }

    /// The path with something readable in the place of every parameter but this one.
    pub fn address(&self, parameter: Option<(&str, &str)>) -> String {
        let filled = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if parameter.is_some_and(|(other, _)| other == name) => parameter.map_or("", |(_, value)| value).to_owned(),
            Some("code") => "500103".to_owned(),
            Some("number") => "261128-4071-3392-1".to_owned(),
            Some("name") => "dispatch.keep_ledger".to_owned(),
            Some("endpoint_id" | "resident_no" | "standing_id") => "1".to_owned(),
            Some("id") if self.path.contains("follow-ups") || self.path.contains("feedback") => "1".to_owned(),
            Some(_) => uuid::Uuid::from_u128(7).to_string(),
            None => part.to_owned(),
        };
        self.path.split('/').map(filled).collect::<Vec<_>>().join("/")
    }
}

/// All operations that a description has.
pub fn operations(document: &Value) -> Vec<Operation> {
    let methods = |item: &Value| item.as_object().into_iter().flatten().map(|(name, it)| (name.clone(), it.clone())).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (name, operation) in methods(item) {
            let Ok(method) = Method::from_bytes(name.to_ascii_uppercase().as_bytes()) else { continue };
            if !operation["responses"].is_object() {
                continue;
            }
            let parameters = |place: &str| {
                let all = operation["parameters"].as_array().into_iter().flatten();
                all.filter(|it| it["in"] == *place).map(|it| it["name"].as_str().unwrap().to_owned()).collect()
            };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                method,
                path: path.clone(),
                in_path: parameters("path"),
                in_query: parameters("query"),
                body: (!schema.is_null()).then(|| sample(document, schema)),
                admits: admitted(&operation),
            });
        }
    }
    found
}

fn admitted(operation: &Value) -> Vec<String> {
    let Some(scheme) = operation["security"][0].as_object().and_then(|scheme| scheme.iter().next()) else { return Vec::new() };
    match scheme.0.as_str() {
        "staff_session" => scheme.1.as_array().into_iter().flatten().map(|role| role.as_str().unwrap().to_owned()).collect(),
        other => vec![other.to_owned()],
    }
}

/// A value that a schema describes, with every field that may be there.
fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        return sample(document, &document["components"]["schemas"][name]);
    }
    for example in [&schema["example"], &schema["examples"][0], &schema["enum"][0]] {
        if !example.is_null() {
            return example.clone();
        }
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        // the last one is the richest: a query and not a list of numbers, a place and not a hash
        let choice = choices.iter().rfind(|choice| choice["type"] != "null").unwrap();
        return sample(document, choice);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let fields = parts.iter().flat_map(|part| sample(document, part).as_object().cloned().unwrap_or_default());
        return Value::Object(fields.collect());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        kind => kind.as_str().unwrap_or("object"),
    };
    match kind {
        "string" => json!(match schema["format"].as_str() {
            Some("uuid") => "0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12",
            Some("date-time") => "2026-03-02T12:00:00Z",
            _ => "请饮用瓶装水",
        }),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => json!([sample(document, &schema["items"])]),
        _ => {
            let mut object = Map::new();
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                object.insert(name.clone(), sample(document, field));
            }
            if schema["additionalProperties"].is_object() {
                let name = sample(document, &schema["propertyNames"]);
                // a map of attributes or facts, unless its names come from a list
                let name = name.as_str().filter(|name| name.is_ascii()).unwrap_or("isolation_site").to_owned();
                object.insert(name, sample(document, &schema["additionalProperties"]));
            }
            Value::Object(object)
        }
    }
}

/// Every place in a value where no other value stands inside, as JSON pointers.
pub fn leaves(value: &Value) -> Vec<String> {
    fn gather(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    gather(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (number, element) in elements.iter().enumerate() {
                    gather(element, &format!("{at}/{number}"), found);
                }
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    gather(value, "", &mut found);
    found
}

/// The same value with another one in this place.
pub fn with(value: &Value, place: &str, other: Value) -> Value {
    let mut changed = value.clone();
    *changed.pointer_mut(place).unwrap() = other;
    changed
}

/// A place as problems name it: `content.texts.zh-CN.headline`, `records[0].source_id`.
pub fn named(place: &str) -> String {
    let mut name = String::new();
    for part in place.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(number) => name.push_str(&format!("[{number}]")),
            Err(_) if name.is_empty() => name.push_str(part),
            Err(_) => name.push_str(&format!(".{part}")),
        }
    }
    name
}
