//! Metrics of a Sparkplug B payload: name or alias, datatype, value as text (Sparkplug 3.0, 6.4).

use super::protobuf::{Fields, Value};
use crate::protocol::mqtt::reader::text;

/// Bytes of a metric's name, and of a text value, that are kept.
pub const TEXT_KEPT: usize = 256;

/// Datatypes by number (6.4).
const DATATYPES: [&str; 35] = [
    "Unknown",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float",
    "Double",
    "Boolean",
    "String",
    "DateTime",
    "Text",
    "UUID",
    "DataSet",
    "Bytes",
    "File",
    "Template",
    "PropertySet",
    "PropertySetList",
    "Int8Array",
    "Int16Array",
    "Int32Array",
    "Int64Array",
    "UInt8Array",
    "UInt16Array",
    "UInt32Array",
    "UInt64Array",
    "FloatArray",
    "DoubleArray",
    "BooleanArray",
    "StringArray",
    "DateTimeArray",
];

/// The name of a datatype; empty where it is not known.
pub fn datatype_name(datatype: Option<u8>) -> &'static str {
    datatype.and_then(|number| DATATYPES.get(usize::from(number))).copied().unwrap_or("")
}

/// A metric's value as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held<'a> {
    Missing,
    Null,
    Int(u32),
    Long(u64),
    Float(f32),
    Double(f64),
    Boolean(bool),
    Text(&'a [u8]),
    Bytes(usize),
    /// A data set, a template, an extension.
    Structure(&'static str),
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric<'a> {
    pub name: &'a [u8],
    pub alias: Option<u64>,
    pub datatype: Option<u8>,
    pub value: Held<'a>,
    /// What is written in it cannot be read to its end.
    pub broken: bool,
}

/// Reads the message inside field 2 of a payload.
pub fn read(message: &[u8]) -> Metric<'_> {
    let mut metric = Metric { name: &[], alias: None, datatype: None, value: Held::Missing, broken: false };
    let mut fields = Fields::of(message);
    for (number, value) in fields.by_ref() {
        match (number, value) {
            (1, Value::Bytes(name)) => metric.name = name,
            (2, Value::Varint(alias)) => metric.alias = Some(alias),
            (4, Value::Varint(datatype)) => metric.datatype = u8::try_from(datatype).ok(),
            (7, Value::Varint(1..)) => metric.value = Held::Null,
            (10, Value::Varint(number)) => metric.value = Held::Int(number as u32),
            (11, Value::Varint(number)) => metric.value = Held::Long(number),
            (12, Value::Fixed32(bits)) => metric.value = Held::Float(f32::from_bits(bits)),
            (13, Value::Fixed64(bits)) => metric.value = Held::Double(f64::from_bits(bits)),
            (14, Value::Varint(number)) => metric.value = Held::Boolean(number != 0),
            (15, Value::Bytes(bytes)) => metric.value = Held::Text(bytes),
            (16, Value::Bytes(bytes)) => metric.value = Held::Bytes(bytes.len()),
            (17, Value::Bytes(_)) => metric.value = Held::Structure("dataset"),
            (18, Value::Bytes(_)) => metric.value = Held::Structure("template"),
            (19, Value::Bytes(_)) => metric.value = Held::Structure("extension"),
            _ => {}
        }
    }
    metric.broken = fields.broken;
    metric
}

impl Held<'_> {
    /// The number inside, where there is one.
    pub fn number(&self) -> Option<u64> {
        match *self {
            Held::Int(number) => Some(u64::from(number)),
            Held::Long(number) => Some(number),
            _ => None,
        }
    }

    /// As text; negative numbers are written as two's complement and need their datatype (6.4).
    pub fn as_text(&self, datatype: Option<u8>) -> String {
        match *self {
            Held::Missing => String::new(),
            Held::Null => "null".to_owned(),
            Held::Int(number) => match datatype {
                Some(1) => (number as i8).to_string(),
                Some(2) => (number as i16).to_string(),
                Some(3) => (number as i32).to_string(),
                _ => number.to_string(),
            },
            Held::Long(number) => match datatype {
                Some(4) => (number as i64).to_string(),
                _ => number.to_string(),
            },
            Held::Float(number) => number.to_string(),
            Held::Double(number) => number.to_string(),
            Held::Boolean(state) => state.to_string(),
            Held::Text(bytes) => text(bytes, TEXT_KEPT).into_owned(),
            Held::Bytes(length) => format!("{length} bytes"),
            Held::Structure(kind) => kind.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_are_read_by_their_datatype() {
        assert_eq!(Held::Int(0xff).as_text(Some(1)), "-1");
        assert_eq!(Held::Int(0xffff_fffe).as_text(Some(3)), "-2");
        assert_eq!(Held::Long(u64::MAX).as_text(Some(4)), "-1");
        assert_eq!(Held::Long(u64::MAX).as_text(Some(8)), "18446744073709551615");
    }

    #[test]
    fn a_metric_with_name_alias_type_and_value() {
        let metric = read(b"\x0a\x04Temp\x10\x07\x20\x0a\x69\0\0\0\0\0\x80\x36\x40");
        assert_eq!((metric.name, metric.alias, metric.datatype), (&b"Temp"[..], Some(7), Some(10)));
        assert_eq!(metric.value.as_text(metric.datatype), "22.5");
        assert_eq!(datatype_name(metric.datatype), "Double");
        assert!(!metric.broken);
    }

    #[test]
    fn a_null_has_no_value_and_an_unknown_datatype_no_name() {
        assert_eq!(read(b"\x38\x01").value, Held::Null);
        assert_eq!(datatype_name(Some(35)), "");
    }
}
