//! Sampled values (IEC 61850-9-2): measured waves of substations, counted by publisher and stream.

use super::unit;
use crate::layer2::FrameOutput;
use crate::protocol::FrameMemory;
use crate::protocol::operation::ber::{element, unsigned};
use crate::protocol::operation::{Operation, Reader, printable};
use crate::words::{OperationClass as Class, Service};

pub const ETHER_TYPE: u16 = 0x88ba;

pub fn read(payload: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some((application, content)) = unit(payload, 0x60) else { return false };
    let Some((units, stream)) = first_unit(content) else { return false };
    FrameMemory::count(out, Service::SampledValues, (application, stream), Some(units), || {
        Operation::new("publish", Class::Read)
            .on(printable(stream))
            .with(format!("application 0x{application:04x}"))
            .told()
    });
    true
}

/// How many units a frame has, and the identifier of the first.
fn first_unit(content: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = Reader(content);
    let mut units = 1;
    for _ in 0..4 {
        match element(&mut reader)? {
            (0x80, count) => units = unsigned(count)?,
            (0xa2, sequence) => {
                let (0x30, unit) = element(&mut Reader(sequence))? else { return None };
                let (0x80, stream) = element(&mut Reader(unit))? else { return None };
                return Some((units, stream));
            }
            _ => {}
        }
    }
    None
}
