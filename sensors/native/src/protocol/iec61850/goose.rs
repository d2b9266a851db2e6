//! GOOSE (IEC 61850-8-1, 18 and annex A): events of substations, counted by publisher and control block.

use super::unit;
use crate::layer2::FrameOutput;
use crate::protocol::FrameMemory;
use crate::protocol::operation::ber::{element, unsigned};
use crate::protocol::operation::{Operation, Reader, printable};
use crate::words::{OperationClass as Class, Service};

pub const ETHER_TYPE: u16 = 0x88b8;

/// Elements of one frame that are looked at.
const ELEMENTS: usize = 16;

pub fn read(payload: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some((application, content)) = unit(payload, 0x61) else { return false };
    let (mut block, mut set, mut test): (&[u8], &[u8], bool) = (&[], &[], false);
    let mut values = None;
    let mut reader = Reader(content);
    for _ in 0..ELEMENTS {
        let Some((tag, value)) = element(&mut reader) else { break };
        match tag {
            0x80 => block = value,
            0x82 => set = value,
            0x87 => test = value.first().is_some_and(|flag| *flag != 0),
            0x8a => values = unsigned(value),
            _ => {}
        }
    }
    if block.is_empty() {
        return false;
    }
    FrameMemory::count(out, Service::Goose, (application, block, test), values, || {
        let test = if test { ", test" } else { "" };
        Operation::new("publish", Class::Other)
            .on(printable(block))
            .with(format!("application 0x{application:04x}, data set {}{test}", printable(set)))
    });
    true
}
