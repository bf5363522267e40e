//! Odd data: what a JSON object may be.

/// Odd objects, each with what is stored of it.
pub(super) fn odd_data() -> Vec<(String, String)> {
    let fixed = [
        ("{}", "{}"),
        ("\t{ }\r\n", "{}"),
        (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
        (r#"{"z":0,"a":0}"#, r#"{"z":0,"a":0}"#),
        (
            r#"{"n":[1e400,-1E-400,12345678901234567890123,0.10,-0,1E+2]}"#,
            r#"{"n":[1e400,-1E-400,12345678901234567890123,0.10,-0,1E+2]}"#,
        ),
        (
            r#"{"\u0041\/é":"\ud83d\uDe00\u0000"}"#,
            r#"{"\u0041\/é":"\ud83d\uDe00\u0000"}"#,
        ),
        (r#"{ "text" : "{ \"a\" : [ 1 ] }" }"#, r#"{"text":"{ \"a\" : [ 1 ] }"}"#),
        (r#"{"a":"\\\\\\\"}"}"#, r#"{"a":"\\\\\\\"}"}"#),
        (
            r#"{"":{"":[[],{},null,true,false]}}"#,
            r#"{"":{"":[[],{},null,true,false]}}"#,
        ),
        (
            r#"{"$serde_json::private::RawValue":"1"}"#,
            r#"{"$serde_json::private::RawValue":"1"}"#,
        ),
        (
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":"x"}"#,
        ),
        (
            r#"{"__proto__":{"chat":1},"data":{"data":{}}}"#,
            r#"{"__proto__":{"chat":1},"data":{"data":{}}}"#,
        ),
    ];
    let mut data: Vec<_> = fixed.map(|(json, stored)| (json.to_owned(), stored.to_owned())).into();
    // Every character at which somebody may split a line or end a string.
    for character in [
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{a0}',
        '\u{2028}',
        '\u{2029}',
        '\u{feff}',
        '\u{fffe}',
        '\u{10ffff}',
    ] {
        let stored = match character {
            '\u{85}' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(character)),
            other => other.to_string(),
        };
        data.push((
            format!("{{\"{character}\":\"{character} {character}\"}}"),
            format!("{{\"{stored}\":\"{stored} {stored}\"}}"),
        ));
    }
    for depth in 1..=31 {
        let nested = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        data.push((nested.replace("[1", "[ 1 "), nested));
    }
    for number in 0..=50 {
        let (colons, spaces) = (":".repeat(number), " ".repeat(number));
        data.push((
            format!("{{\"{colons}\":{spaces}\"{spaces}\"}}"),
            format!("{{\"{colons}\":\"{spaces}\"}}"),
        ));
    }
    let longest = format!("{{\"a\":\"{}\"}}", "é".repeat(2044));
    assert_eq!(longest.len(), 4096);
    data.push((longest.clone(), longest));
    assert!(data.len() > 100);
    data
}
