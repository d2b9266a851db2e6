//! The value of a unit's first point, as text (60870-5-101, 7.2.6).

use super::asdu::Asdu;
use crate::protocol::operation::{Reader, hex};

/// The first point's value; empty where its type has none.
pub fn of(asdu: &Asdu<'_>) -> String {
    let Some((_, element)) = asdu.elements().next() else { return String::new() };
    read(asdu.kind, Reader(element)).unwrap_or_default()
}

fn read(kind: u8, mut element: Reader<'_>) -> Option<String> {
    let text = match kind {
        1 | 2 | 30 => on_off(element.u8()?).into(),
        3 | 4 | 31 => double(element.u8()?).into(),
        9 | 10 | 21 | 34 => normalized(element.u16_le()?),
        11 | 12 | 35 => (element.u16_le()? as i16).to_string(),
        13 | 14 | 36 => float(element.u32_le()?),
        15 | 16 | 37 => (element.u32_le()? as i32).to_string(),
        45 | 58 => command(element.u8()?, |octet| on_off(octet).into()),
        46 | 59 => command(element.u8()?, |octet| double(octet).into()),
        47 | 60 => command(element.u8()?, |octet| match octet & 3 {
            1 => "lower".into(),
            2 => "higher".into(),
            _ => "not permitted".into(),
        }),
        48 | 61 => set_point(normalized(element.u16_le()?), element),
        49 | 62 => set_point((element.u16_le()? as i16).to_string(), element),
        50 | 63 => set_point(float(element.u32_le()?), element),
        51 | 64 => format!("0x{:08x}", element.u32_le()?),
        100 => match element.u8()? {
            20 => "whole station".into(),
            group @ 21..=36 => format!("group {}", group - 20),
            other => format!("qualifier {other}"),
        },
        101 | 105 | 113 => format!("qualifier {}", element.u8()?),
        103 => time(element)?,
        110 => normalized(element.u16_le()?),
        111 => (element.u16_le()? as i16).to_string(),
        112 => float(element.u32_le()?),
        5..=8 | 32 | 33 | 120..=124 => hex(element.0),
        _ => String::new(),
    };
    Some(text)
}

fn on_off(octet: u8) -> &'static str {
    if octet & 1 == 0 { "off" } else { "on" }
}

fn double(octet: u8) -> &'static str {
    match octet & 3 {
        1 => "off",
        2 => "on",
        0 => "intermediate",
        _ => "indeterminate",
    }
}

/// A fraction of full scale, from -1 to just below 1.
fn normalized(raw: u16) -> String {
    format!("{}", f64::from(raw as i16) / 32_768.0)
}

fn float(raw: u32) -> String {
    format!("{}", f32::from_bits(raw))
}

/// A command selects or executes (7.2.6.26).
fn command(octet: u8, state: impl Fn(u8) -> String) -> String {
    let select = if octet & 0x80 != 0 { "select " } else { "" };
    format!("{select}{}", state(octet))
}

fn set_point(value: String, mut rest: Reader<'_>) -> String {
    match rest.u8() {
        Some(qualifier) if qualifier & 0x80 != 0 => format!("select {value}"),
        _ => value,
    }
}

/// Seven octets of time (7.2.6.18): milliseconds of the minute, then minute, hour, day, month, year.
fn time(mut element: Reader<'_>) -> Option<String> {
    let milliseconds = element.u16_le()?;
    let [minute, hour, day, month, year] = *element.chunk()?;
    let (second, rest) = (milliseconds / 1_000, milliseconds % 1_000);
    Some(format!(
        "20{:02}-{:02}-{:02} {:02}:{:02}:{second:02}.{rest:03}",
        year & 0x7f,
        month & 15,
        day & 31,
        hour & 31,
        minute & 63,
    ))
}
