//! Selective acknowledgements in; the bytes that the peer got twice, out (RFC 2018, RFC 2883).

/// TCP options with nothing in them but a timestamp, in the usual order: no use in looking further.
const TIMESTAMP_ONLY: [u8; 4] = [1, 1, 8, 10];

/// A keepalive or window probe repeats one byte by design: no segment was sent needlessly.
const PROBE_BYTES: u32 = 1;

/// The sequence numbers of bytes that came twice, first and behind the last: the first block, where it lies below the
/// acknowledgement, or within the second block (RFC 2883, 4).
#[inline(always)]
pub fn duplicate(options: &[u8], acknowledgment: u32) -> Option<(u32, u32)> {
    let may_be_there = options.len() >= 10 && !(options.len() == 12 && options[..4] == TIMESTAMP_ONLY);
    if may_be_there { in_blocks(options, acknowledgment) } else { None }
}

#[cold]
fn in_blocks(options: &[u8], acknowledgment: u32) -> Option<(u32, u32)> {
    let blocks = find(options)?;
    let mut blocks = blocks.chunks_exact(8).map(|block| {
        let edge = |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        (edge(0), edge(4))
    });
    let (left, right) = blocks.next()?;
    if right.wrapping_sub(left) as i32 <= PROBE_BYTES as i32 {
        return None;
    }
    let is_before = |first: u32, second: u32| (first.wrapping_sub(second) as i32) < 0;
    let came_twice = is_before(left, acknowledgment)
        || blocks.next().is_some_and(|(start, end)| !is_before(left, start) && !is_before(end, right));
    came_twice.then_some((left, right))
}

/// The blocks of option 5.
fn find(mut options: &[u8]) -> Option<&[u8]> {
    loop {
        match *options {
            [] | [0, ..] => return None,
            [1, ref rest @ ..] => options = rest,
            [kind, length, ..] if length >= 2 && usize::from(length) <= options.len() => {
                let (option, rest) = options.split_at(usize::from(length));
                if kind == 5 {
                    return Some(&option[2..]);
                }
                options = rest;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(blocks: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = vec![1, 1, 5, 2 + 8 * blocks.len() as u8];
        for (left, right) in blocks {
            bytes.extend(left.to_be_bytes());
            bytes.extend(right.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn a_first_block_below_the_acknowledgement_is_a_duplicate() {
        // RFC 2883, 4.1.1: data 3000-3499 was sent twice.
        assert_eq!(duplicate(&option(&[(3_000, 3_500)]), 4_000), Some((3_000, 3_500)));
        // Across the wrap of the numbers.
        assert_eq!(duplicate(&option(&[(u32::MAX - 99, 100)]), 200), Some((u32::MAX - 99, 100)));
    }

    #[test]
    fn a_first_block_within_the_second_is_a_duplicate() {
        // RFC 2883, 4.2.1.
        let blocks = option(&[(5_000, 5_500), (4_500, 5_500)]);
        assert_eq!(duplicate(&blocks, 4_000), Some((5_000, 5_500)));
    }

    #[test]
    fn what_came_once_and_early_is_none() {
        assert_eq!(duplicate(&option(&[(5_000, 5_500)]), 4_000), None);
        assert_eq!(duplicate(&option(&[(5_000, 5_500), (6_000, 6_500)]), 4_000), None);
    }

    #[test]
    fn the_answer_to_a_keepalive_is_none() {
        assert_eq!(duplicate(&option(&[(3_999, 4_000)]), 4_000), None);
    }

    #[test]
    fn broken_options_are_none() {
        let whole = option(&[(3_000, 3_500)]);
        for end in 0..whole.len() {
            assert_eq!(duplicate(&whole[..end], 4_000), None, "{end}");
        }
        assert_eq!(duplicate(&[5; 20], 4_000), None);
        assert_eq!(duplicate(&[1; 20], 4_000), None);
    }
}
