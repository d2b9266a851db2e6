//! Object headers of an application fragment (IEEE 1815, 4.2.2.7 and 11): groups, ranges, the commands among them.

use std::fmt::Write as _;

use super::file;
use crate::protocol::operation::{Listed, Reader};

/// What the objects of a fragment say.
#[derive(Debug, Default)]
pub struct Objects {
    pub text: String,
    /// Values of the first command.
    pub value: String,
    pub quantity: Option<u32>,
    /// Status of the first command that was refused.
    pub failed: Option<u8>,
}

/// Headers of one fragment that are looked at.
const HEADERS: usize = 32;

/// Functions whose objects come without data.
fn is_bare(code: u8) -> bool {
    matches!(code, 1 | 7..=12 | 20..=22)
}

/// Bytes of an object; `None` where its data is packed or of another length. Enough to pass commands, times and
/// the commonest values.
fn size(group: u8, variation: u8) -> Option<usize> {
    let size = match (group, variation) {
        (1 | 3 | 10, 2) | (2, 1) | (4, 1) | (11, 1) => 1,
        (2 | 4, 2) => 7,
        (2 | 4, 3) => 3,
        (12, 1) => 11,
        (20 | 21, 1) => 5,
        (20, 2) | (22, 2) => 3,
        (20, 5) => 4,
        (20, 6) => 2,
        (22, 1) => 5,
        (30, 1) => 5,
        (30, 2) => 3,
        (30, 3) => 4,
        (30, 4) => 2,
        (30, 5) => 5,
        (30, 6) => 9,
        (32, 1 | 5) => 5,
        (32, 2) => 3,
        (32, 3 | 7) => 11,
        (32, 4) => 9,
        (40, 1 | 3) => 5,
        (40, 2) => 3,
        (41, 1 | 3) => 5,
        (41, 2) => 3,
        (41, 4) => 9,
        (50, 1 | 3) | (51, 1 | 2) => 6,
        (50, 2) => 10,
        (52, 1 | 2) => 2,
        _ => return None,
    };
    Some(size)
}

/// Reads the headers as far as the objects between them can be passed.
pub fn list(code: u8, mut reader: Reader<'_>) -> Objects {
    let mut objects = Objects::default();
    let mut texts = Listed::default();
    for _ in 0..HEADERS {
        if reader.is_empty() || header(code, &mut reader, &mut objects, &mut texts).is_none() {
            break;
        }
    }
    objects.text = texts.into_text();
    objects
}

fn header(code: u8, reader: &mut Reader<'_>, objects: &mut Objects, texts: &mut Listed) -> Option<()> {
    let [group, variation, qualifier] = *reader.chunk()?;
    let mut text = format!("g{group}v{variation}");
    // Bytes of an index or a size before each object.
    let prefix = match qualifier >> 4 & 7 {
        0 => 0,
        1 | 4 => 1,
        2 | 5 => 2,
        3 | 6 => 4,
        _ => return None,
    };
    let (first, count) = match qualifier & 15 {
        0 => range(u32::from(reader.u8()?), u32::from(reader.u8()?)),
        1 => range(u32::from(reader.u16_le()?), u32::from(reader.u16_le()?)),
        2 => range(reader.u32_le()?, reader.u32_le()?),
        6 => (None, None),
        7 => (None, Some(u32::from(reader.u8()?))),
        8 => (None, Some(u32::from(reader.u16_le()?))),
        9 => (None, Some(reader.u32_le()?)),
        11 => (None, Some(u32::from(reader.u8()?))),
        _ => return None,
    };
    if let (Some(first), Some(count)) = (first, count) {
        let _ = match count {
            1 => write!(text, " {first}"),
            _ => write!(text, " {first} to {}", u64::from(first) + u64::from(count) - 1),
        };
    }
    if let Some(count) = count {
        objects.quantity = Some(objects.quantity.unwrap_or(0).saturating_add(count));
    }
    let mut left = if is_bare(code) && prefix == 0 { 0 } else { count.unwrap_or(0) };
    let mut indices = 0;
    // A packed bit each: states and clear-restart writes.
    if left > 0 && prefix == 0 && matches!((group, variation), (1 | 3 | 10, 1) | (80, 1)) {
        reader.skip((left as usize).div_ceil(8))?;
        left = 0;
    }
    let mut whole = true;
    while left > 0 {
        left -= 1;
        let index = reader.take(prefix)?;
        let index = index.iter().rev().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        let sized = matches!(qualifier >> 4 & 7, 4..=6);
        if prefix > 0 && !sized && indices < 8 {
            let _ = write!(text, "{} {index}", if indices == 0 { "" } else { "," });
            indices += 1;
        }
        let length = match size(group, variation) {
            _ if is_bare(code) => 0,
            // Before each object stands its size.
            _ if sized => index as usize,
            // Octet strings: the variation is their length. Of no length at all they never come to an end.
            None if matches!(group, 110 | 111) && variation > 0 => usize::from(variation),
            Some(length) => length,
            None => {
                whole = false;
                break;
            }
        };
        command(group, variation, Reader(reader.take(length)?), objects);
    }
    let goes_on = texts.push(&text);
    (whole && goes_on).then_some(())
}

/// The first index and how many there are.
fn range(first: u32, last: u32) -> (Option<u32>, Option<u32>) {
    (Some(first), last.checked_sub(first).and_then(|span| span.checked_add(1)))
}

/// Commands and files say what they do, and in an answer what became of it.
fn command(group: u8, variation: u8, mut data: Reader<'_>, objects: &mut Objects) -> Option<()> {
    let value = match (group, variation) {
        (12, 1) => {
            let (control, count) = (data.u8()?, data.u8()?);
            let (on, off) = (data.u32_le()?, data.u32_le()?);
            let action = match control & 15 {
                0 => "none",
                1 => "pulse on",
                2 => "pulse off",
                3 => "latch on",
                4 => "latch off",
                _ => "undefined",
            };
            let side = match control >> 6 {
                1 => " close",
                2 => " trip",
                _ => "",
            };
            format!("{action}{side}, count {count}, on {on} ms, off {off} ms")
        }
        (41, 1) => (data.u32_le()? as i32).to_string(),
        (41, 2) => (data.u16_le()? as i16).to_string(),
        (41, 3) => f32::from_bits(data.u32_le()?).to_string(),
        (41, 4) => f64::from_bits(data.u64_le()?).to_string(),
        (50, 1 | 3) => {
            let low = u64::from(data.u32_le()?);
            format!("{} ms", low | u64::from(data.u16_le()?) << 32)
        }
        (70, _) => file::show(variation, data)?,
        _ => return None,
    };
    if objects.value.is_empty() {
        objects.value = value;
    }
    if !matches!(group, 50 | 70) {
        let status = data.u8()? & 0x7f;
        if status != 0 {
            objects.failed.get_or_insert(status);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_commands_are_told() {
        let read = list(1, Reader(&[60, 2, 6, 60, 3, 6, 30, 0, 0, 3, 9]));
        assert_eq!((read.text.as_str(), read.quantity), ("g60v2, g60v3, g30v0 3 to 9", Some(7)));
        let operate = [12, 1, 0x28, 1, 0, 7, 0, 3, 1, 100, 0, 0, 0, 100, 0, 0, 0, 4];
        let objects = list(5, Reader(&operate));
        assert_eq!(objects.text, "g12v1 7");
        assert_eq!(objects.value, "latch on, count 1, on 100 ms, off 100 ms");
        assert_eq!(objects.failed, Some(4));
    }

    /// Four thousand million objects of no length are not looked at one by one.
    #[test]
    fn objects_without_a_length_take_no_time() {
        let began = cpu_time::ThreadTime::now();
        for _ in 0..1_000 {
            let all = list(129, Reader(&[110, 0, 2, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]));
            assert_eq!(all.text, "g110v0 0 to 4294967294");
            list(129, Reader(&[111, 0, 9, 0xff, 0xff, 0xff, 0xff]));
        }
        assert!(began.elapsed().as_secs_f64() < 1.0);
    }
}
