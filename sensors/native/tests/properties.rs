//! What holds for every input: segmentation says nothing, damage never panics, replays agree.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{ACK, Decoded, MILLISECOND, Talk, Tcp, adu, decode, open, pcap};

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;

const SAID: [&str; 11] = [
    "transaction_id",
    "unit",
    "function",
    "outcome",
    "exception_code",
    "address",
    "quantity",
    "values_read",
    "values_written",
    "detail",
    "after_gap",
];

/// What the rows of a capture say, without frames and times.
fn said(decoded: &Decoded) -> Vec<String> {
    decoded.lines("modbus", &SAID)
}

/// A request, its response, and now and then bytes that are neither.
fn message() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let pdus = prop_oneof![
        (any::<u16>(), 1u8..=125).prop_map(|(address, quantity)| {
            let [high, low] = address.to_be_bytes();
            let mut response = vec![3, quantity * 2];
            response.resize(2 + usize::from(quantity) * 2, low);
            (vec![3, high, low, 0, quantity], response)
        }),
        (any::<u8>(), any::<bool>()).prop_map(|(low, on)| {
            let pdu = vec![5, 0, low, if on { 0xff } else { 0 }, 0];
            (pdu.clone(), pdu)
        }),
        vec(any::<u16>(), 1..=20).prop_map(|values| {
            let count = values.len() as u8;
            let mut request = vec![16, 0, 7, 0, count, count * 2];
            request.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            (request, vec![16, 0, 7, 0, count])
        }),
        (1u8..=127, 1u8..=11)
            .prop_map(|(function, code)| (vec![function, 0, 0, 0, 1], vec![function | 0x80, code])),
        (vec(any::<u8>(), 1..40), vec(any::<u8>(), 1..40)),
    ];
    let noise = prop_oneof![9 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..30)];
    (any::<u16>(), any::<u8>(), pdus, noise).prop_map(|(transaction, unit, (request, response), noise)| {
        let asked = [noise.clone(), adu(transaction, unit, &request)].concat();
        (asked, [adu(transaction, unit, &response), noise].concat())
    })
}

/// Both streams of a conversation, requests first.
fn conversation() -> impl Strategy<Value = [Vec<u8>; 2]> {
    vec(message(), 1..12).prop_map(|messages| {
        let (requests, responses): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        [requests.concat(), responses.concat()]
    })
}

/// A stream cut into pieces of the given lengths, over and over.
fn pieces<'a>(stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut cut = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        cut.push(piece);
        rest = after;
    }
    cut
}

fn told(streams: &[Vec<u8>; 2], lengths: &[usize]) -> Talk {
    let mut talk = Talk::new(502);
    talk.handshake();
    for (side, stream) in streams.iter().enumerate() {
        for piece in pieces(stream, lengths) {
            talk.send(side, ACK, piece);
        }
    }
    talk
}

proptest! {
    #![proptest_config(property(96))]

    #[test]
    fn any_split_of_the_same_streams_gives_the_same_transactions(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
    ) {
        let whole = said(&told(&streams, &[60_000]).decode());
        prop_assert_eq!(said(&told(&streams, &lengths).decode()), whole);
    }

    #[test]
    fn order_overlap_and_repetition_of_segments_change_no_transaction(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
        moves in vec((any::<bool>(), 0usize..40, any::<bool>()), 1..8),
    ) {
        let whole = said(&told(&streams, &lengths).decode());
        let mut talk = Talk::new(502);
        talk.handshake();
        let mut id = 1_000;
        let mut chosen = moves.iter().cycle();
        for (side, stream) in streams.iter().enumerate() {
            let start = talk.segment(side, ACK, b"");
            let mut at = 0;
            let mut seen: Vec<Tcp> = Vec::new();
            for piece in pieces(stream, &lengths) {
                let (swap, back, repeat) = chosen.next().unwrap();
                id += 1;
                // Starts up to 40 bytes early, with the bytes that were there.
                let from = at - (*back).min(at);
                let to = at + piece.len();
                let segment = Tcp {
                    sequence: start.sequence.wrapping_add(from as u32),
                    id,
                    payload: stream[from..to].to_vec(),
                    ..start.clone()
                };
                at = to;
                if *repeat {
                    id += 1;
                    seen.push(Tcp { id, ..segment.clone() });
                }
                seen.push(segment);
                let last = seen.len() - 1;
                if *swap && last > 0 {
                    seen.swap(last, last - 1);
                }
            }
            for segment in seen {
                talk.see(&segment);
                talk.wait(MILLISECOND / 10);
            }
            talk.next[side] = talk.next[side].wrapping_add(stream.len() as u32);
        }
        let mut unordered = said(&talk.decode());
        let mut ordered = whole;
        // Requests are all there before the first response either way; rows come in the order of responses.
        unordered.sort();
        ordered.sort();
        prop_assert_eq!(unordered, ordered);
    }

    #[test]
    fn flipped_bits_never_panic_and_leave_what_came_before(
        streams in conversation(),
        lengths in vec(20usize..90, 1..4),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
    ) {
        let talk = told(&streams, &lengths);
        let clean = pcap(&talk.frames);
        let mut damaged = clean.clone();
        let mut first = clean.len();
        for (index, bit) in &flips {
            let at = 24 + index.index(clean.len() - 24);
            damaged[at] ^= 1 << bit;
            first = first.min(at);
        }
        let mut whole_frames = 0;
        let mut end = 24;
        for (_, frame) in &talk.frames {
            end += 16 + frame.len();
            if end > first {
                break;
            }
            whole_frames += 1;
        }
        let before = |decoded: &Decoded| -> Vec<String> {
            let frames = decoded.column("modbus", "response_frame");
            let rows = said(decoded);
            frames
                .iter()
                .zip(rows)
                .filter(|(frame, _)| frame.parse::<usize>().is_ok_and(|frame| frame <= whole_frames))
                .map(|(_, row)| row)
                .collect()
        };
        prop_assert_eq!(before(&decode(&damaged, &[])), before(&decode(&clean, &[])));
    }

    #[test]
    fn random_bytes_behind_a_file_header_never_panic(kind in 0usize..3, bytes in vec(any::<u8>(), 0..2_000)) {
        let head: &[u8] = match kind {
            0 => &pcap(&[])[..],
            1 => b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
            _ => b"",
        };
        let bytes = [head, &bytes].concat();
        if let Ok(mut source) = open(&bytes) {
            let mut decoder = Decoder::new(Limits::default());
            while decoder.run(&mut source, 100) {}
            decoder.take();
        }
    }

    #[test]
    fn two_replays_agree_in_every_row_however_many_frames_a_call_takes(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
        most in 1u64..50,
    ) {
        let bytes = pcap(&told(&streams, &lengths).frames);
        let rows = |most: u64| {
            let mut source = open(&bytes).ok().unwrap();
            let mut decoder = Decoder::new(Limits::default());
            let mut tables = std::collections::BTreeMap::<_, Vec<_>>::new();
            loop {
                let goes_on = decoder.run(&mut source, most);
                for (name, batch) in decoder.take() {
                    tables.entry(name).or_default().push(batch);
                }
                if !goes_on {
                    break;
                }
            }
            let decoded = Decoded { tables, decoder: Box::new(decoder) };
            decoded
                .tables
                .iter()
                .map(|(name, batches)| {
                    let schema = batches[0].schema();
                    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                    (*name, decoded.lines(name, &columns))
                })
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(rows(most), rows(1_000_000));
    }
}
