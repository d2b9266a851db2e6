//! Modbus transactions, as they come out of captures (Modbus Application Protocol V1.1b3).

mod support;

use support::{ACK, Decoded, FIN, SECOND, Talk, adu, read_registers};

const SHORT: [&str; 6] =
    ["transaction_id", "function", "outcome", "request_frame", "response_frame", "confidence"];

/// One request and its response over a flow of port 502.
fn exchange(request: &[u8], response: &[u8]) -> Decoded {
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &adu(7, 3, request)).send(1, ACK, &adu(7, 3, response));
    talk.decode()
}

fn row(decoded: &Decoded, columns: &[&str]) -> String {
    let lines = decoded.lines("modbus", columns);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

#[test]
fn a_read_of_registers_has_addresses_values_and_latency() {
    let decoded = exchange(&[3, 0x01, 0x02, 0, 2], &[3, 4, 0, 10, 0xff, 0xfe]);
    let columns =
        ["unit", "address", "quantity", "values_read", "latency_ns", "request_bytes", "response_bytes"];
    assert_eq!(row(&decoded, &columns), "3 258 2 [10, 65534] 1000000 12 13");
    assert_eq!(row(&decoded, &SHORT), "7 3 answered 4 5 structure");
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn coils_are_zeros_and_ones_up_to_the_quantity() {
    let decoded = exchange(&[1, 0, 0, 0, 10], &[1, 2, 0b1010_0101, 0b0000_0010]);
    assert_eq!(row(&decoded, &["values_read"]), "[1, 0, 1, 0, 0, 1, 0, 1, 0, 1]");
}

#[test]
fn writes_say_where_and_what() {
    let columns = ["write_address", "write_quantity", "values_written"];
    let one = exchange(&[5, 0, 9, 0xff, 0], &[5, 0, 9, 0xff, 0]);
    assert_eq!(row(&one, &columns), "9 1 [1]");
    let register = exchange(&[6, 0, 9, 1, 2], &[6, 0, 9, 1, 2]);
    assert_eq!(row(&register, &columns), "9 1 [258]");
    let coils = exchange(&[15, 0, 1, 0, 3, 1, 0b101], &[15, 0, 1, 0, 3]);
    assert_eq!(row(&coils, &columns), "1 3 [1, 0, 1]");
    let registers = exchange(&[16, 0, 1, 0, 2, 4, 0, 5, 0, 6], &[16, 0, 1, 0, 2]);
    assert_eq!(row(&registers, &columns), "1 2 [5, 6]");
    let masked = exchange(&[22, 0, 4, 0, 0xf2, 0, 0x25], &[22, 0, 4, 0, 0xf2, 0, 0x25]);
    assert_eq!(row(&masked, &["write_address", "and_mask", "or_mask"]), "4 242 37");
}

#[test]
fn a_read_write_keeps_both_places_apart() {
    let decoded = exchange(&[23, 0, 3, 0, 2, 0, 14, 0, 1, 2, 0, 255], &[23, 4, 0, 1, 0, 2]);
    let columns = ["address", "quantity", "values_read", "write_address", "write_quantity", "values_written"];
    assert_eq!(row(&decoded, &columns), "3 2 [1, 2] 14 1 [255]");
}

#[test]
fn what_has_no_column_is_in_the_detail() {
    let read = exchange(&[20, 7, 6, 0, 4, 0, 1, 0, 2], &[20, 6, 5, 6, 0x0d, 0xfe, 0, 0x20]);
    assert_eq!(row(&read, &["detail"]), "file 4 record 1 length 2 -> 0dfe0020");
    let written = [21, 9, 6, 0, 4, 0, 7, 0, 1, 6, 0xaf];
    let write = exchange(&written, &written);
    assert_eq!(row(&write, &["detail"]), "file 4 record 7 length 1: 06af");
    let queue = exchange(&[24, 4, 0xde], &[24, 0, 6, 0, 2, 1, 0xb8, 0x12, 0x84]);
    assert_eq!(row(&queue, &["address", "quantity", "values_read"]), "1246 2 [440, 4740]");
    let device = exchange(&[43, 14, 1, 0], b"\x2b\x0e\x01\x01\0\0\x02\0\x03Abc\x02\x04V2.1");
    let columns = ["sub_function", "detail"];
    assert_eq!(
        row(&device, &columns),
        "14 device identification 1 from object 0 -> VendorName=Abc; MajorMinorRevision=V2.1"
    );
    let diagnostics = exchange(&[8, 0, 0, 0xa5, 0x37], &[8, 0, 0, 0xa5, 0x37]);
    assert_eq!(row(&diagnostics, &columns), "0 a537");
    let status = exchange(&[7], &[7, 0x6d]);
    assert_eq!(row(&status, &["detail"]), "exception status 6d");
    let counter = exchange(&[11], &[11, 0xff, 0xff, 1, 8]);
    assert_eq!(row(&counter, &["detail"]), "status ffff, 264 events");
    let log = exchange(&[12], &[12, 8, 0, 0, 1, 8, 1, 0x21, 0x20, 0]);
    assert_eq!(row(&log, &["detail"]), "status 0000, 264 events, 289 messages, log 2000");
    let identity = exchange(&[17], b"\x11\x04PLC\xff");
    assert_eq!(row(&identity, &["detail"]), "PLC\\xff");
    for decoded in [read, write, queue, device, diagnostics, status, counter, log, identity] {
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

#[test]
fn a_private_function_is_kept_as_bytes_without_an_anomaly() {
    let decoded = exchange(&[90, 0, 0x10, 0xab], &[90, 0, 0xfe]);
    assert_eq!(row(&decoded, &["function", "outcome", "detail"]), "90 answered 0010ab -> 00fe");
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn an_exception_answers_its_request() {
    let decoded = exchange(&[3, 0, 0, 0, 1], &[0x83, 2]);
    assert_eq!(row(&decoded, &["function", "outcome", "exception_code", "values_read"]), "3 exception 2 []");
}

#[test]
fn what_breaks_the_standard_is_an_anomaly_and_still_a_row() {
    let cases: [(&[u8], &str); 5] = [
        (&[3, 0, 0, 0, 126], "illegal_quantity"),
        (&[3, 0, 0, 0], "illegal_length"),
        (&[5, 0, 0, 1, 0], "illegal_value"),
        (&[16, 0, 0, 0, 2, 3, 0, 1, 0, 2], "byte_count"),
        (&[0, 1], "illegal_function"),
    ];
    for (request, kind) in cases {
        let mut talk = Talk::new(502);
        talk.handshake().send(0, ACK, &adu(1, 1, request));
        let decoded = talk.decode();
        assert_eq!(decoded.column("anomalies", "kind"), [kind], "{request:?}");
        assert_eq!(decoded.column("modbus", "outcome"), ["pending"], "{request:?}");
    }
}

#[test]
fn a_response_that_does_not_fit_its_request_is_an_anomaly() {
    let decoded = exchange(&[3, 0, 0, 0, 2], &[3, 2, 0, 1]);
    assert_eq!(decoded.column("anomalies", "kind"), ["response_mismatch"]);
    assert_eq!(row(&decoded, &["outcome", "confidence"]), "answered port");
}

#[test]
fn pipelined_requests_are_paired_by_their_identifiers() {
    let mut talk = Talk::new(502);
    talk.handshake();
    let pairs: Vec<_> = (0..3).map(|number| read_registers(number, number, 1)).collect();
    let requests: Vec<u8> = pairs.iter().flat_map(|pair| pair.0.clone()).collect();
    talk.send(0, ACK, &requests);
    for number in [2, 0, 1] {
        talk.send(1, ACK, &pairs[number].1);
    }
    let decoded = talk.decode();
    let columns = ["transaction_id", "address", "outcome", "response_frame"];
    assert_eq!(decoded.lines("modbus", &columns), ["2 2 answered 5", "0 0 answered 6", "1 1 answered 7"]);
    assert_eq!(decoded.decoder.counts().modbus_frames_multi_pdu, 1);
}

#[test]
fn of_repeated_requests_the_first_is_answered() {
    let mut talk = Talk::new(502);
    let (request, response) = read_registers(9, 0, 1);
    talk.handshake();
    for _ in 0..3 {
        talk.send(0, ACK, &request).wait(SECOND / 2);
    }
    talk.send(1, ACK, &response);
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("modbus", &SHORT),
        ["9 3 answered 4 7 structure", "9 3 pending 5 - structure", "9 3 pending 6 - structure"]
    );
}

#[test]
fn a_response_nobody_asked_for_is_an_orphan_and_a_second_one_a_duplicate() {
    let mut talk = Talk::new(502);
    let (request, response) = read_registers(1, 0, 1);
    let (_, stray) = read_registers(2, 0, 1);
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    talk.send(1, ACK, &response).send(1, ACK, &stray);
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered", "orphan", "orphan"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["duplicate_response", "orphan_response"]);
}

#[test]
fn a_request_without_response_is_unanswered_once_the_time_is_over() {
    let (request, _) = read_registers(1, 0, 1);
    let mut late = Talk::new(502);
    late.handshake().send(0, ACK, &request).wait(61 * SECOND).send(0, ACK, &read_registers(2, 0, 1).0);
    assert_eq!(late.decode().column("modbus", "outcome"), ["unanswered", "pending"]);
    let mut closed = Talk::new(502);
    closed.handshake().send(0, ACK, &request).send(1, ACK | FIN, b"").send(0, ACK | FIN, b"");
    closed.wait(200 * SECOND).ports = [40_001, 502];
    closed.next = [1, 1];
    closed.send(0, support::SYN, b"");
    assert_eq!(closed.decode().column("modbus", "outcome"), ["unanswered"]);
}

#[test]
fn over_the_limit_the_oldest_request_is_given_up() {
    let mut talk = Talk::new(502);
    talk.handshake();
    for number in 0..4 {
        talk.send(0, ACK, &read_registers(number, 0, 1).0);
    }
    let decoded = support::decode(&support::pcap(&talk.frames), &[("pending_limit", 3)]);
    assert_eq!(decoded.column("modbus", "outcome"), ["unanswered", "pending", "pending", "pending"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["pending_limit"]);
}

#[test]
fn the_limit_of_all_flows_costs_the_flow_that_floods_and_no_other() {
    let mut first = Talk::new(502);
    first.handshake();
    for number in 1..=3 {
        first.send(0, ACK, &read_registers(number, 0, 1).0);
    }
    let mut second = Talk::new(502);
    second.ports[0] = 40_001;
    second.wait(SECOND).handshake().send(0, ACK, &read_registers(4, 0, 1).0);
    let frames = [first.frames, second.frames].concat();
    // A pool of one, and a share of one for each flow.
    let decoded = support::decode(&support::pcap(&frames), &[("pending_limit_all", 2)]);
    let columns = ["transaction_id", "outcome"];
    assert_eq!(decoded.lines("modbus", &columns), ["1 unanswered", "2 pending", "3 pending", "4 pending"]);
}

#[test]
fn on_a_foreign_port_nothing_is_said_until_a_pair_fits() {
    let (request, response) = read_registers(1, 40, 2);
    let mut asked = Talk::new(5_020);
    asked.handshake().send(0, ACK, &request);
    assert!(asked.decode().column("modbus", "outcome").is_empty());
    assert_eq!(asked.decode().column("flows", "service"), [""]);
    asked.send(1, ACK, &response);
    let decoded = asked.decode();
    assert_eq!(decoded.lines("modbus", &SHORT), ["1 3 answered 4 5 structure"]);
    assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["modbus structure"]);
    assert_eq!(decoded.decoder.counts().modbus_messages, 2);
}

#[test]
fn what_only_looks_like_modbus_for_one_message_is_not_named() {
    let mut talk = Talk::new(5_020);
    talk.handshake().send(0, ACK, &read_registers(1, 40, 2).0).send(1, ACK, b"HTTP/1.1 400 Bad Request");
    let decoded = talk.decode();
    assert!(decoded.column("modbus", "outcome").is_empty());
    assert!(decoded.column("anomalies", "kind").is_empty());
    assert_eq!(decoded.column("flows", "service"), [""]);
}

#[test]
fn joined_in_its_middle_a_flow_has_its_client_by_structure_whatever_the_ports() {
    let (request, response) = read_registers(1, 40, 2);
    // The server's answer is seen first, and its port is the higher one.
    let mut talk = Talk::new(50_200);
    talk.send(1, ACK, &response).send(0, ACK, &request);
    let (request, response) = read_registers(2, 40, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    let decoded = talk.decode();
    let columns = ["client_ip", "server_port", "role_source"];
    assert_eq!(decoded.lines("flow_starts", &columns), ["[10, 0, 0, 1] 50200 protocol"]);
}

#[test]
fn an_exception_from_the_opener_is_an_orphan_and_no_request() {
    let mut talk = Talk::new(4_446);
    talk.ports = [502, 4_446];
    talk.handshake().send(0, ACK, &adu(1, 10, &[0x81, 6]));
    let decoded = talk.decode();
    let columns = ["function", "outcome", "exception_code", "client_port"];
    assert_eq!(decoded.lines("modbus", &columns), ["1 orphan 6 502"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["reversed_roles"]);
}

#[test]
fn after_a_gap_the_parser_is_in_step_again_and_says_so() {
    let mut talk = Talk::new(502);
    let (first, answer) = read_registers(1, 0, 1);
    let (second, reply) = read_registers(2, 0, 1);
    talk.handshake().send(0, ACK, &first).send_unseen(1, ACK, &answer);
    talk.send(0, ACK, &second).send(1, ACK, &reply);
    let (third, last) = read_registers(3, 0, 1);
    talk.send(0, ACK, &third).send(1, ACK, &last);
    let decoded = talk.decode();
    let columns = ["transaction_id", "outcome", "after_gap"];
    assert_eq!(decoded.lines("modbus", &columns), ["2 answered true", "3 answered false", "1 pending true"]);
    assert_eq!(decoded.sum("flows", "gap_bytes_s2c"), 11);
    assert_eq!(decoded.sum("coverage", "unseen_segments"), 1);
}

#[test]
fn one_lost_answer_does_not_shift_those_of_a_client_that_has_one_identifier() {
    let mut talk = Talk::new(502);
    talk.handshake();
    for address in 0..5 {
        let (request, response) = read_registers(0, address, 1);
        talk.send(0, ACK, &request);
        if address == 1 {
            talk.send_unseen(1, ACK, &response);
        } else {
            talk.send(1, ACK, &response);
        }
    }
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("modbus", &["address", "outcome", "after_gap", "request_frame", "response_frame"]),
        [
            "0 answered false 4 5",
            "1 unanswered true 6 -",
            "2 answered true 7 8",
            "3 answered false 9 10",
            "4 answered false 11 12",
        ]
    );
}

#[test]
fn a_foreign_header_on_the_port_is_an_anomaly_and_later_messages_are_read() {
    let mut talk = Talk::new(502);
    let (request, response) = read_registers(1, 0, 1);
    talk.handshake().send(0, ACK, b"\0\x01\x12\x34\0\x02").send(0, ACK, &request).send(1, ACK, &response);
    let decoded = talk.decode();
    assert_eq!(decoded.column("anomalies", "kind"), ["protocol_id"]);
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"]);
    assert_eq!(decoded.decoder.counts().modbus_skipped_bytes, 6);
}

#[test]
fn a_gap_before_the_first_message_is_said_of_it() {
    let mut talk = Talk::new(502);
    talk.handshake();
    let (unseen, _) = read_registers(1, 0, 2);
    let (request, response) = read_registers(2, 0, 2);
    talk.send_unseen(0, ACK, &unseen).send(1, ACK, b"");
    talk.send(0, ACK, &request).send(1, ACK, &response);
    let (request, response) = read_registers(3, 0, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    assert_eq!(
        talk.decode().lines("modbus", &["transaction_id", "outcome", "after_gap"]),
        ["2 answered true", "3 answered false"]
    );
}

/// The service and its confidence in the flow's last row.
fn named(decoded: &Decoded) -> (String, String) {
    let last = |column| decoded.column("flows", column).pop().expect("a flow");
    (last("service"), last("confidence"))
}

#[test]
fn a_known_protocol_behind_the_port_has_its_own_name() {
    let request = b"GET / HTTP/1.1\r\nHost: plc1\r\n\r\n";
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, request);
    assert_eq!(named(&talk.decode()), ("http".to_owned(), "structure".to_owned()));
    talk.send(1, ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let decoded = talk.decode();
    assert_eq!(named(&decoded), ("http".to_owned(), "handshake".to_owned()));
    assert!(decoded.column("anomalies", "kind").is_empty());
}

/// Bytes that are no protocol's that is read.
const NOBODYS: [u8; 40] = [0xee; 40];

#[test]
fn something_else_behind_the_port_loses_the_port_s_name() {
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &NOBODYS).send(1, ACK, &NOBODYS);
    let decoded = talk.decode();
    assert_eq!(named(&decoded), (String::new(), "none".to_owned()));
    assert_eq!(decoded.column("anomalies", "kind"), ["protocol_id", "protocol_id"]);
}

#[test]
fn one_unreadable_side_keeps_the_port_s_name() {
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &NOBODYS);
    assert_eq!(named(&talk.decode()), ("modbus".to_owned(), "port".to_owned()));
}

#[test]
fn unreadable_headers_after_a_message_are_broken_modbus() {
    let mut talk = Talk::new(502);
    talk.handshake()
        .send(0, ACK, &adu(7, 3, &[3, 0, 0, 0, 2]))
        .send(0, ACK, b"GET / HTTP/1.1\r\nHost: plc1\r\n\r\n")
        .send(1, ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(named(&talk.decode()), ("modbus".to_owned(), "port".to_owned()));
}

#[test]
fn on_any_port_messages_cut_into_small_segments_are_read_from_the_first_on() {
    let mut talk = Talk::new(5_020);
    talk.handshake();
    for transaction in 1..4 {
        let request = adu(transaction, 1, &[3, 0, 0, 0, 1]);
        let response = adu(transaction, 1, &[3, 2, 0, 7]);
        for piece in request.chunks(5) {
            talk.send(0, ACK, piece);
        }
        for piece in response.chunks(1) {
            talk.send(1, ACK, piece);
        }
    }
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered", "answered", "answered"]);
}

#[test]
fn an_orphan_that_the_capture_made_says_so() {
    let (first, answer) = (adu(1, 1, &[3, 0, 0, 0, 1]), adu(1, 1, &[3, 2, 0, 7]));
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer);
    talk.send_unseen(0, ACK, &adu(2, 1, &[3, 0, 0, 0, 1])).send(1, ACK, &adu(2, 1, &[3, 2, 0, 8]));
    let decoded = talk.decode();
    assert_eq!(decoded.lines("modbus", &["outcome", "after_gap"]), ["answered false", "orphan true"]);
    assert!(decoded.column("anomalies", "kind").is_empty(), "what the capture lost is no attack");
}

#[test]
fn an_orphan_is_explained_for_as_long_as_the_lost_request_would_have_waited() {
    let mut talk = Talk::new(502);
    let (first, answer) = read_registers(1, 0, 1);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer);
    talk.send_unseen(0, ACK, &adu(2, 1, &[3, 0, 0, 0, 1])).send(1, ACK, &adu(2, 1, &[3, 2, 0, 8]));
    let (next, reply) = read_registers(3, 0, 1);
    talk.send(0, ACK, &next).send(1, ACK, &reply);
    talk.wait(59 * SECOND).send(1, ACK, &adu(4, 1, &[3, 2, 0, 8]));
    talk.wait(2 * SECOND).send(1, ACK, &adu(5, 1, &[3, 2, 0, 8]));
    let decoded = talk.decode();
    let columns = ["transaction_id", "outcome", "after_gap"];
    assert_eq!(
        decoded.lines("modbus", &columns),
        ["1 answered false", "2 orphan true", "3 answered true", "4 orphan true", "5 orphan false"]
    );
    assert_eq!(decoded.lines("anomalies", &["kind", "frame"]), ["orphan_response 10"]);
}

#[test]
fn an_orphan_that_nobody_asked_for_does_not() {
    let (first, answer) = (adu(1, 1, &[3, 0, 0, 0, 1]), adu(1, 1, &[3, 2, 0, 7]));
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer).send(1, ACK, &adu(2, 1, &[3, 2, 0, 8]));
    let decoded = talk.decode();
    assert_eq!(decoded.lines("modbus", &["outcome", "after_gap"]), ["answered false", "orphan false"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["orphan_response"]);
}

#[test]
fn modbus_is_modbus_on_the_ports_of_other_protocols() {
    for port in [80, 443, 22, 445, 102, 1883, 4840, 8080, 44_818] {
        let mut talk = Talk::new(port);
        talk.handshake();
        for transaction in 1..=3 {
            let (request, response) = read_registers(transaction, 7, 2);
            talk.send(0, ACK, &request).send(1, ACK, &response);
        }
        let decoded = talk.decode();
        assert_eq!(decoded.column("modbus", "outcome"), ["answered"; 3], "{port}");
        assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["modbus structure"], "{port}");
        assert!(decoded.column("anomalies", "kind").is_empty(), "{port}");
    }
}

#[test]
fn what_the_capture_loses_later_explains_no_orphan() {
    let (first, answer) = read_registers(1, 0, 1);
    let mut talk = Talk::new(502);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer);
    talk.send(1, ACK, &adu(2, 1, &[3, 2, 0, 8]));
    talk.send_unseen(0, ACK, &read_registers(3, 0, 1).0).send(1, ACK, &adu(3, 1, &[3, 2, 0, 8]));
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("modbus", &["transaction_id", "outcome", "after_gap"]),
        ["1 answered false", "2 orphan false", "3 orphan true"]
    );
    assert_eq!(decoded.lines("anomalies", &["kind", "frame"]), ["orphan_response 6"]);
}
