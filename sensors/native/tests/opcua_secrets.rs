//! Methods of OPC UA that pass passwords and keys: who called them is told, what was passed is not.

mod support;

use support::opcua::{Ua, messages, request, response, string, words};

const CALL: u32 = 712;
const CALL_RESPONSE: u32 = 715;
const SECRET: &str = "pl4nted-s3cret";

/// A text as a value.
fn text(value: &str) -> Vec<u8> {
    [&[12][..], &string(value)].concat()
}

/// A call of a method of namespace 0 with texts.
fn call(method: u32, arguments: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = arguments.iter().flat_map(|argument| text(argument)).collect();
    let identifiers = [&[0, 85, 2, 0, 0][..], &words(&[method])].concat();
    request(CALL, 0, &[&words(&[1])[..], &identifiers, &words(&[arguments.len() as u32]), &values].concat())
}

/// Its answer, with a text.
fn answer(result: &str) -> Vec<u8> {
    let result = [&words(&[1, 0, 0, 0, 1])[..], &text(result), &words(&[0])].concat();
    response(CALL_RESPONSE, 0, &result)
}

#[test]
fn passwords_and_keys_of_standard_methods_are_nowhere() {
    // AddUser, ChangePassword, UpdateCertificate, UpdateCredential, SetSecurityKeys, GetSecurityKeys.
    for method in [24_304, 24_310, 13_737, 18_006, 17_364, 15_215] {
        let mut ua = Ua::opened();
        ua.call(&call(method, &["operator1", SECRET]), &answer(SECRET));
        let decoded = ua.decode();
        let columns = ["nodes", "values_written", "values_read", "results", "operation_class"];
        assert_eq!(
            messages(&decoded, &columns),
            [format!(r#"["i={method}"] ["[secret]"] ["[secret]"] ["Good"] call"#)]
        );
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

#[test]
fn other_methods_are_told_with_what_they_pass() {
    let mut ua = Ua::opened();
    ua.call(&call(11_492, &["subscription"]), &answer("items"));
    let columns = ["nodes", "values_written", "values_read"];
    assert_eq!(messages(&ua.decode(), &columns), [r#"["i=11492"] ["[subscription]"] ["[items]"]"#]);
}

#[test]
fn results_of_a_call_that_nobody_saw_are_not_told() {
    let mut ua = Ua::opened();
    ua.call(&call(11_492, &["subscription"]), &answer("items"));
    ua.answer(99, &answer(SECRET));
    let rows = messages(&ua.decode(), &["outcome", "values_read"]);
    assert_eq!(rows[1], r#"orphan ["[secret]"]"#);
}
