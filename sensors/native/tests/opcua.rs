//! OPC UA transactions, as they come out of captures (OPC 10000-4; OPC 10000-6).

mod support;

use support::opcua::{
    CHANNEL, FAULT, PUBLISH, PUBLISH_RESPONSE, Ua, acknowledge, chunk, hello, messages, node, open, read,
    request, response, secured, string, value, words, write, written,
};
use support::{ACK, Decoded, SECOND, Talk};

const SHORT: [&str; 4] = ["request_id", "service", "outcome", "status_name"];

fn kinds(decoded: &Decoded) -> Vec<String> {
    decoded.column("anomalies", "kind")
}

#[test]
fn a_connection_a_channel_and_a_call_are_rows() {
    let mut ua = Ua::opened();
    ua.call(&write("Pump1", 42, 0), &written(0));
    let decoded = ua.decode();
    let columns =
        ["message_type", "service", "operation_class", "outcome", "request_frame", "response_frame"];
    assert_eq!(
        decoded.lines("opcua", &columns),
        [
            "HEL  session answered 4 5",
            "OPN OpenSecureChannel session answered 6 7",
            "MSG Write write answered 8 9"
        ]
    );
    let columns = ["nodes", "attributes", "values_written", "results", "latency_ns", "channel_id"];
    assert_eq!(messages(&decoded, &columns), [r#"["ns=2;s=Pump1"] ["Value"] ["42"] ["Good"] 1000000 7"#]);
    let columns = ["security_policy", "security_mode", "confidence", "endpoint_url"];
    assert_eq!(messages(&decoded, &columns), ["None none handshake "]);
    assert_eq!(decoded.column("opcua", "endpoint_url")[0], "opc.tcp://plc1:4840");
    assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["opcua handshake"]);
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn a_bad_result_and_a_fault_are_told_apart() {
    let mut ua = Ua::opened();
    ua.call(&write("Pump1", 1, 0), &written(0x801f_0000));
    ua.call(&write("Pump1", 1, 0), &response(FAULT, 0x8025_0000, &[]));
    let columns = ["outcome", "status_name", "results", "operations", "operations_failed", "response_type"];
    assert_eq!(
        messages(&ua.decode(), &columns),
        [r#"answered Good ["BadUserAccessDenied"] 1 1 676"#, r#"exception BadSessionIdInvalid [] 1 0 397"#]
    );
}

#[test]
fn responses_find_their_requests_in_any_order() {
    let mut ua = Ua::opened();
    let ids: Vec<u32> = (0..3).map(|number| ua.ask(&read(&format!("Pump{number}")))).collect();
    for place in [2, 0, 1] {
        ua.answer(ids[place], &value(place as u32));
    }
    assert_eq!(
        messages(&ua.decode(), &["nodes", "values_read"]),
        [r#"["ns=2;s=Pump2"] ["2"]"#, r#"["ns=2;s=Pump0"] ["0"]"#, r#"["ns=2;s=Pump1"] ["1"]"#]
    );
}

#[test]
fn a_message_of_many_chunks_is_one() {
    let mut ua = Ua::opened();
    let body = write("Pump1", 7, 0);
    ua.request_id += 1;
    for (number, part) in body.chunks(10).enumerate() {
        let last = (number + 1) * 10 >= body.len();
        let word = if last { b"MSGF" } else { b"MSGC" };
        let bytes = secured(word, ua.sequence[0] + 1 + number as u32, ua.request_id, part);
        ua.send(0, &bytes);
    }
    ua.answer(ua.request_id, &written(0));
    let decoded = ua.decode();
    let columns = ["nodes", "values_written", "request_chunks", "response_chunks", "outcome"];
    assert_eq!(messages(&decoded, &columns), [r#"["ns=2;s=Pump1"] ["7"] 7 1 answered"#]);
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn an_aborted_message_says_why() {
    let mut ua = Ua::opened();
    let id = ua.ask(&read("Pump1"));
    let sequence = ua.sequence[1];
    let whole = value(1);
    ua.send(1, &secured(b"MSGC", sequence + 1, id, &whole[..9]));
    let why = [words(&[0x80b9_0000]), string("too much")].concat();
    ua.send(1, &secured(b"MSGA", sequence + 2, id, &why));
    let columns = ["service", "outcome", "status_name", "response_chunks", "detail"];
    assert_eq!(messages(&ua.decode(), &columns), ["Read aborted BadResponseTooLarge 2 too much"]);
}

#[test]
fn over_a_limit_only_the_beginning_of_a_message_is_kept() {
    let mut ua = Ua::opened();
    let id = ua.ask(&read("Pump1"));
    let whole = [value(1), vec![0; 5_000]].concat();
    for (number, part) in whole.chunks(1_000).enumerate() {
        let word = if part.len() < 1_000 { b"MSGF" } else { b"MSGC" };
        let sequence = ua.sequence[1] + 1 + number as u32;
        ua.send(1, &secured(word, sequence, id, part));
    }
    let frames = support::pcap(&ua.talk.frames);
    let decoded = support::decode(&frames, &[("opcua_message_bytes", 2_000)]);
    assert_eq!(messages(&decoded, &["values_read", "response_chunks"]), [r#"["1"] 6"#]);
    assert_eq!(kinds(&decoded), ["message_limit"]);
    assert_eq!(decoded.decoder.counts().opcua_given_up, 1);
}

#[test]
fn sequence_numbers_that_are_missing_or_used_again_are_anomalies() {
    let mut ua = Ua::opened();
    ua.sequence[0] += 3;
    ua.call(&read("Pump1"), &value(1));
    ua.sequence[0] -= 1;
    ua.call(&read("Pump1"), &value(1));
    let decoded = ua.decode();
    assert_eq!(kinds(&decoded), ["sequence_gap", "sequence_reused"]);
    assert!(decoded.column("anomalies", "detail")[0].ends_with("3 are missing before it"));
    assert_eq!(messages(&decoded, &["outcome"]), ["answered", "answered"]);
}

#[test]
fn a_sequence_that_wraps_is_none() {
    let mut ua = Ua::opened();
    ua.sequence[1] = u32::MAX - 100;
    ua.call(&read("Pump1"), &value(1));
    ua.sequence[1] = 0;
    ua.call(&read("Pump1"), &value(1));
    // Only the jump to where it wraps.
    assert_eq!(kinds(&ua.decode()), ["sequence_reused"]);
}

#[test]
fn what_nobody_asked_for_and_what_comes_twice_are_anomalies() {
    let mut ua = Ua::opened();
    let id = ua.ask(&read("Pump1"));
    ua.answer(id, &value(1)).answer(id, &value(1)).answer(900, &value(2));
    let decoded = ua.decode();
    assert_eq!(
        messages(&decoded, &SHORT),
        ["2 Read answered Good", "2 Read orphan Good", "900 Read orphan Good"]
    );
    assert_eq!(kinds(&decoded), ["duplicate_response", "orphan_response"]);
}

#[test]
fn an_identifier_that_waits_is_not_used_again() {
    let mut ua = Ua::opened();
    ua.ask(&read("Pump1"));
    ua.request_id -= 1;
    ua.call(&read("Pump2"), &value(2));
    let decoded = ua.decode();
    assert_eq!(
        messages(&decoded, &["nodes", "outcome"]),
        [r#"["ns=2;s=Pump1"] unanswered"#, r#"["ns=2;s=Pump2"] answered"#]
    );
    assert_eq!(kinds(&decoded), ["identifier_in_use"]);
}

#[test]
fn a_call_is_given_up_after_its_time_and_a_publish_waits_on() {
    let mut ua = Ua::opened();
    let publish = request(PUBLISH, 0, &words(&[0]));
    let waiting = ua.ask(&publish);
    ua.ask(&read("Pump1"));
    ua.talk.wait(130 * SECOND);
    ua.call(&read("Pump2"), &value(2));
    let keep_alive = [words(&[5, 0]), vec![0], words(&[1, 0, 0, 0, 0, 0])].concat();
    ua.answer(waiting, &response(PUBLISH_RESPONSE, 0, &keep_alive));
    assert_eq!(
        messages(&ua.decode(), &["service", "outcome", "detail"]),
        ["Read unanswered ", "Read answered ", "Publish answered keep-alive"]
    );
}

#[test]
fn over_the_limit_the_oldest_request_is_given_up() {
    let mut ua = Ua::opened();
    for _ in 0..4 {
        ua.ask(&read("Pump1"));
    }
    let frames = support::pcap(&ua.talk.frames);
    let decoded = support::decode(&frames, &[("pending_limit", 3)]);
    assert_eq!(messages(&decoded, &["outcome"]), ["unanswered", "pending", "pending", "pending"]);
    assert_eq!(kinds(&decoded), ["pending_limit"]);
    assert_eq!(decoded.sum("coverage", "evicted_requests"), 1);
    assert_eq!(decoded.decoder.counts().opcua_waiting, 0);
}

#[test]
fn a_request_whose_identifier_is_used_again_no_longer_waits() {
    let mut ua = Ua::opened();
    for _ in 0..2 {
        ua.ask(&read("Pump1"));
        ua.request_id -= 1;
    }
    let decoded = ua.decode();
    assert_eq!(messages(&decoded, &["outcome"]), ["unanswered", "pending"]);
    assert_eq!(kinds(&decoded), ["identifier_in_use"]);
    assert_eq!(decoded.decoder.counts().opcua_waiting, 0);
}

#[test]
fn what_may_be_kept_of_all_flows_is_bounded() {
    let mut ua = Ua::opened();
    for _ in 0..40 {
        ua.ask(&read("Pump1"));
    }
    let frames = support::pcap(&ua.talk.frames);
    let decoded = support::decode(&frames, &[("opcua_bytes", 16_384)]);
    let outcomes = messages(&decoded, &["outcome"]);
    let given_up = outcomes.iter().filter(|outcome| *outcome == "unanswered").count();
    assert!(given_up > 10);
    assert_eq!(decoded.sum("coverage", "evicted_requests"), given_up as u64);
    assert_eq!(decoded.decoder.counts().opcua_held_bytes, 0);
    assert!(kinds(&decoded).contains(&"message_limit".to_owned()));
}

#[test]
fn after_a_gap_the_next_message_is_found_and_says_so() {
    let mut ua = Ua::opened();
    let (request, id) = ua.asked(&read("Pump1"));
    ua.send(0, &request);
    let lost = ua.answered(id, &value(1));
    ua.talk.send_unseen(1, ACK, &lost);
    ua.call(&read("Pump2"), &value(2));
    ua.call(&read("Pump3"), &value(3));
    let decoded = ua.decode();
    assert_eq!(
        messages(&decoded, &["nodes", "outcome", "after_gap"]),
        [
            r#"["ns=2;s=Pump2"] answered true"#,
            r#"["ns=2;s=Pump3"] answered false"#,
            r#"["ns=2;s=Pump1"] pending true"#
        ]
    );
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn an_answer_to_what_the_capture_lost_says_so_and_is_no_anomaly() {
    let mut ua = Ua::opened();
    ua.call(&read("Pump1"), &value(1));
    let lost = ua.request_id + 1;
    ua.talk.send_unseen(0, ACK, &[0; 90]);
    let late = ua.answered(lost, &value(2));
    ua.send(1, &late);
    let decoded = ua.decode();
    assert_eq!(
        messages(&decoded, &["outcome", "values_read", "after_gap"]),
        [r#"answered ["1"] false"#, r#"orphan ["2"] true"#]
    );
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn a_gap_inside_a_message_costs_no_other_one() {
    let mut ua = Ua::opened();
    let id = ua.ask(&read("Pump1"));
    let stream = [ua.answered(id, &[value(1), vec![0; 100]].concat()), ua.answered(9, &value(2))].concat();
    ua.send(1, &stream[..80]);
    ua.talk.send_unseen(1, ACK, &stream[80..110]);
    ua.send(1, &stream[110..]);
    let decoded = ua.decode();
    let columns = ["request_id", "outcome", "values_read", "after_gap", "detail"];
    assert_eq!(
        messages(&decoded, &columns),
        [r#"2 answered ["1"] true only its beginning is known"#, r#"9 orphan ["2"] false "#]
    );
    assert_eq!(decoded.decoder.counts().opcua_skipped_bytes, 0);
    assert_eq!(kinds(&decoded), ["orphan_response"]);
}

#[test]
fn a_message_without_its_beginning_answers_its_request_all_the_same() {
    let mut ua = Ua::opened();
    let id = ua.ask(&read("Pump1"));
    let whole = value(1);
    let sequence = ua.sequence[1];
    let first = secured(b"MSGC", sequence + 1, id, &whole[..12]);
    ua.talk.send_unseen(1, ACK, &first);
    ua.send(1, &secured(b"MSGF", sequence + 2, id, &whole[12..]));
    let decoded = ua.decode();
    let columns = ["service", "outcome", "values_read", "after_gap", "detail"];
    assert_eq!(messages(&decoded, &columns), ["Read answered [] true its beginning was not captured"]);
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn joined_in_its_middle_a_connection_is_read_and_old_answers_are_no_wonder() {
    let mut ua = Ua::new(4_840);
    ua.request_id = 30;
    let late = ua.answered(12, &value(1));
    ua.send(1, &late);
    ua.call(&read("Pump2"), &value(2));
    let decoded = ua.decode();
    let columns = ["outcome", "values_read", "security_mode", "after_gap", "confidence"];
    assert_eq!(
        messages(&decoded, &columns),
        [r#"orphan ["1"] unknown true structure"#, r#"answered ["2"] unknown false structure"#]
    );
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn one_side_alone_is_still_said() {
    let mut ua = Ua::opened();
    for number in 0..3 {
        let id = ua.request_id + 1 + number;
        let bytes = ua.answered(id, &value(number));
        ua.send(1, &bytes);
    }
    let outcomes = messages(&ua.decode(), &["outcome", "values_read"]);
    assert_eq!(outcomes, [r#"orphan ["0"]"#, r#"orphan ["1"]"#, r#"orphan ["2"]"#]);
    assert_eq!(kinds(&ua.decode()), ["orphan_response"; 3]);
    let mut alone = Ua::new(4_840);
    alone.asker = 0;
    let bytes = alone.answered(9, &value(1));
    alone.send(1, &bytes);
    let decoded = alone.decode();
    assert_eq!(messages(&decoded, &["outcome", "after_gap"]), ["orphan true"]);
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn the_client_of_a_row_is_who_asks_whoever_opened_the_connection() {
    let mut ua = Ua::new(4_844);
    ua.asker = 1;
    ua.talk.handshake();
    let reverse = [string("urn:plc1"), string("opc.tcp://plc1:4840")].concat();
    ua.send(0, &chunk(b"RHEF", &reverse));
    ua.connect();
    ua.call(&write("Pump1", 1, 0), &written(0));
    let decoded = ua.decode();
    let columns = ["message_type", "outcome", "client_ip", "client_port", "reversed"];
    assert_eq!(
        decoded.lines("opcua", &columns),
        [
            "RHE one_way [10, 0, 0, 2] 4844 true",
            "HEL answered [10, 0, 0, 2] 4844 true",
            "OPN answered [10, 0, 0, 2] 4844 true",
            "MSG answered [10, 0, 0, 2] 4844 true"
        ]
    );
    assert_eq!(decoded.lines("flow_starts", &["client_ip", "server_port"]), ["[10, 0, 0, 1] 4844"]);
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn joined_in_its_middle_a_reverse_connection_is_known_by_who_asks() {
    let mut ua = Ua::new(4_840);
    ua.asker = 1;
    ua.call(&read("Pump1"), &value(1));
    assert_eq!(messages(&ua.decode(), &["outcome", "client_port", "reversed"]), ["answered 4840 true"]);
}

#[test]
fn a_refused_connection_or_channel_is_an_exception() {
    let error = chunk(b"ERRF", &[words(&[0x8083_0000]), string("no such endpoint")].concat());
    let mut talk = Talk::new(4_840);
    talk.handshake().send(0, ACK, &hello("opc.tcp://plc1:4840/x")).send(1, ACK, &error);
    let columns = ["message_type", "outcome", "status_name", "request_frame", "response_frame"];
    assert_eq!(talk.decode().lines("opcua", &columns), ["HEL exception BadTcpEndpointUrlInvalid 4 5"]);
    let mut talk = Talk::new(4_840);
    talk.handshake().send(0, ACK, &hello("opc.tcp://plc1:4840")).send(1, ACK, &acknowledge());
    talk.send(0, ACK, &open("Basic256Sha256", 0, &[0x5a; 256])).send(1, ACK, &error);
    assert_eq!(
        talk.decode().lines("opcua", &columns),
        ["HEL answered  4 5", "OPN exception BadTcpEndpointUrlInvalid 6 7"]
    );
}

/// A connection with an encrypted opening.
fn protected() -> Ua {
    let mut ua = Ua::new(4_840);
    ua.talk.handshake();
    ua.send(0, &hello("opc.tcp://plc1:4840")).send(1, &acknowledge());
    ua.send(0, &open("Basic256Sha256", 0, &[0xa5; 256]));
    ua.send(1, &open("Basic256Sha256", CHANNEL, &[0x5a; 256]));
    ua
}

#[test]
fn ciphertext_is_never_read_as_data() {
    let mut ua = protected();
    let noise: Vec<u8> = (0..64u32).map(|number| (number * 73 % 251) as u8).collect();
    ua.send(0, &secured(b"MSGF", 0xdead_beef, 0xcafe_f00d, &noise));
    ua.send(1, &secured(b"MSGF", 0x1234_5678, 0x8765_4321, &noise));
    let decoded = ua.decode();
    let columns = ["outcome", "service", "request_id", "security_mode", "encrypted", "nodes"];
    assert_eq!(
        messages(&decoded, &columns),
        ["encrypted  - sign_and_encrypt true []", "encrypted  - sign_and_encrypt true []"]
    );
    let columns = ["security_policy", "security_mode", "encrypted", "outcome"];
    assert_eq!(decoded.lines("opcua", &columns)[1], "Basic256Sha256 sign_or_encrypt true answered");
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn an_opening_that_is_only_signed_is_read() {
    let mut ua = Ua::new(4_840);
    ua.talk.handshake();
    ua.send(0, &hello("opc.tcp://plc1:4840")).send(1, &acknowledge());
    let asked =
        [words(&[51, 1]), request(446, 0, &words(&[0, 0, 3, u32::MAX, 60_000])), vec![7; 64]].concat();
    ua.send(0, &open("ECC_nistP256", 0, &asked));
    let body = words(&[0, CHANNEL, 1, 0, 0, 60_000, u32::MAX]);
    let answered = [words(&[51, 1]), response(449, 0, &body), vec![7; 64]].concat();
    ua.send(1, &open("ECC_nistP256", CHANNEL, &answered));
    let decoded = ua.decode();
    let columns = ["service", "outcome", "security_policy", "security_mode", "encrypted", "request_id"];
    assert_eq!(
        decoded.lines("opcua", &columns)[1],
        "OpenSecureChannel answered ECC_nistP256 sign_and_encrypt false 1"
    );
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn signed_chunks_are_read_without_their_signatures() {
    let mut ua = protected();
    let signature = [0x77; 32];
    let body = write("Pump1", 9, 0);
    let (first, last) = body.split_at(40);
    ua.send(0, &secured(b"MSGC", 51, 2, &[first, &signature].concat()));
    ua.send(0, &secured(b"MSGF", 52, 2, &[last, &signature].concat()));
    ua.send(1, &secured(b"MSGF", 51, 2, &[written(0), signature.to_vec()].concat()));
    let decoded = ua.decode();
    let columns = ["nodes", "values_written", "results", "security_mode", "encrypted"];
    assert_eq!(messages(&decoded, &columns), [r#"["ns=2;s=Pump1"] ["9"] ["Good"] sign false"#]);
    assert!(kinds(&decoded).is_empty());
}

/// ActivateSession's request with a name and a password, and its response.
fn activate(name: &str, password: &str, algorithm: &str) -> (Vec<u8>, Vec<u8>) {
    let token = [string("user"), string(name), string(password), string(algorithm)].concat();
    let null = u32::MAX;
    let before = words(&[null, null, null, null]);
    let identity = [&[1, 0][..], &324u16.to_le_bytes(), &[1], &words(&[token.len() as u32]), &token].concat();
    let body = [before, identity, words(&[null, null])].concat();
    (request(467, 5, &body), response(470, 0, &words(&[null, 0, 0])))
}

#[test]
fn a_session_s_user_is_on_every_row_and_the_password_on_none() {
    let mut ua = Ua::opened();
    let (asked, answered) = activate("eng1", "open-sesame", "");
    ua.call(&asked, &answered);
    ua.call(&write("Pump1", 1, 5), &written(0));
    ua.call(&write("Pump1", 1, 6), &written(0));
    let decoded = ua.decode();
    let columns = ["service", "session", "user_kind", "user_name", "secret"];
    assert_eq!(
        messages(&decoded, &columns),
        ["ActivateSession #1 user_name eng1 clear", "Write #1 user_name eng1 none", "Write #2 unknown  none"]
    );
    let all = format!("{:?}", decoded.tables);
    assert!(all.contains("eng1") && !all.contains("open-sesame"));
}

#[test]
fn a_refused_activation_gives_nobody_the_session() {
    let mut ua = Ua::opened();
    let (asked, _) = activate("eng1", "guess", "http://www.w3.org/2001/04/xmlenc#rsa-oaep");
    ua.call(&asked, &response(FAULT, 0x801f_0000, &[]));
    ua.call(&write("Pump1", 1, 5), &written(0));
    let columns = ["service", "outcome", "user_name", "secret"];
    assert_eq!(
        messages(&ua.decode(), &columns),
        ["ActivateSession exception eng1 encrypted", "Write answered  none"]
    );
}

#[test]
fn a_registered_node_keeps_its_name_in_the_rows() {
    let mut ua = Ua::opened();
    let register = request(560, 0, &[words(&[1]), node("Pump1")].concat());
    let registered = response(563, 0, &[words(&[1]), node("0815")].concat());
    ua.call(&register, &registered);
    ua.call(&write("0815", 3, 0), &written(0));
    ua.call(&write("0816", 3, 0), &written(0));
    assert_eq!(
        messages(&ua.decode(), &["service", "nodes"]),
        [r#"RegisterNodes ["ns=2;s=Pump1"]"#, r#"Write ["ns=2;s=Pump1"]"#, r#"Write ["ns=2;s=0816"]"#]
    );
}

#[test]
fn a_request_from_the_server_s_side_is_an_anomaly() {
    let mut ua = Ua::opened();
    let sequence = ua.next(1);
    ua.send(1, &secured(b"MSGF", sequence, 9, &write("Pump1", 1, 0)));
    let decoded = ua.decode();
    assert_eq!(kinds(&decoded), ["reversed_roles"]);
    assert_eq!(messages(&decoded, &["service", "outcome", "request_frame"]), ["Write one_way -"]);
}

#[test]
fn a_message_that_breaks_off_says_what_it_said_and_is_an_anomaly() {
    let mut ua = Ua::opened();
    let whole = write("Pump1", 1, 0);
    ua.ask(&whole[..whole.len() - 2]);
    let decoded = ua.decode();
    assert_eq!(kinds(&decoded), ["malformed_message"]);
    assert_eq!(messages(&decoded, &["service", "nodes"]), [r#"Write ["ns=2;s=Pump1"]"#]);
}

#[test]
fn bytes_between_messages_are_skipped_and_told() {
    let mut ua = Ua::opened();
    ua.send(0, b"\0\0\0garbage");
    ua.call(&read("Pump1"), &value(1));
    let decoded = ua.decode();
    assert_eq!(kinds(&decoded), ["unreadable"]);
    assert_eq!(messages(&decoded, &["outcome"]), ["answered"]);
    assert_eq!(decoded.decoder.counts().opcua_skipped_bytes, 10);
}

#[test]
fn another_channel_in_the_same_connection_is_an_anomaly() {
    let mut ua = Ua::opened();
    let foreign = chunk(b"MSGF", &[words(&[CHANNEL + 1, 1, 51, 2]), read("Pump1")].concat());
    ua.send(0, &foreign);
    let decoded = ua.decode();
    assert_eq!(kinds(&decoded), ["unexpected_id"]);
    assert_eq!(messages(&decoded, &["channel_id", "security_mode"]), ["8 unknown"]);
}

#[test]
fn on_any_port_the_structure_is_enough() {
    let mut ua = Ua::new(50_000);
    ua.talk.handshake();
    ua.connect();
    assert_eq!(ua.decode().lines("flows", &["service", "confidence"]), ["opcua handshake"]);
}

#[test]
fn something_else_behind_the_port_is_not_read() {
    let mut talk = Talk::new(4_840);
    talk.handshake().send(0, ACK, b"GET / HTTP/1.1\r\nHost: plc1\r\n\r\n");
    talk.send(1, ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let decoded = talk.decode();
    assert!(decoded.column("opcua", "outcome").is_empty());
    assert!(kinds(&decoded).is_empty());
}

#[test]
fn a_private_service_is_a_row_without_a_name() {
    let mut ua = Ua::opened();
    let private = [&[1, 3][..], &5_001u16.to_le_bytes(), &request(0, 0, &[])[4..]].concat();
    ua.call(&private, &[&[1, 3][..], &5_002u16.to_le_bytes(), &response(0, 0, &[])[4..]].concat());
    let decoded = ua.decode();
    let columns = ["service", "outcome", "request_type", "operation_class", "status_name"];
    assert_eq!(messages(&decoded, &columns), [" answered - other Good"]);
    assert!(kinds(&decoded).is_empty());
}
