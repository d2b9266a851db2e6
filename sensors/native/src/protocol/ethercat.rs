//! EtherCAT (IEC 61158-4-12): named and counted, since every cycle has its frames.

use super::FrameMemory;
use super::operation::{Operation, Reader};
use crate::layer2::FrameOutput;
use crate::words::{OperationClass as Class, Service};

pub const ETHER_TYPE: u16 = 0x88a4;

pub fn read(payload: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some(header) = Reader(payload).u16_le() else { return false };
    let (length, kind) = (usize::from(header & 0x07ff), header >> 12);
    let name = match kind {
        1 => "datagrams",
        4 => "network variables",
        5 => "mailbox",
        _ => return false,
    };
    if length + 2 > payload.len() {
        return false;
    }
    FrameMemory::count(out, Service::EtherCat, kind, None, || Operation::new(name, Class::Other));
    true
}
