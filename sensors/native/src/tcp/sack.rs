//! Selective acknowledgements in; whether the peer got the same bytes twice, out (RFC 2018, RFC 2883).

/// TCP options with nothing in them but a timestamp, in the usual order: no use in looking further.
const TIMESTAMP_ONLY: [u8; 4] = [1, 1, 8, 10];

/// A keepalive or window probe repeats one byte by design: no segment was sent needlessly.
const PROBE_BYTES: u32 = 1;

/// True where the first block says that bytes came twice: it lies below the acknowledgement, or within the second
/// block (RFC 2883, 4).
#[inline(always)]
pub fn reports_duplicate(options: &[u8], acknowledgment: u32) -> bool {
    let may_be_there = options.len() >= 10 && !(options.len() == 12 && options[..4] == TIMESTAMP_ONLY);
    may_be_there && in_blocks(options, acknowledgment)
}

#[cold]
fn in_blocks(options: &[u8], acknowledgment: u32) -> bool {
    let Some(blocks) = find(options) else { return false };
    let mut blocks = blocks.chunks_exact(8).map(|block| {
        let edge = |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        (edge(0), edge(4))
    });
    let Some((left, right)) = blocks.next() else { return false };
    if right.wrapping_sub(left) as i32 <= PROBE_BYTES as i32 {
        return false;
    }
    let is_before = |first: u32, second: u32| (first.wrapping_sub(second) as i32) < 0;
    if is_before(left, acknowledgment) {
        return true;
    }
    blocks.next().is_some_and(|(start, end)| !is_before(left, start) && !is_before(end, right))
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
        assert!(reports_duplicate(&option(&[(3_000, 3_500)]), 4_000));
        // Across the wrap of the numbers.
        assert!(reports_duplicate(&option(&[(u32::MAX - 99, 100)]), 200));
    }

    #[test]
    fn a_first_block_within_the_second_is_a_duplicate() {
        // RFC 2883, 4.2.1.
        assert!(reports_duplicate(&option(&[(5_000, 5_500), (4_500, 5_500)]), 4_000));
    }

    #[test]
    fn what_came_once_and_early_is_none() {
        assert!(!reports_duplicate(&option(&[(5_000, 5_500)]), 4_000));
        assert!(!reports_duplicate(&option(&[(5_000, 5_500), (6_000, 6_500)]), 4_000));
    }

    #[test]
    fn the_answer_to_a_keepalive_is_none() {
        assert!(!reports_duplicate(&option(&[(3_999, 4_000)]), 4_000));
    }

    #[test]
    fn broken_options_are_none() {
        let whole = option(&[(3_000, 3_500)]);
        for end in 0..whole.len() {
            assert!(!reports_duplicate(&whole[..end], 4_000), "{end}");
        }
        assert!(!reports_duplicate(&[5; 20], 4_000));
        assert!(!reports_duplicate(&[1; 20], 4_000));
    }
}
