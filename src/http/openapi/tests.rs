//! Holds the description against the table of routes, the types of problems, the fields and the bounds in the code.

use crate::domain::data::MAX_DATA_BYTES;
use crate::domain::idempotency_key::MAX_KEY_CHARS;
use crate::domain::inbox::MAX_LAST_DATA_BYTES;
use crate::domain::member::MAX_NAME_CHARS;
use crate::domain::message::MAX_TEXT_BYTES;
use crate::domain::page::{MAX_PAGE_BYTES, MAX_WAIT_S};
use crate::http::field::{FIELDS, name_of};
use crate::http::problem_kind::KINDS;
use crate::http::router::ROUTES;
use serde_json::Value;
use std::collections::BTreeSet;

fn description() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

/// The value at a JSON pointer of the description.
fn at<'a>(description: &'a Value, pointer: &str) -> &'a Value {
    description.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

#[test]
fn its_paths_are_the_routes_with_their_methods() {
    let description = description();
    let described: BTreeSet<_> = at(&description, "/paths")
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(move |method| (path.as_str(), method.to_uppercase()))
        })
        .collect();
    let routes: BTreeSet<_> = ROUTES
        .iter()
        // GET stands for HEAD.
        .map(|route| (route.path, route.methods.allow().split(", ").next().unwrap().to_owned()))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn its_types_of_problems_are_those_of_the_code() {
    let description = description();
    let described: BTreeSet<_> = at(&description, "/components/schemas/Problem/properties/type/enum")
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind.as_str().unwrap())
        .collect();
    let coded: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(described, coded);
}

#[test]
fn every_field_is_described_and_no_other() {
    let description = description();
    let operations = at(&description, "/paths")
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    let mut described = BTreeSet::new();
    for operation in operations {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = match parameter["$ref"].as_str() {
                Some(reference) => at(&description, reference.trim_start_matches('#')),
                None => parameter,
            };
            described.insert(parameter["name"].as_str().unwrap());
        }
        if let Some(reference) = operation.pointer("/requestBody/content/application~1json/schema/$ref") {
            let schema = at(&description, reference.as_str().unwrap().trim_start_matches('#'));
            described.extend(schema["properties"].as_object().unwrap().keys().map(String::as_str));
        }
    }
    let mut coded: BTreeSet<_> = FIELDS.into_iter().map(name_of).collect();
    // The name of `Last-Event-ID` in a query.
    coded.insert("lastEventId");
    assert_eq!(described, coded);
}

#[test]
fn its_bounds_are_those_of_the_code() {
    let description = description();
    let schemas = at(&description, "/components/schemas");
    let parameter = |path: &str, name: &str| {
        let parameters = description["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().find(|parameter| parameter["name"] == name).unwrap()
    };
    assert_eq!(schemas["Name"]["maxLength"], MAX_NAME_CHARS);
    assert_eq!(schemas["Chat"]["maxLength"], 2 * MAX_NAME_CHARS + 1);
    assert_eq!(schemas["Draft"]["properties"]["text"]["maxLength"], MAX_TEXT_BYTES);
    let data = schemas["Data"]["description"].as_str().unwrap();
    assert!(data.contains(&format!("{MAX_DATA_BYTES} bytes")), "{data}");
    let cut = schemas["Last"]["properties"]["data_cut"]["description"]
        .as_str()
        .unwrap();
    assert!(cut.contains(&format!("{MAX_LAST_DATA_BYTES} bytes")), "{cut}");
    assert_eq!(schemas["CountInQuery"]["maximum"], u64::MAX);
    assert_eq!(parameter("/api/pull", "wait")["schema"]["maximum"], MAX_WAIT_S);
    let limit = parameter("/api/pull", "limit")["description"].as_str().unwrap();
    assert!(limit.contains(&format!("{} KiB", MAX_PAGE_BYTES / 1024)), "{limit}");
    let key = &description["paths"]["/api/send"]["post"]["parameters"][0];
    assert_eq!(key["name"], "Idempotency-Key");
    let pattern = key["schema"]["pattern"].as_str().unwrap();
    assert_eq!(
        pattern.matches(&format!("{{1,{MAX_KEY_CHARS}}}")).count(),
        2,
        "{pattern}"
    );
}

#[test]
fn every_answer_with_a_body_has_a_schema_that_exists() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(
            description.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference}"
        );
    }
}

#[test]
fn every_integer_says_its_size_and_nothing_is_a_constant() {
    fn check(value: &Value, integers: &mut u32) {
        match value {
            Value::Object(fields) => {
                // Generators make a type of its own of a constant, or none.
                assert!(!fields.contains_key("const"), "{value}");
                if fields.get("type").is_some_and(|kind| kind == "integer") {
                    *integers += 1;
                    // Without a format, most generators take 32 bits.
                    assert!(fields["format"] == "int32" || fields["format"] == "int64", "{value}");
                }
                fields.values().for_each(|value| check(value, integers));
            }
            Value::Array(values) => values.iter().for_each(|value| check(value, integers)),
            _ => {}
        }
    }
    let mut integers = 0;
    check(&description(), &mut integers);
    assert!(integers > 5);
}
