//! Ports used again, and segments that somebody forged into a connection (RFC 5961).

mod support;

use support::{ACK, MILLISECOND, RST, SECOND, SYN, Talk, read_registers};

/// A flow of port 502 with a handshake, for streams of reads.
fn opened() -> Talk {
    let mut talk = Talk::new(502);
    talk.handshake();
    talk
}

#[test]
fn a_forged_syn_in_a_live_connection_splits_nothing_and_is_told() {
    let mut talk = opened();
    let (request, response) = read_registers(1, 0, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    let mut forged = talk.segment(0, SYN, b"");
    forged.sequence = 77_777;
    talk.see(&forged);
    // The server's challenge (RFC 5961, 4.2) has the old connection's numbers.
    talk.wait(MILLISECOND).send(1, ACK, b"");
    let (request, response) = read_registers(2, 0, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"; 2]);
    assert_eq!(decoded.lines("flows", &["packets_c2s", "packets_s2c", "end_reason"]), ["5 4 end_of_capture"]);
    assert_eq!(decoded.lines("anomalies", &["kind", "frame"]), ["syn_in_connection 6"]);
}

#[test]
fn a_syn_that_is_answered_opens_another_connection_from_its_own_frame_on() {
    let mut talk = opened();
    let (request, response) = read_registers(1, 0, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    // The client has crashed and starts anew on the same ports; the server had forgotten it.
    talk.next = [777_777, 888_888];
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    let decoded = talk.decode();
    let columns = ["end_reason", "packets_c2s", "packets_s2c", "first_frame", "syn_frame", "role_source"];
    assert_eq!(decoded.lines("flows", &columns), ["reused 3 2 1 1 syn", "end_of_capture 3 2 6 6 syn"]);
    assert_eq!(decoded.lines("flows", &["client_port", "handshake_server_rtt_ns"])[1], "40000 1000000");
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"; 2]);
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn after_the_peers_reset_a_syn_opens_another_connection_at_once() {
    let mut talk = opened();
    let mut forgot = talk.segment(0, SYN, b"");
    forgot.sequence = 99_999;
    talk.see(&forgot);
    // Challenge, reset by the client that knows of no connection, the SYN again (RFC 5961, 4.2).
    talk.wait(MILLISECOND).send(1, ACK, b"").send(0, RST, b"");
    talk.next = [99_999, 300_000];
    talk.send(0, SYN, b"").send(1, SYN | ACK, b"").send(0, ACK, b"abc");
    let decoded = talk.decode();
    assert_eq!(decoded.column("flows", "end_reason"), ["reused", "end_of_capture"]);
    assert_eq!(decoded.column("flows", "payload_bytes_c2s"), ["0", "3"]);
}

#[test]
fn after_a_long_silence_a_syn_is_believed() {
    for (wait, flows) in [(10, 1), (121, 2)] {
        let mut talk = opened();
        talk.wait(wait * SECOND);
        talk.next[0] = 777_777;
        talk.send(0, SYN, b"");
        assert_eq!(talk.decode().column("flows", "flow_id").len(), flows, "{wait}");
    }
}

#[test]
fn a_syn_ack_whose_syn_was_missed_is_believed_once_the_client_answers_it() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc").send(1, ACK, b"def");
    talk.next = [777_777, 888_888];
    talk.send_unseen(0, SYN, b"").send(1, SYN | ACK, b"").send(0, ACK, b"ghi");
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("flows", &["end_reason", "role_source"]),
        ["reused syn", "end_of_capture syn_ack"]
    );
    // A forged one is answered by nobody.
    let mut talk = opened();
    let mut forged = talk.segment(1, SYN | ACK, b"");
    forged.sequence = 55;
    talk.see(&forged);
    talk.send(0, ACK, b"abc").send(1, ACK, b"def");
    assert_eq!(talk.decode().column("flows", "end_reason"), ["end_of_capture"]);
}

#[test]
fn a_forged_reset_does_not_end_a_connection_that_goes_on() {
    let mut talk = opened();
    let forged = talk.segment(0, RST, b"");
    talk.see(&forged);
    talk.wait(MILLISECOND).send(0, ACK, b"abc").send(1, ACK, b"def").wait(121 * SECOND).send(0, ACK, b"ghi");
    assert_eq!(talk.decode().lines("flows", &["resets_c2s", "end_reason"]), ["1 end_of_capture"]);
    let mut talk = opened();
    talk.send(0, ACK, b"abc").send(0, RST, b"").wait(121 * SECOND);
    assert_eq!(talk.decode().column("flows", "end_reason"), ["reset"]);
}

#[test]
fn a_forged_acknowledgement_inflates_no_gap() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc");
    let mut forged = talk.segment(1, ACK, b"");
    forged.acknowledgment = forged.acknowledgment.wrapping_add(500_000_000);
    talk.see(&forged);
    talk.wait(MILLISECOND).send(1, ACK, b"").send(0, ACK, b"def").send(1, ACK, b"");
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("flows", &["data_segments_c2s", "unseen_segments_c2s", "gap_bytes_c2s"]),
        ["2 0 0"]
    );
    assert_eq!(decoded.lines("anomalies", &["kind", "frame"])[0], "ack_out_of_window 5");
}

#[test]
fn forged_acknowledgements_of_a_side_that_is_not_seen_inflate_no_gap() {
    let mut talk = Talk::new(502);
    talk.send(1, ACK, b"a");
    let mut forged = talk.segment(1, ACK, b"");
    forged.acknowledgment = forged.acknowledgment.wrapping_add(500_000_000);
    talk.see(&forged);
    talk.wait(MILLISECOND).send_unseen(0, ACK, b"abc").send(1, ACK, b"b");
    let decoded = talk.decode();
    assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 3);
    assert_eq!(decoded.column("anomalies", "kind"), ["ack_out_of_window"]);
}

#[test]
fn after_a_blackout_longer_than_a_window_acknowledgements_that_go_on_are_believed() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc").send(1, ACK, b"");
    // 8,192 << 7 is the largest window that this server can mean.
    talk.next[0] = talk.next[0].wrapping_add(20_000_000);
    for _ in 0..3 {
        talk.send_unseen(0, ACK, &[0; 1_000]).send(1, ACK, b"");
    }
    let decoded = talk.decode();
    assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 20_003_000);
    assert!(decoded.column("anomalies", "kind").is_empty());
}
