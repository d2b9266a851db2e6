//! Order, loss and round trips of TCP streams (RFC 9293), seen by a tap between the hosts.

mod support;

use support::{ACK, FIN, MILLISECOND, RST, SECOND, SYN, Talk, decode, ipv4, pcap, read_registers};

/// A flow of port 502 with a handshake, for streams of reads.
fn opened() -> Talk {
    let mut talk = Talk::new(502);
    talk.handshake();
    talk
}

const LOSS: [&str; 6] = [
    "data_segments_c2s",
    "retransmitted_segments_c2s",
    "filled_holes_c2s",
    "out_of_order_segments_c2s",
    "unseen_segments_c2s",
    "gap_bytes_c2s",
];

fn loss(talk: &Talk) -> String {
    talk.decode().lines("flows", &LOSS).join("; ")
}

#[test]
fn a_clean_stream_lost_nothing() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc").send(1, ACK, b"").send(0, ACK, b"def");
    assert_eq!(loss(&talk), "2 0 0 0 0 0");
}

#[test]
fn bytes_seen_again_are_a_retransmission_each_time() {
    let mut talk = opened();
    let lost = talk.segment(0, ACK, b"abc");
    talk.send(0, ACK, b"abc").wait(SECOND);
    for id in [90, 91] {
        talk.see(&support::Tcp { id, ..lost.clone() });
        talk.wait(SECOND);
    }
    assert_eq!(loss(&talk), "3 2 0 0 0 0");
}

#[test]
fn bytes_that_were_acknowledged_already_are_no_loss_when_they_come_again() {
    let mut talk = opened();
    let again = talk.segment(0, ACK, b"abc");
    talk.send(0, ACK, b"abc").send(1, ACK, b"").wait(SECOND).see(&support::Tcp { id: 90, ..again });
    assert_eq!(loss(&talk), "2 0 0 0 0 0");
}

#[test]
fn a_keepalive_is_neither_data_nor_a_retransmission() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc").send(1, ACK, b"").wait(10 * SECOND);
    for payload in [&b""[..], b"c"] {
        let mut keepalive = talk.segment(0, ACK, payload);
        keepalive.sequence = keepalive.sequence.wrapping_sub(1);
        talk.see(&keepalive);
        talk.wait(SECOND);
    }
    assert_eq!(loss(&talk), "1 0 0 0 0 0");
}

#[test]
fn a_probe_of_a_closed_window_is_no_retransmission() {
    let mut talk = opened();
    let mut closed = talk.segment(1, ACK, b"");
    closed.window = 0;
    talk.see(&closed);
    talk.wait(SECOND);
    let probe = talk.segment(0, ACK, b"a");
    talk.see(&probe);
    talk.wait(SECOND);
    let opened_again = talk.segment(1, ACK, b"");
    talk.see(&opened_again);
    talk.wait(SECOND).send(0, ACK, b"abc");
    assert_eq!(loss(&talk), "2 0 0 0 0 0");
}

#[test]
fn a_hole_filled_late_was_lost_before_the_tap_and_one_filled_at_once_was_disorder() {
    for (wait, expected) in [(50 * MILLISECOND, "2 0 1 0 0 0"), (MILLISECOND, "2 0 0 1 0 0")] {
        let mut talk = opened();
        let first = talk.segment(0, ACK, b"abc");
        talk.send_unseen(0, ACK, b"abc").send(0, ACK, b"def").wait(wait - MILLISECOND).see(&first);
        assert_eq!(loss(&talk), expected, "{wait}");
    }
}

#[test]
fn what_is_acknowledged_but_was_never_seen_was_lost_by_the_capture() {
    let mut talk = opened();
    talk.send_unseen(0, ACK, b"abc").send(1, ACK, b"").send(0, ACK, b"def").send(1, ACK, b"");
    assert_eq!(loss(&talk), "1 0 0 0 1 3");
}

#[test]
fn a_gap_at_the_end_of_the_flow_is_counted_too() {
    let mut talk = opened();
    talk.send_unseen(0, ACK, b"abc").send(1, ACK, b"");
    assert_eq!(loss(&talk), "0 0 0 0 1 3");
}

#[test]
fn a_fin_behind_a_hole_is_no_lost_byte() {
    for (tail, segments) in [(&b""[..], 0), (b"de", 1)] {
        let mut talk = opened();
        talk.send_unseen(0, ACK, b"abc").send(0, ACK | FIN, tail).send(1, ACK, b"");
        assert_eq!(loss(&talk), format!("{segments} 0 0 0 1 3"));
    }
}

#[test]
fn a_side_that_was_never_seen_is_unseen_and_not_silent() {
    let mut talk = Talk::new(502);
    talk.send(1, ACK, b"a");
    talk.send_unseen(0, ACK, b"abc").send(1, ACK, b"b").send_unseen(0, ACK, b"def").send(1, ACK, b"c");
    let decoded = talk.decode();
    assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 6);
    assert_eq!(decoded.sum("flows", "unseen_segments_c2s"), 2);
    assert_eq!(decoded.sum("flows", "gap_bytes_s2c"), 0);
}

#[test]
fn a_super_frame_counts_as_the_segments_that_it_becomes() {
    let mut talk = opened();
    talk.send(0, ACK, &[0; 4_000]);
    assert_eq!(talk.decode().sum("flows", "data_segments_c2s"), 3);
}

#[test]
fn a_retransmission_that_carries_new_bytes_delivers_them() {
    let (first, answer) = read_registers(1, 0, 1);
    let (second, reply) = read_registers(2, 0, 1);
    let mut talk = opened();
    let mut both = talk.segment(0, ACK, &[first.clone(), second].concat());
    talk.send(0, ACK, &first).wait(SECOND);
    both.id = 90;
    talk.see(&both);
    talk.next[0] += 12;
    talk.send(1, ACK, &[answer, reply].concat());
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered", "answered"]);
    assert_eq!(decoded.sum("flows", "retransmitted_segments_c2s"), 1);
}

#[test]
fn of_two_versions_of_the_same_bytes_the_first_wins_and_the_conflict_is_told() {
    let (request, response) = read_registers(1, 0, 1);
    let (other, _) = read_registers(1, 99, 1);
    let (next, reply) = read_registers(2, 0, 1);
    let mut talk = opened();
    let early = talk.segment(0, ACK, &next);
    talk.send_unseen(0, ACK, &next);
    // Both versions stand behind the hole.
    let kept = talk.segment(0, ACK, &request);
    talk.see(&kept);
    talk.wait(MILLISECOND);
    talk.see(&support::Tcp { id: 91, payload: other, ..kept });
    talk.wait(MILLISECOND);
    talk.see(&early);
    talk.next[0] += 12;
    talk.send(1, ACK, &[reply, response].concat());
    let decoded = talk.decode();
    assert_eq!(decoded.lines("modbus", &["transaction_id", "address"]), ["2 0", "1 0"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["overlap_conflict"]);
}

#[test]
fn sequence_numbers_may_wrap() {
    let mut talk = Talk::new(502);
    talk.next = [u32::MAX - 20, u32::MAX - 3];
    talk.handshake();
    for number in 0..5 {
        let (request, response) = read_registers(number, 0, 4);
        talk.send(0, ACK, &request).send(1, ACK, &response);
    }
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), vec!["answered"; 5]);
    assert_eq!(decoded.sum("flows", "gap_bytes_s2c"), 0);
}

#[test]
fn over_the_limit_a_hole_is_given_up_and_memory_is_not() {
    let mut talk = opened();
    talk.send_unseen(0, ACK, &[0; 1_000]);
    for _ in 0..20 {
        talk.send(0, ACK, &[0; 1_000]);
    }
    let decoded = decode(&pcap(&talk.frames), &[("reassembly_bytes_per_flow", 5_000)]);
    assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 1_000);
    assert_eq!(decoded.column("anomalies", "kind")[0], "reassembly_limit");
    let full = decode(&pcap(&talk.frames), &[("reassembly_bytes", 2_500)]);
    assert!(full.sum("coverage", "evicted_bytes") > 0);
}

#[test]
fn both_halves_of_the_handshake_are_timed() {
    let mut talk = Talk::new(502);
    talk.send(0, SYN, b"").wait(MILLISECOND).send(1, SYN | ACK, b"").wait(4 * MILLISECOND).send(0, ACK, b"");
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("rtt", &["kind", "rtt_ns", "frame"]),
        ["handshake_server 2000000 2", "handshake_client 5000000 3", "path 7000000 3"]
    );
    let columns =
        ["handshake_server_rtt_ns", "handshake_client_rtt_ns", "syn_frame", "syn_ack_frame", "established"];
    assert_eq!(decoded.lines("flows", &columns), ["2000000 5000000 1 2 true"]);
}

#[test]
fn after_a_repeated_syn_no_half_can_be_trusted() {
    let mut talk = Talk::new(502);
    let first = talk.segment(0, SYN, b"");
    talk.see(&first);
    talk.wait(SECOND).send(0, SYN, b"").send(1, SYN | ACK, b"").send(0, ACK, b"");
    assert!(talk.decode().column("rtt", "kind").is_empty());
}

#[test]
fn a_refused_connection_was_never_established() {
    let mut talk = Talk::new(502);
    talk.send(0, SYN, b"").send(1, RST | ACK, b"");
    let columns = ["established", "resets_s2c", "end_reason", "role_source"];
    assert_eq!(talk.decode().lines("flows", &columns), ["false 1 reset syn"]);
}

#[test]
fn acknowledged_data_is_timed_by_who_acknowledged() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc")
        .wait(2 * MILLISECOND)
        .send(1, ACK, b"")
        .send(1, ACK, b"def")
        .send(0, ACK, b"ghi");
    let columns = ["kind", "rtt_ns", "piggybacked"];
    assert_eq!(
        talk.decode().lines("rtt", &columns)[3..],
        ["ack_server 3000000 false", "ack_client 1000000 true"]
    );
}

#[test]
fn repeated_data_is_not_timed() {
    let mut talk = opened();
    let again = talk.segment(0, ACK, b"abc");
    talk.send(0, ACK, b"abc").wait(SECOND).see(&support::Tcp { id: 90, ..again });
    talk.wait(MILLISECOND).send(1, ACK, b"");
    assert_eq!(talk.decode().column("rtt", "kind").len(), 3);
}

#[test]
fn an_ack_that_may_be_delayed_is_in_no_path_sample_and_one_of_two_full_segments_is() {
    let mut talk = opened();
    talk.send(0, ACK, b"abc").wait(40 * MILLISECOND).send(1, ACK, b"");
    assert_eq!(talk.decode().column("rtt", "kind").iter().filter(|kind| *kind == "path").count(), 1);
    talk.send(0, ACK, &[0; 1_460]).send(0, ACK, &[0; 1_460]).send(1, ACK, b"");
    let decoded = talk.decode();
    // 1 ms here, and the 1 ms of the handshake's client half.
    assert_eq!(decoded.lines("rtt", &["kind", "rtt_ns"]).last().unwrap(), "path 2000000");
}

#[test]
fn data_that_ends_a_handshake_is_in_no_later_path_sample() {
    let mut talk = Talk::new(502);
    talk.send(0, SYN, b"").wait(MILLISECOND).send(1, SYN | ACK, b"");
    // The capture missed the bare ACK, or there was none: the client speaks 300 ms later.
    talk.wait(300 * MILLISECOND).send(0, ACK, &[0; 1_460]).send(0, ACK, &[0; 1_460]).send(1, ACK, b"");
    let path = |talk: &Talk| -> Vec<String> {
        let rows = talk.decode().lines("rtt", &["kind", "rtt_ns", "piggybacked"]);
        rows.into_iter().filter(|row| row.starts_with("path")).collect()
    };
    assert_eq!(path(&talk), ["path 303000000 true"]);
    // A half that the client acknowledged by itself, and from then on the whole way can be measured.
    talk.send(1, ACK, &[0; 1_460]).send(1, ACK, &[0; 1_460]).send(0, ACK, b"");
    assert_eq!(path(&talk)[1..], ["path 2000000 false"]);
}

#[test]
fn the_same_packet_again_at_once_is_a_copy_and_counts_nowhere_else() {
    let mut talk = opened();
    let (request, response) = read_registers(1, 0, 1);
    for (side, payload) in [(0, request), (1, response)] {
        let copied = talk.segment(side, ACK, &payload);
        talk.send(side, ACK, &payload);
        let copy = support::Tcp { id: copied.id + 1, hops: 63, ..copied };
        talk.see(&copy);
    }
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"]);
    let columns = ["packets_c2s", "packets_s2c", "duplicate_packets_c2s", "duplicate_packets_s2c"];
    assert_eq!(decoded.lines("flows", &columns), ["3 2 1 1"]);
    assert_eq!(decoded.sum("coverage", "packets"), 7);
    assert_eq!(decoded.sum("coverage", "duplicate_packets"), 2);
}

#[test]
fn ports_used_again_are_another_flow() {
    let mut talk = opened();
    talk.send(0, FIN | ACK, b"").send(1, FIN | ACK, b"").send(0, ACK, b"").wait(SECOND);
    talk.next = [777_777, 888_888];
    talk.handshake();
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("flows", &["flow_id", "end_reason", "packets_c2s"]),
        ["1 reused 4", "2 end_of_capture 2"]
    );
}

#[test]
fn a_syn_sent_again_is_the_same_flow() {
    let mut talk = Talk::new(502);
    let syn = talk.segment(0, SYN, b"");
    talk.see(&syn);
    talk.wait(SECOND).send(0, SYN, b"");
    assert_eq!(talk.decode().column("flows", "packets_c2s"), ["2"]);
}

#[test]
fn silence_ends_a_flow() {
    let mut talk = opened();
    talk.wait(3_601 * SECOND);
    talk.frames.push((talk.now, ipv4(0, 17, 1, 64, &[0, 7, 0, 9, 0, 8, 0, 0])));
    assert_eq!(talk.decode().lines("flows", &["ip_proto", "end_reason"]), ["6 idle", "17 end_of_capture"]);
}

#[test]
fn in_a_full_table_the_quietest_flow_makes_room() {
    let mut talk = Talk::new(502);
    for port in 0..5 {
        talk.ports[0] = 40_000 + port;
        talk.next = [1, 1];
        talk.send(0, SYN, b"").wait(2 * SECOND);
    }
    let decoded = decode(&pcap(&talk.frames), &[("flow_limit", 2)]);
    let reasons = ["evicted", "evicted", "evicted", "end_of_capture", "end_of_capture"];
    assert_eq!(decoded.column("flows", "end_reason"), reasons);
    assert_eq!(decoded.sum("coverage", "evicted_flows"), 3);
    assert_eq!(decoded.column("flows", "flow_id"), ["1", "2", "3", "4", "5"]);
}

#[test]
fn minutes_sum_up_to_the_flow() {
    let mut talk = opened();
    for number in 0..4 {
        let (request, response) = read_registers(number, 0, 1);
        talk.send(0, ACK, &request).send(1, ACK, &response).wait(31 * SECOND);
    }
    let decoded = talk.decode();
    let first = support::START.to_string();
    let second = (support::START + 60 * SECOND).to_string();
    assert_eq!(decoded.column("flow_minutes", "minute"), [first, second]);
    for column in ["packets_c2s", "packets_s2c", "wire_bytes_c2s", "payload_bytes_s2c", "data_segments_c2s"] {
        assert_eq!(decoded.sum("flow_minutes", column), decoded.sum("flows", column), "{column}");
    }
    assert_eq!(decoded.sum("coverage", "packets"), 11);
}

#[test]
fn a_clock_that_goes_back_breaks_nothing() {
    let mut talk = opened();
    let (request, response) = read_registers(1, 0, 1);
    talk.send(0, ACK, &request).wait(-3_600 * SECOND).send(1, ACK, &response);
    let decoded = talk.decode();
    assert_eq!(decoded.lines("modbus", &["outcome", "latency_ns"]), ["answered -"]);
    assert_eq!(decoded.decoder.summary().time_goes_back, 1);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_hides_nothing_that_is_sent_later() {
    let mut talk = opened();
    let mut bogus = talk.segment(1, ACK, b"");
    bogus.acknowledgment = bogus.acknowledgment.wrapping_add(500_000_000);
    talk.see(&bogus);
    for transaction in 1..=3 {
        let (request, response) = read_registers(transaction, 0, 2);
        talk.send(0, ACK, &request).send(1, ACK, &response).wait(61 * SECOND);
    }
    let decoded = talk.decode();
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"; 3]);
}

#[test]
fn what_is_acknowledged_unseen_for_minutes_is_counted_once() {
    let mut talk = opened();
    for _ in 0..3 {
        talk.send_unseen(0, ACK, &[0; 100]).send(1, ACK, b"").wait(61 * SECOND);
    }
    talk.send(0, ACK, b"abc");
    let decoded = talk.decode();
    assert_eq!(decoded.lines("flows", &LOSS), ["1 0 0 0 3 300"]);
    assert_eq!(decoded.column("flow_minutes", "gap_bytes_c2s"), ["100", "100", "100", "0"]);
}

#[test]
fn numbers_that_jump_far_back_and_go_on_there_are_the_stream() {
    let mut talk = opened();
    talk.next[0] = talk.next[0].wrapping_sub(1_500_000_000);
    for transaction in 1..=5 {
        let (request, response) = read_registers(transaction, 0, 2);
        talk.send(0, ACK, &request).send(1, ACK, &response).wait(SECOND);
    }
    let decoded = talk.decode();
    let outcomes = decoded.column("modbus", "outcome");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "answered").count(), 3, "{outcomes:?}");
    assert_eq!(decoded.column("flows", "retransmitted_segments_c2s"), ["0"]);
    assert!(decoded.column("anomalies", "kind").contains(&"sequence_jump".to_owned()));
}

#[test]
fn a_jump_gives_up_the_hole_that_was_open_before_it() {
    let mut talk = opened();
    let (request, _) = read_registers(1, 0, 2);
    talk.send_unseen(0, ACK, &request).send(0, ACK, &request);
    talk.next[0] = talk.next[0].wrapping_add(2_000_000_000);
    for _ in 0..3 {
        talk.send(0, ACK, b"abc");
    }
    talk.send(0, ACK, b"abc");
    assert_eq!(loss(&talk), "3 0 0 0 2 12");
}

#[test]
fn where_only_the_server_is_seen_its_syn_ack_tells_ports_used_again() {
    let mut talk = Talk::new(502);
    for start in [5_000, 90_000] {
        talk.next[1] = start;
        talk.send(1, SYN | ACK, b"").send(1, ACK, b"abc").send(1, FIN | ACK, b"").wait(SECOND);
    }
    let decoded = talk.decode();
    assert_eq!(decoded.column("flows", "end_reason"), ["reused", "end_of_capture"]);
    assert_eq!(decoded.column("flows", "gap_bytes_s2c"), ["0", "0"]);
}

#[test]
fn a_syn_ack_sent_again_or_seen_late_is_the_same_flow() {
    let mut talk = Talk::new(502);
    talk.send(0, SYN, b"");
    let again = talk.segment(1, SYN | ACK, b"");
    talk.send(1, SYN | ACK, b"").wait(SECOND).see(&support::Tcp { id: 90, ..again.clone() });
    talk.send(0, ACK, b"").send(1, ACK, b"abc").see(&support::Tcp { id: 91, ..again });
    assert_eq!(talk.decode().column("flows", "end_reason"), ["end_of_capture"]);
}

#[test]
fn a_reset_that_answers_a_syn_ack_establishes_nothing() {
    let mut talk = Talk::new(502);
    talk.send(0, SYN, b"").send(1, SYN | ACK, b"").send(0, RST | ACK, b"");
    let decoded = talk.decode();
    assert_eq!(decoded.column("flows", "established"), ["false"]);
    assert_eq!(decoded.column("rtt", "kind"), ["handshake_server"]);
}

#[test]
fn a_flow_joined_at_a_keepalive_lost_no_byte() {
    for answered in [true, false] {
        let mut talk = Talk::new(502);
        talk.now += SECOND;
        let mut keepalive = talk.segment(0, ACK, b"");
        keepalive.sequence = keepalive.sequence.wrapping_sub(1);
        talk.see(&keepalive);
        talk.wait(MILLISECOND);
        if answered {
            talk.send(1, ACK, b"");
        }
        let (request, response) = read_registers(1, 0, 2);
        talk.wait(SECOND).send(0, ACK, &request).send(1, ACK, &response);
        let decoded = talk.decode();
        assert_eq!(decoded.lines("flows", &LOSS), ["1 0 0 0 0 0"], "{answered}");
        let columns = ["outcome", "request_frame", "after_gap"];
        let frame = if answered { 3 } else { 2 };
        assert_eq!(decoded.lines("modbus", &columns), [format!("answered {frame} false")]);
    }
}

#[test]
fn a_window_that_closes_is_counted_each_time_and_one_that_stays_closed_once() {
    let mut talk = opened();
    for window in [0, 0, 4_096, 0] {
        let mut segment = talk.segment(1, ACK, b"");
        segment.window = window;
        talk.see(&segment);
        talk.wait(SECOND);
    }
    // Resets and FINs carry windows that mean nothing.
    let mut last = talk.segment(0, RST, b"");
    last.window = 0;
    talk.see(&last);
    assert_eq!(talk.decode().lines("flows", &["zero_windows_c2s", "zero_windows_s2c"]), ["0 2"]);
    let mut quiet = opened();
    quiet.send(0, ACK, b"abc").send(1, ACK, b"");
    assert_eq!(quiet.decode().sum("flows", "zero_windows_s2c"), 0);
}

#[test]
fn a_segment_that_the_peer_got_twice_is_counted_for_who_sent_it() {
    let mut talk = opened();
    let first = talk.segment(0, ACK, &[7; 100]);
    talk.send(0, ACK, &[7; 100]).wait(SECOND).see(&support::Tcp { id: 90, ..first.clone() });
    talk.wait(MILLISECOND);
    // RFC 2883, 4: the block lies below the acknowledgement.
    let mut answer = talk.segment(1, ACK, b"");
    answer.options = vec![1, 1, 5, 10];
    answer.options.extend(first.sequence.to_be_bytes());
    answer.options.extend(first.sequence.wrapping_add(100).to_be_bytes());
    talk.see(&answer);
    let columns = ["retransmitted_segments_c2s", "dsacks_c2s", "dsacks_s2c"];
    assert_eq!(talk.decode().lines("flows", &columns), ["1 1 0"]);
}

#[test]
fn a_report_of_bytes_that_came_twice_takes_back_the_repeat_that_it_is_about() {
    let report = |talk: &mut Talk, start: u32, end: u32| {
        let mut answer = talk.segment(1, ACK, b"");
        answer.options = vec![1, 1, 5, 10];
        answer.options.extend(start.to_be_bytes());
        answer.options.extend(end.to_be_bytes());
        talk.see(&answer);
    };
    let columns = ["retransmitted_segments_c2s", "dsacks_c2s"];
    // Lost twice and then sent once too often: the peer got the last two of four.
    let mut talk = opened();
    let sent = talk.segment(0, ACK, &[7; 100]);
    talk.send(0, ACK, &[7; 100]);
    for id in [90, 91, 92] {
        talk.wait(SECOND).see(&support::Tcp { id, ..sent.clone() });
    }
    report(&mut talk, sent.sequence, sent.sequence.wrapping_add(100));
    assert_eq!(talk.decode().lines("flows", &columns), ["3 1"]);
    // The first of two is lost, and both are sent again as one segment: half of it came twice, half of it was needed.
    let mut talk = opened();
    let first = talk.segment(0, ACK, &[7; 100]);
    talk.send(0, ACK, &[7; 100]).send(0, ACK, &[7; 100]).wait(SECOND);
    talk.see(&support::Tcp { id: 90, payload: vec![7; 200], ..first.clone() });
    report(&mut talk, first.sequence.wrapping_add(100), first.sequence.wrapping_add(200));
    assert_eq!(talk.decode().lines("flows", &columns), ["1 0"]);
    // The acknowledgement had passed already: that repeat was no loss, and the report takes nothing away.
    let mut talk = opened();
    let sent = talk.segment(0, ACK, &[7; 100]);
    talk.send(0, ACK, &[7; 100]).send(1, ACK, b"").wait(SECOND);
    talk.see(&support::Tcp { id: 90, ..sent.clone() });
    report(&mut talk, sent.sequence, sent.sequence.wrapping_add(100));
    assert_eq!(talk.decode().lines("flows", &columns), ["0 0"]);
}

#[test]
fn ranges_that_come_again_and_again_were_lost_each_time() {
    let mut talk = opened();
    let sent: Vec<_> = (0..10)
        .map(|_| {
            let segment = talk.segment(0, ACK, &[0; 50]);
            // Every other one is repeated, so that no two are neighbours.
            talk.send(0, ACK, &[0; 50]).send(0, ACK, &[1; 50]);
            segment
        })
        .collect();
    for round in 0..3 {
        for segment in &sent {
            talk.wait(SECOND).see(&support::Tcp { id: 1_000 + round, ..segment.clone() });
        }
    }
    assert_eq!(talk.decode().sum("flows", "retransmitted_segments_c2s"), 30);
}

#[test]
fn of_a_flow_with_one_side_unseen_all_of_the_other_is_delivered() {
    let mut talk = Talk::new(502);
    for transaction in 1..=6 {
        let (request, _) = read_registers(transaction, 0, 2);
        talk.send(0, ACK, &request);
        if transaction == 2 {
            // What comes behind this hole waits for an acknowledgement that nobody sees.
            talk.send_unseen(0, ACK, &request);
        }
        talk.wait(31 * SECOND);
    }
    let decoded = decode(&pcap(&talk.frames), &[]);
    // Time ends the wait: the third and fourth requests are known to be unanswered before the capture ends.
    let expected = [
        "1 1 unanswered",
        "2 2 unanswered",
        "3 3 unanswered",
        "4 4 unanswered",
        "5 5 pending",
        "6 6 pending",
    ];
    assert_eq!(decoded.lines("modbus", &["transaction_id", "request_frame", "outcome"]), expected);
    assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 12);
}
