//! Modbus RTU over TCP and UDP, Modbus/TCP over UDP, and responses that were captured before their requests.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{ACK, Decoded, MILLISECOND, START, Talk, adu, decode, ipv4, pcap, read_registers};

const SAID: [&str; 6] = ["unit", "function", "outcome", "address", "values_read", "framing"];

/// A serial unit: the checksum is computed bit by bit, as the standard's figure has it (Serial Line V1.02, 6.2.2).
fn rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![unit];
    bytes.extend(pdu);
    let mut sum = 0xffffu16;
    for byte in &bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = sum & 1;
            sum >>= 1;
            if carry == 1 {
                sum ^= 0xa001;
            }
        }
    }
    bytes.extend(sum.to_le_bytes());
    bytes
}

fn read(unit: u8, address: u8, value: u8) -> (Vec<u8>, Vec<u8>) {
    (rtu(unit, &[3, 0, address, 0, 1]), rtu(unit, &[3, 2, 0, value]))
}

fn service(decoded: &Decoded) -> Vec<String> {
    decoded.lines("flows", &["service", "confidence"])
}

#[test]
fn units_without_a_header_are_read_on_any_port() {
    for port in [502, 4_001] {
        let mut talk = Talk::new(port);
        let (request, response) = read(9, 7, 42);
        talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
        let decoded = talk.decode();
        assert_eq!(decoded.lines("modbus", &SAID), ["9 3 answered 7 [42] rtu_over_tcp"]);
        assert_eq!(service(&decoded), ["modbus-rtu structure"]);
        assert_eq!(
            decoded.lines("modbus", &["transaction_id", "request_bytes", "response_bytes", "latency_ns"]),
            ["0 8 7 1000000"]
        );
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

/// Unit 1, two registers from address 0: bytes that are a whole unit of Modbus/TCP too, of function 11.
const BOTH: &[u8] = b"\x01\x03\0\0\0\x02\xc4\x0b";

#[test]
fn a_poll_that_reads_as_modbus_tcp_too_is_told_by_its_answer() {
    for port in [502, 4_001] {
        let mut talk = Talk::new(port);
        talk.handshake();
        for value in 1..3 {
            talk.send(0, ACK, BOTH).send(1, ACK, &rtu(1, &[3, 4, 0, value, 0, 9]));
        }
        let decoded = talk.decode();
        let rows = ["1 3 answered 0 [1, 9] rtu_over_tcp", "1 3 answered 0 [2, 9] rtu_over_tcp"];
        assert_eq!(decoded.lines("modbus", &SAID), rows, "{port}");
        assert_eq!(service(&decoded), ["modbus-rtu structure"]);
        assert!(decoded.column("anomalies", "kind").is_empty());
        let mut tcp = Talk::new(port);
        // The same bytes, answered as function 11 of transaction 0x0103.
        tcp.handshake().send(0, ACK, BOTH).send(1, ACK, &adu(0x0103, 0xc4, &[11, 0, 0, 0, 5]));
        let decoded = tcp.decode();
        assert_eq!(
            decoded.lines("modbus", &["unit", "function", "outcome", "framing"]),
            ["196 11 answered tcp"]
        );
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

#[test]
fn such_polls_of_one_side_alone_are_serial_when_they_come_again() {
    let mut talk = Talk::new(4_001);
    talk.handshake();
    for _ in 0..6 {
        talk.send(0, ACK, BOTH);
    }
    let framings = talk.decode().column("modbus", "framing");
    assert_eq!(framings, ["rtu_over_tcp"; 6]);
}

#[test]
fn a_datagram_that_reads_as_modbus_tcp_too_is_serial() {
    let frames = [
        (START, datagram(0, 4_001, BOTH)),
        (START + 1_000, datagram(1, 4_001, &rtu(1, &[3, 4, 0, 7, 0, 9]))),
    ];
    let decoded = decode(&pcap(&frames), &[]);
    assert_eq!(decoded.lines("modbus", &SAID), ["1 3 answered 0 [7, 9] rtu_over_udp"]);
}

#[test]
fn one_request_alone_is_no_rtu_and_four_of_one_side_are() {
    let mut talk = Talk::new(4_001);
    talk.handshake();
    for count in 1..=4 {
        talk.send(0, ACK, &read(1, count, 0).0);
        let decoded = talk.decode();
        let named = if count == 4 { "modbus-rtu structure" } else { " none" };
        assert_eq!(service(&decoded), [named], "{count} requests");
    }
}

#[test]
fn a_checksum_that_is_right_by_chance_does_not_name_another_protocol() {
    let mut talk = Talk::new(4_001);
    talk.handshake().send(0, ACK, &read(1, 1, 0).0).send(1, ACK, b"220 mail.example ESMTP\r\n");
    talk.send(0, ACK, b"EHLO plc\r\n");
    let decoded = talk.decode();
    assert_eq!(service(&decoded), [" none"]);
    assert!(decoded.column("modbus", "unit").is_empty());
}

#[test]
fn a_unit_that_is_asked_something_else_is_no_longer_waited_for() {
    let mut talk = Talk::new(4_001);
    let (first, answer) = read(1, 1, 10);
    let (second, reply) = read(1, 2, 20);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer);
    talk.send(0, ACK, &first).wait(500 * MILLISECOND).send(0, ACK, &second).send(1, ACK, &reply);
    assert_eq!(
        talk.decode().lines("modbus", &SAID[..5]),
        ["1 3 answered 1 [10]", "1 3 unanswered 1 []", "1 3 answered 2 [20]"]
    );
}

#[test]
fn of_a_request_and_its_retry_the_first_is_answered() {
    let mut talk = Talk::new(4_001);
    let (request, response) = read(1, 1, 10);
    talk.handshake().send(0, ACK, &request).wait(500 * MILLISECOND).send(0, ACK, &request);
    talk.send(1, ACK, &response);
    assert_eq!(
        talk.decode().lines("modbus", &["outcome", "request_frame", "response_frame"]),
        ["answered 4 6", "pending 5 -"]
    );
}

#[test]
fn two_units_of_one_line_are_asked_at_once() {
    let mut talk = Talk::new(4_001);
    let (first, answer) = read(1, 1, 10);
    let (second, reply) = read(2, 1, 20);
    talk.handshake().send(0, ACK, &[first, second].concat()).send(1, ACK, &[answer, reply].concat());
    assert_eq!(talk.decode().lines("modbus", &SAID[..5]), ["1 3 answered 1 [10]", "2 3 answered 1 [20]"]);
}

#[test]
fn a_broken_unit_is_an_anomaly_and_later_ones_are_read() {
    let mut talk = Talk::new(4_001);
    let (request, response) = read(1, 1, 10);
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    let mut broken = response.clone();
    broken[3] ^= 4;
    talk.send(0, ACK, &request).send(1, ACK, &broken).send(0, ACK, &request).send(1, ACK, &response);
    let decoded = talk.decode();
    assert_eq!(decoded.column("anomalies", "kind"), ["checksum"]);
    // The third request is the second one's retry: of the two, the first is answered.
    assert_eq!(decoded.column("modbus", "outcome"), ["answered", "answered", "pending"]);
}

#[test]
fn after_a_gap_the_next_whole_unit_is_in_step() {
    let mut talk = Talk::new(4_001);
    let (request, response) = read(1, 1, 10);
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    talk.send(0, ACK, &request).send_unseen(1, ACK, &response);
    talk.send(0, ACK, &request).send(1, ACK, &response).send(0, ACK, b"");
    let decoded = talk.decode();
    assert_eq!(decoded.sum("flows", "gap_bytes_s2c"), 7);
    // What comes behind the gap answers the request that was sent last.
    assert_eq!(decoded.column("modbus", "outcome"), ["answered", "unanswered", "answered"]);
}

fn datagram(side: usize, port: u16, payload: &[u8]) -> Vec<u8> {
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    let mut udp = Vec::new();
    udp.extend(ports[0].to_be_bytes());
    udp.extend(ports[1].to_be_bytes());
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    ipv4(side, 17, 1, 64, &udp)
}

#[test]
fn datagrams_carry_either_kind_of_unit() {
    let (request, response) = read(9, 7, 42);
    let frames = [
        (START, datagram(0, 502, &adu(5, 9, &[3, 0, 7, 0, 1]))),
        (START + MILLISECOND, datagram(1, 502, &adu(5, 9, &[3, 2, 0, 42]))),
        (START + 2 * MILLISECOND, datagram(0, 4_001, &request)),
        (START + 3 * MILLISECOND, datagram(1, 4_001, &response)),
    ];
    let decoded = decode(&pcap(&frames), &[]);
    assert_eq!(
        decoded.lines("modbus", &SAID),
        ["9 3 answered 7 [42] udp", "9 3 answered 7 [42] rtu_over_udp"]
    );
    assert_eq!(service(&decoded), ["modbus structure", "modbus-rtu structure"]);
}

#[test]
fn a_cut_datagram_does_not_spoil_the_next() {
    let whole = adu(5, 9, &[3, 0, 7, 0, 1]);
    let frames = [
        (START, datagram(0, 502, &whole)),
        (START + 1, datagram(0, 502, &whole[..9])),
        (START + 2, datagram(0, 502, &adu(6, 9, &[3, 0, 8, 0, 1]))),
        (START + 3, datagram(1, 502, &adu(5, 9, &[3, 2, 0, 42]))),
    ];
    assert_eq!(decode(&pcap(&frames), &[]).column("modbus", "outcome"), ["answered", "pending"]);
}

/// A conversation over port 502 in which the capture swapped a response with its request, `later_ns` apart; the
/// response acknowledges the request, or not.
fn swapped(later_ns: i64, acknowledges: bool) -> Decoded {
    let mut talk = Talk::new(502);
    let (first, answer) = read_registers(1, 0, 1);
    let (request, response) = read_registers(2, 8, 1);
    talk.handshake().send(0, ACK, &first).send(1, ACK, &answer);
    let asks = talk.segment(0, ACK, &request);
    let mut answers = talk.segment(1, ACK, &response);
    answers.acknowledgment = asks.sequence.wrapping_add(if acknowledges { request.len() as u32 } else { 0 });
    talk.see(&answers);
    talk.wait(later_ns).see(&asks);
    talk.decode()
}

#[test]
fn a_response_captured_just_before_its_request_is_its_answer() {
    let decoded = swapped(20_000, true);
    assert_eq!(
        decoded.lines("modbus", &["transaction_id", "outcome", "address", "request_frame", "response_frame"]),
        ["1 answered 0 4 5", "2 answered 8 7 6"]
    );
    assert_eq!(decoded.column("modbus", "latency_ns"), ["1000000", "-"]);
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn a_response_long_before_its_request_was_never_asked_for() {
    let decoded = swapped(50 * MILLISECOND, false);
    let columns = ["outcome", "after_gap"];
    assert_eq!(decoded.lines("modbus", &columns), ["answered false", "orphan false", "pending false"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["orphan_response"]);
    // Where it acknowledges bytes that nobody saw yet, the capture is what lacks them.
    let decoded = swapped(50 * MILLISECOND, true);
    assert_eq!(decoded.lines("modbus", &columns), ["answered false", "orphan true", "pending false"]);
    assert!(decoded.column("anomalies", "kind").is_empty());
}

fn pdus() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    prop_oneof![
        (any::<u8>(), 1u8..=125).prop_map(|(low, quantity)| {
            let mut response = vec![3, quantity * 2];
            response.resize(2 + usize::from(quantity) * 2, low);
            (vec![3, 0, low, 0, quantity], response)
        }),
        vec(any::<u16>(), 1..=20).prop_map(|values| {
            let count = values.len() as u8;
            let mut request = vec![16, 0, 7, 0, count, count * 2];
            request.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            (request, vec![16, 0, 7, 0, count])
        }),
        (1u8..=4, 1u8..=8)
            .prop_map(|(function, code)| (vec![function, 0, 0, 0, 1], vec![function | 0x80, code])),
    ]
}

proptest! {
    #![proptest_config(property(64))]

    #[test]
    fn any_split_of_the_same_streams_gives_the_same_rows(
        messages in vec(pdus(), 1..8),
        noise in vec(any::<u8>(), 0..20),
        lengths in vec(1usize..90, 1..6),
    ) {
        // The first exchange is whole, so that the flow is known for what it is.
        let told = |lengths: &[usize]| {
            let mut talk = Talk::new(4_001);
            let (request, response) = read(1, 1, 1);
            talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
            for side in 0..2 {
                let mut stream = noise.clone();
                for (number, (request, response)) in messages.iter().enumerate() {
                    stream.extend(rtu(number as u8, if side == 0 { request } else { response }));
                }
                let mut rest = &stream[..];
                for length in lengths.iter().cycle() {
                    if rest.is_empty() {
                        break;
                    }
                    let (piece, after) = rest.split_at((*length).min(rest.len()));
                    talk.send(side, ACK, piece);
                    rest = after;
                }
            }
            talk.decode().lines("modbus", &SAID)
        };
        prop_assert_eq!(told(&lengths), told(&[60_000]));
    }

    #[test]
    fn random_streams_are_never_rtu(pieces in vec((0usize..2, vec(any::<u8>(), 1..200)), 1..12)) {
        let mut talk = Talk::new(4_001);
        talk.handshake();
        for (side, piece) in &pieces {
            talk.send(*side, ACK, piece);
        }
        let decoded = talk.decode();
        prop_assert!(decoded.column("modbus", "unit").is_empty());
    }
}
