//! Frames of WebSocket (RFC 6455, 5.2).

/// Bytes as a frame, masked from the client; a last one, or one that another goes on.
pub fn wrapped(side: usize, is_last: bool, bytes: &[u8]) -> Vec<u8> {
    let first = if is_last { 0x82 } else { 0x02 };
    let masked = if side == 0 { 0x80 } else { 0 };
    // A length is as short as it can be.
    let mut frame = match bytes.len() {
        short @ ..126 => vec![first, masked | short as u8],
        long => [&[first, masked | 126][..], &(long as u16).to_be_bytes()].concat(),
    };
    if side == 0 {
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(bytes.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    } else {
        frame.extend(bytes);
    }
    frame
}
