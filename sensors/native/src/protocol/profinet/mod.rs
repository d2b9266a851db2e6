//! PROFINET without IP (IEC 61158-6-10, 4.2 and 4.3): DCP names devices, cyclic frames are counted.

mod block;

use super::FrameMemory;
use super::operation::{Answer, Listed, Operation, Reader};
use crate::layer2::FrameOutput;
use crate::words::{OperationClass as Class, Service};
use block::Blocks;

pub const ETHER_TYPE: u16 = 0x8892;

const HELLO: u8 = 6;
const IDENTIFY: u8 = 5;
const SET: u8 = 4;
const GET: u8 = 3;

/// Reads a frame behind its Ethernet type.
pub fn read(payload: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let mut reader = Reader(payload);
    let Some(id) = reader.u16_be() else { return false };
    match id {
        0xfefc..=0xfeff => return dcp(id, reader, out).is_some(),
        _ => {
            let (name, class) = named(id);
            let Some(name) = name else { return false };
            // One provider's frames of one kind are one row a minute.
            FrameMemory::count(out, Service::Profinet, id, None, || {
                Operation::new(name, class).on(format!("frame id 0x{id:04x}")).told()
            });
        }
    }
    true
}

/// Frame identifiers (IEC 61158-6-10, table of FrameID).
fn named(id: u16) -> (Option<&'static str>, Class) {
    match id {
        0x0000..=0x00ff => (Some("clock"), Class::Session),
        0x0100..=0x7fff => (Some("real time class 3"), Class::Read),
        0x8000..=0xbfff => (Some("real time class 1"), Class::Read),
        0xc000..=0xfbff => (Some("real time class 2"), Class::Read),
        0xfc01 => (Some("alarm high"), Class::Read),
        0xfe01 => (Some("alarm low"), Class::Read),
        0xfe02 => (Some("remote service"), Class::Other),
        0xff00..=0xff43 => (Some("clock"), Class::Session),
        0xff80..=0xff8f => (Some("fragment"), Class::Other),
        _ => (None, Class::Other),
    }
}

fn dcp(id: u16, mut reader: Reader<'_>, out: &mut FrameOutput<'_>) -> Option<()> {
    let (service, kind) = (reader.u8()?, reader.u8()?);
    let transaction = reader.u32_be()?;
    reader.skip(2)?;
    let length = usize::from(reader.u16_be()?);
    let body = reader.up_to(length);
    let fits = match id {
        0xfefc => service == HELLO && kind == 0,
        0xfefd => matches!(service, GET | SET) && matches!(kind, 0 | 1 | 5),
        0xfefe => service == IDENTIFY && kind == 0,
        _ => service == IDENTIFY && kind == 1,
    };
    if !fits {
        return None;
    }
    let key = u64::from(transaction) << 8 | u64::from(service);
    let describe = |blocks: &Blocks| {
        let (name, class) = match service {
            HELLO => ("hello", Class::Discover),
            IDENTIFY => ("identify", Class::Discover),
            SET => (blocks.set_name(), blocks.set_class()),
            _ => ("get", Class::Read),
        };
        Operation::new(name, class)
    };
    match (service, kind) {
        (HELLO, _) => {
            let blocks = block::read(body, block::Form::Told);
            blocks.observe(out.link.source_mac, out);
            let operation = describe(&blocks).on(blocks.text()).told();
            FrameMemory::tell(out, Service::Profinet, operation);
        }
        (IDENTIFY, 0) => {
            let blocks = block::read(body, block::Form::Filter);
            FrameMemory::ask(out, Service::Profinet, key, describe(&blocks).on(blocks.text()));
        }
        (GET, 0) => {
            let mut names = Listed::default();
            for pair in body.chunks_exact(2) {
                names.push(&block::name(pair[0], pair[1]));
            }
            let operation = describe(&Blocks::default()).on(names.into_text());
            FrameMemory::ask(out, Service::Profinet, key, operation);
        }
        (_, 0) => {
            let blocks = block::read(body, block::Form::Set);
            let mut operation = describe(&blocks).on(blocks.names());
            operation.value = blocks.text();
            FrameMemory::ask(out, Service::Profinet, key, operation);
        }
        (SET, 1) => {
            // A control block says of each block whether it was set.
            let error = block::refused(body);
            let answer = Answer { error: error.map(u32::from), ..Answer::default() };
            FrameMemory::answer(out, Service::Profinet, key, &answer, || describe(&Blocks::default()));
        }
        (_, 1) => {
            let blocks = block::read(body, block::Form::Told);
            blocks.observe(out.link.source_mac, out);
            let answer = Answer { value: blocks.text(), ..Answer::default() };
            FrameMemory::answer(out, Service::Profinet, key, &answer, || describe(&blocks));
        }
        _ => {
            let answer = Answer { error: Some(5), detail: "not supported".into(), ..Answer::default() };
            FrameMemory::answer(out, Service::Profinet, key, &answer, || describe(&Blocks::default()));
        }
    }
    Some(())
}
