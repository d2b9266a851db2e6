//! What is kept behind holes of a TCP stream: it is bounded, and given back.

mod support;

use geophone_native::decoder::Kept;
use support::{ACK, FIN, MILLISECOND, Talk, Tcp};

#[test]
fn bytes_behind_a_fin_behind_a_hole_are_given_back() {
    let mut talk = Talk::new(40_001);
    talk.handshake();
    let far = talk.segment(0, ACK, b"abc");
    talk.see(&Tcp { sequence: far.sequence.wrapping_add(1_000), ..far.clone() });
    talk.wait(MILLISECOND);
    talk.see(&Tcp { sequence: far.sequence.wrapping_add(10), flags: ACK | FIN, payload: Vec::new(), ..far });
    let decoded = talk.decode();
    assert_eq!(decoded.decoder.kept(), Kept::default());
    assert_eq!(decoded.column("flows", "gap_bytes_c2s"), ["999"]);
}

#[test]
fn a_segment_that_fills_holes_where_there_is_no_room_is_read_to_its_end() {
    let bytes = [7; 256];
    // Every second byte, so that there is room for one more piece, or for none; then a segment with all of them.
    for first in [3, 1] {
        let mut talk = Talk::new(40_001);
        talk.handshake();
        let start = talk.segment(0, ACK, b"");
        for (place, length) in (first..256).step_by(2).map(|place| (place, 1)).chain([(0, 256)]) {
            let sequence = start.sequence.wrapping_add(place);
            let payload = bytes[..length].to_vec();
            talk.see(&Tcp { sequence, id: place as u16, payload, ..start.clone() });
            talk.wait(MILLISECOND / 100);
        }
        let decoded = talk.decode_within(&[("reassembly_pieces", 128)]);
        assert_eq!(decoded.decoder.kept(), Kept::default());
        assert_eq!(decoded.lines("flows", &["gap_bytes_c2s", "unseen_segments_c2s"]), ["0 0"]);
    }
}

#[test]
fn bytes_right_behind_a_fin_do_not_stay_in_the_way() {
    let mut talk = Talk::new(40_001);
    talk.handshake();
    let start = talk.segment(0, ACK, b"");
    // The FIN's number is 10. For the last one there is no room: the hole before the FIN is given up.
    let said: [(u32, u8, usize); 4] = [(10, ACK | FIN, 0), (11, ACK, 1), (20, ACK, 1), (30, ACK, 1)];
    for (place, flags, length) in said {
        let (sequence, payload) = (start.sequence.wrapping_add(place), vec![7; length]);
        talk.see(&Tcp { sequence, flags, id: place as u16, payload, ..start.clone() });
        talk.wait(MILLISECOND / 100);
    }
    let decoded = talk.decode_within(&[("reassembly_pieces", 2)]);
    assert_eq!(decoded.decoder.kept(), Kept::default());
}
