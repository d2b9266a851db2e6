//! Microsoft RPC: the interfaces that a client binds to (C706, 12.6.4.3; [MS-RPCE], 2.2.2; [MS-DCOM]; OPC Foundation,
//! "OPC Data Access Custom Interface Standard").

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::Fields;
use super::{Output, Protocol, Recognised, Role, Transport, ntlmssp};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::MsRpc,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[135],
    recognise,
    parser: Some(|_| Reading::boxed(MsRpc::default(), Confidence::Structure)),
};

const HEADER: usize = 16;

mod kind {
    pub const REQUEST: u8 = 0;
    pub const RESPONSE: u8 = 2;
    pub const FAULT: u8 = 3;
    pub const BIND: u8 = 11;
    pub const BIND_ACK: u8 = 12;
    pub const BIND_NAK: u8 = 13;
    pub const ALTER_CONTEXT: u8 = 14;
    pub const ALTER_CONTEXT_RESPONSE: u8 = 15;
    pub const AUTH_3: u8 = 16;
}

/// Interfaces of one bind that are looked at.
const CONTEXTS_LIMIT: usize = 16;

/// Calls after which nobody binds to anything new.
const CALLS_LIMIT: u32 = 32;

/// Interfaces by their UUID: those that run programs, change services or are OPC.
const INTERFACES: &[(u128, &str)] = &[
    (0x00000131_0000_0000_c000_000000000046, "DCOM IRemUnknown"),
    (0x00000143_0000_0000_c000_000000000046, "DCOM IRemUnknown2"),
    (0x000001a0_0000_0000_c000_000000000046, "DCOM activation"),
    (0x12345678_1234_abcd_ef00_0123456789ab, "spoolss"),
    (0x12345678_1234_abcd_ef00_01234567cffb, "netlogon"),
    (0x12345778_1234_abcd_ef00_0123456789ab, "lsarpc"),
    (0x12345778_1234_abcd_ef00_0123456789ac, "samr"),
    (0x13486d50_4821_11d2_a494_3cb306c10000, "OPC server list"),
    (0x1ff70682_0a51_30e8_076d_740be8cee98b, "atsvc (tasks)"),
    (0x338cd001_2244_31f1_aaaa_900038001003, "winreg (registry)"),
    (0x367abb81_9844_35f1_ad32_98f038001003, "svcctl (services)"),
    (0x39c13a4d_011e_11d0_9675_0020afd8adb3, "OPC DA server"),
    (0x39c13a4f_011e_11d0_9675_0020afd8adb3, "OPC DA browse"),
    (0x39c13a50_011e_11d0_9675_0020afd8adb3, "OPC DA group state"),
    (0x39c13a52_011e_11d0_9675_0020afd8adb3, "OPC DA synchronous I/O"),
    (0x39c13a54_011e_11d0_9675_0020afd8adb3, "OPC DA items"),
    (0x39c13a70_011e_11d0_9675_0020afd8adb3, "OPC DA callback"),
    (0x39c13a71_011e_11d0_9675_0020afd8adb3, "OPC DA asynchronous I/O"),
    (0x4b324fc8_1670_01d3_1278_5a47bf6ee188, "srvsvc (shares)"),
    (0x6bffd098_a112_3610_9833_46c3f87e345a, "wkssvc (workstation)"),
    (0x86d35949_83c9_4044_b424_db363231fd0c, "task scheduler"),
    (0x9556dc99_828c_11cf_a37e_00aa003240c7, "WMI services"),
    (0x99fcfec4_5260_101b_bbcb_00aa0021347a, "DCOM object exporter"),
    (0x9dd0b56c_ad9e_43ee_8305_487f3188bf7a, "OPC server list 2"),
    (0xe1af8308_5d1f_11c9_91a4_08002b14a0fa, "endpoint mapper"),
    (0xe3514235_4b06_11d1_ab04_00c04fc2dcd2, "drsuapi (directory replication)"),
    (0xf309ad18_d86a_11d0_a075_00c04fb68820, "WMI login"),
    (0xf31dfde2_07b6_11d2_b2d8_0060083ba1fb, "OPC common"),
];

struct Header {
    kind: u8,
    /// Of the whole fragment.
    length: usize,
    little: bool,
    /// Of the token at its end.
    token: usize,
}

fn header(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; HEADER] = bytes.first_chunk()?;
    let [5, 0 | 1, kind @ 0..=19, _, representation @ (0x10 | 0x00), 0, 0, 0, lengths @ ..] = *header else {
        return None;
    };
    let little = representation == 0x10;
    let number = |at: usize| {
        let pair = [lengths[at], lengths[at + 1]];
        usize::from(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let (length, token) = (number(0), number(2));
    (length >= HEADER && token + HEADER <= length).then_some(Header { kind, length, little, token })
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let header = header(payload)?;
    let speaker = match header.kind {
        kind::BIND | kind::ALTER_CONTEXT if header.length >= 72 => Role::Client,
        kind::BIND_ACK | kind::ALTER_CONTEXT_RESPONSE if header.length >= 48 => Role::Server,
        kind::REQUEST if on_port || header.length == payload.len() => Role::Client,
        kind::RESPONSE | kind::FAULT if on_port || header.length == payload.len() => Role::Server,
        _ => return None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

#[derive(Default)]
struct MsRpc {
    calls: u32,
}

impl Dialogue for MsRpc {
    const SOURCE: Option<crate::words::ObservationSource> = None;
    const SERVICE: Service = Service::MsRpc;

    fn read(
        &mut self,
        _from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        if bytes.len() < HEADER {
            return if bytes.iter().zip([5]).all(|(byte, like)| *byte == like) {
                Step::More
            } else {
                Step::Wrong
            };
        }
        let Some(header) = header(bytes) else { return Step::Wrong };
        if matches!(header.kind, kind::REQUEST | kind::RESPONSE | kind::FAULT) {
            self.calls += 1;
            if header.kind == kind::RESPONSE && !said.user.is_empty() {
                said.login = Some(Login::Yes);
            }
            return if self.calls > CALLS_LIMIT { Step::Done } else { Step::Skip(header.length as u64) };
        }
        let Some(fragment) = bytes.get(..header.length) else { return Step::More };
        match header.kind {
            kind::BIND | kind::ALTER_CONTEXT => {
                interfaces(&fragment[HEADER..], header.little, said);
            }
            kind::BIND_NAK => said.remark("bind refused"),
            _ => {}
        }
        if header.token > 0 && matches!(header.kind, kind::BIND | kind::BIND_ACK | kind::AUTH_3) {
            ntlmssp::read_within(&fragment[header.length - header.token..], said);
        }
        Step::Read(header.length)
    }
}

/// The presentation contexts of a bind (C706, 12.6.3.1).
fn interfaces(body: &[u8], little: bool, said: &mut Introduction) -> Option<()> {
    let mut fields = Fields(body);
    fields.take(8)?;
    let count = fields.u8()?;
    fields.take(3)?;
    for _ in 0..usize::from(count).min(CONTEXTS_LIMIT) {
        fields.take(2)?;
        let transfers = fields.u8()?;
        fields.take(1)?;
        let uuid = fields.array::<16>()?;
        fields.take(4)?;
        fields.take(usize::from(transfers) * 20)?;
        let number = uuid_number(uuid, little);
        match INTERFACES.binary_search_by_key(&number, |entry| entry.0) {
            Ok(place) => {
                let name = INTERFACES[place].1;
                if name.starts_with("OPC") {
                    said.service = Some(Service::OpcDa);
                }
                said.remark(format!("interface {name}"));
            }
            Err(_) => said.remark(format!("interface {}", uuid_text(number))),
        }
    }
    Some(())
}

/// A UUID's digits: its first three fields are in the sender's byte order (C706, 14.1).
fn uuid_number(bytes: &[u8; 16], little: bool) -> u128 {
    let mut ordered = *bytes;
    if little {
        ordered[..4].reverse();
        ordered[4..6].reverse();
        ordered[6..8].reverse();
    }
    u128::from_be_bytes(ordered)
}

fn uuid_text(number: u128) -> String {
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interfaces_are_sorted_so_that_they_can_be_searched() {
        assert!(INTERFACES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_uuid_is_read_in_the_sender_s_byte_order() {
        let svcctl = *b"\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\x00\x10\x03";
        assert_eq!(uuid_text(uuid_number(&svcctl, true)), "367abb81-9844-35f1-ad32-98f038001003");
    }
}
