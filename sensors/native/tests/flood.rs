//! A flood costs the flooder its own flows, and no input takes more time than its length is worth.

mod support;

use support::{ACK, MILLISECOND, SECOND, SYN, Talk, decode, pcap};

/// A flow of port 502 with a handshake, for streams of reads.
fn opened() -> Talk {
    let mut talk = Talk::new(502);
    talk.handshake();
    talk
}

/// 1,000 connections with both sides heard, then `flood` more frames, then something of each connection again.
fn honest_under(flood: impl Iterator<Item = support::Frame>) -> Vec<support::Frame> {
    let mut frames = Vec::new();
    let mut talks: Vec<Talk> = (0..1_000)
        .map(|port| {
            let mut talk = Talk::new(502);
            talk.ports[0] = 20_000 + port;
            talk.handshake();
            talk
        })
        .collect();
    for talk in &mut talks {
        frames.append(&mut talk.frames);
    }
    frames.sort_by_key(|(ts, _)| *ts);
    frames.extend(flood);
    let end = frames.last().map_or(0, |(ts, _)| *ts);
    for talk in &mut talks {
        talk.now = end + MILLISECOND;
        talk.send(0, ACK, b"abc");
        frames.append(&mut talk.frames);
    }
    frames
}

/// SYNs of ten times as many flows as the table takes, from the address that `source` gives each.
fn syn_flood(limit: u32, source: impl Fn(u32) -> [u8; 4]) -> impl Iterator<Item = support::Frame> {
    (0..10 * limit).map(move |number| {
        let mut talk = Talk::new(502);
        talk.ports[0] = 1_024 + (number % 60_000) as u16;
        let mut frame = talk.segment(0, SYN, b"").bytes();
        frame[26..30].copy_from_slice(&source(number));
        frame[30..34].copy_from_slice(&[10, 1, 0, 2]);
        (support::START + SECOND + i64::from(number) * 10_000, frame)
    })
}

#[test]
fn a_flood_of_flows_leaves_those_that_others_have_established_alone() {
    const LIMIT: u32 = 2_048;
    let forged = |number: u32| [172, (number >> 16) as u8, (number >> 8) as u8, number as u8];
    let floods: [Vec<support::Frame>; 2] =
        [syn_flood(LIMIT, forged).collect(), syn_flood(LIMIT, |_| [10, 9, 9, 9]).collect()];
    for flood in floods {
        let frames = honest_under(flood.into_iter());
        let limits = [("flow_limit", u64::from(LIMIT)), ("flows_per_source", 256)];
        let decoded = decode(&pcap(&frames), &limits);
        let honest: Vec<_> = decoded
            .lines("flows", &["server_ip", "established", "payload_bytes_c2s", "end_reason"])
            .into_iter()
            .filter(|line| line.starts_with("[10, 0, 0, 2]"))
            .collect();
        assert_eq!(honest.len(), 1_000);
        assert!(honest.iter().all(|line| line == "[10, 0, 0, 2] true 3 end_of_capture"), "{}", honest[0]);
        assert_eq!(decoded.sum("coverage", "evicted_flows"), u64::from(10 * LIMIT + 1_000 - LIMIT));
        // Which flows go does not depend on the seed of the table.
        let again = decode(&pcap(&frames), &limits);
        let columns = ["flow_id", "first_frame", "end_reason"];
        assert_eq!(again.lines("flows", &columns), decoded.lines("flows", &columns));
    }
}

#[test]
fn a_source_with_more_than_its_share_gives_up_its_own_flows_even_where_they_are_answered() {
    // One host has real connections to a thousand ports; the others' are quiet for longer than any of them.
    let flood = (0..4_000u32).flat_map(|number| {
        let mut talk = Talk::new(502);
        talk.now = support::START + SECOND + i64::from(number) * 100_000;
        talk.ports[0] = 1_024 + number as u16;
        talk.handshake();
        let mut frames = std::mem::take(&mut talk.frames);
        for (side, (_, frame)) in [0, 1, 0].into_iter().zip(&mut frames) {
            let at = if side == 0 { 26 } else { 30 };
            frame[at..at + 4].copy_from_slice(&[10, 9, 9, 9]);
        }
        frames
    });
    let mut flood: Vec<_> = flood.collect();
    flood.sort_by_key(|(ts, _)| *ts);
    let frames = honest_under(flood.into_iter());
    let decoded = decode(&pcap(&frames), &[("flow_limit", 2_048), ("flows_per_source", 1_000)]);
    let honest = decoded.lines("flows", &["client_ip", "end_reason"]);
    let evicted = honest.iter().filter(|line| *line == "[10, 0, 0, 1] evicted").count();
    assert_eq!(evicted, 0);
}

#[test]
fn out_of_order_pieces_by_the_hundred_thousand_take_a_time_that_grows_with_their_number() {
    let run = |pieces: u32| {
        let mut talk = opened();
        let base = talk.next[0];
        for index in 0..pieces {
            // Within groups of 64 the last comes first.
            let place = index / 64 * 64 + 63 - index % 64;
            let mut segment = talk.segment(0, ACK, b"x");
            segment.sequence = base.wrapping_add(place);
            talk.see(&segment);
            talk.wait(10_000);
        }
        let bytes = pcap(&talk.frames);
        let started = cpu_time::ThreadTime::now();
        let decoded = decode(&bytes, &[]);
        assert_eq!(decoded.sum("flows", "gap_bytes_c2s"), 0);
        started.elapsed().as_secs_f64() / f64::from(pieces)
    };
    let (few, many) = (run(1_920), run(96_000));
    assert!(many < few * 4.0 + 1e-5, "{few} s a piece, then {many}");
}
