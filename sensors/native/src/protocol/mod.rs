//! Application protocols: the one table of them, and what each has to offer.
//!
//! Adding a protocol is adding a file and a line in `PROTOCOLS`. A protocol is recognised by its structure; its
//! port is a hint. Protocols do not know each other.

mod ads;
mod bacnet;
mod codesys;
mod databases;
mod datagram;
mod dhcp;
mod dhcp6;
mod directory;
mod dnp3;
mod dns;
mod enip;
pub mod ethercat;
mod fins;
mod frame_memory;
mod ge_srtp;
mod hart_ip;
mod http;
mod iec104;
pub mod iec61850;
mod introduction;
mod iso_tcp;
mod lines;
mod loss;
mod melsec;
pub mod modbus;
pub mod mqtt;
mod msrpc;
mod named;
mod netbios;
mod ntlmssp;
mod ntp;
pub mod opcua;
mod operation;
mod ports;
pub mod profinet;
mod profinet_cm;
mod quic;
mod rdp;
mod reading;
mod remote;
mod smb;
mod snmp;
mod ssdp;
mod ssh;
mod syslog;
mod telnet;
mod tls;
mod ua_pubsub;
mod vnc;
mod websocket;

use std::sync::OnceLock;

use crate::anomaly::{AnomalyKind, At, Tally};
use crate::limits::Limits;
use crate::observations::{Observation, Observed};
use crate::tables::Tables;
use crate::transport::{TCP, UDP};
use crate::words::{Confidence, Layer, Service};

pub use frame_memory::FrameMemory;
use loss::Loss;
pub use ports::well_known;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Client,
    Server,
}

impl Role {
    /// Its place in what is kept by side: the client's first.
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Role::Client => 0,
            Role::Server => 1,
        }
    }

    #[inline]
    pub fn other(self) -> Self {
        match self {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        }
    }
}

/// What a protocol is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    /// Every datagram is fed to the parser whole, or as much of it as was captured.
    Udp,
    Both,
}

/// How far a parser is with its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It wants the bytes that come next.
    Reading,
    /// It has seen what it came for: the flow keeps its name, nobody reads on.
    Done,
    /// The bytes that come next are another protocol's, as after an upgrade; the flow keeps its name.
    HandOver,
    /// The flow speaks something else: the name was wrong.
    Wrong,
}

/// Where a parser stands, asked after every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub confidence: Confidence,
    /// The flow's service, where it is a narrower one than the protocol's own.
    pub service: Option<Service>,
    pub progress: Progress,
}

/// What a protocol makes of the first payload that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// How sure the name is; `None` where only more of the conversation can tell.
    pub confidence: Confidence,
    /// Who must have sent this, where its structure says so.
    pub speaker: Option<Role>,
}

impl Recognised {
    /// True where nothing but the port speaks for it.
    fn is_by_port(&self) -> bool {
        self.confidence == Confidence::Port && self.speaker.is_none()
    }
}

/// One application protocol.
pub struct Protocol {
    pub service: Service,
    /// Whose anomalies its own are.
    pub layer: Layer,
    pub transport: Transport,
    /// Server ports that are its own: a hint, never a proof.
    pub ports: &'static [u16],
    /// Looks at one payload; `on_port` where a side of the flow uses the protocol's port.
    pub recognise: fn(payload: &[u8], on_port: bool) -> Option<Recognised>,
    /// A parser for a flow, where messages are read and not only named.
    pub parser: Option<fn(Confidence) -> Box<dyn Parser>>,
}

impl Protocol {
    /// True where it may be spoken over an IP protocol.
    #[inline]
    fn fits(&self, ip_protocol: u8) -> bool {
        match self.transport {
            Transport::Tcp => ip_protocol == TCP,
            Transport::Udp => ip_protocol == UDP,
            Transport::Both => true,
        }
    }

    /// True where one of a flow's ports is its own.
    #[inline]
    fn is_on_port(&self, ports: [u16; 2]) -> bool {
        self.ports.iter().any(|port| ports.contains(port))
    }
}

/// The first protocol that recognises a payload, those whose port it is asked first. Where one of these has nothing but
/// its port to say for it, the structure of any other one wins.
pub fn recognise(
    payload: &[u8],
    ip_protocol: u8,
    ports: [u16; 2],
    accept: impl Fn(&Recognised, bool) -> bool,
) -> Option<(&'static Protocol, Recognised, bool)> {
    let mut by_port = None;
    // Most flows have no protocol's port: they are not asked for it one by one.
    let any = ports.into_iter().any(is_any_protocol_s);
    for on_port in [true, false] {
        if on_port && !any {
            continue;
        }
        for protocol in PROTOCOLS {
            if !protocol.fits(ip_protocol) || (any && protocol.is_on_port(ports) != on_port) {
                continue;
            }
            let Some(recognised) = (protocol.recognise)(payload, on_port) else { continue };
            if !accept(&recognised, on_port) {
                continue;
            }
            if recognised.is_by_port() {
                by_port = by_port.or(Some((protocol, recognised, on_port)));
            } else if by_port.is_none() || recognised.confidence >= Confidence::Structure {
                return Some((protocol, recognised, on_port));
            }
        }
    }
    by_port
}

/// True for a port of any of the protocols.
fn is_any_protocol_s(port: u16) -> bool {
    static PORTS: OnceLock<Box<[u64; 1_024]>> = OnceLock::new();
    let ports = PORTS.get_or_init(|| {
        let mut bits = Box::new([0; 1_024]);
        for port in PROTOCOLS.iter().flat_map(|protocol| protocol.ports) {
            bits[usize::from(*port >> 6)] |= 1 << (port & 63);
        }
        bits
    });
    ports[usize::from(port >> 6)] >> (port & 63) & 1 != 0
}

/// The protocols that are recognised by structure.
pub static PROTOCOLS: &[Protocol] = &[
    modbus::RTU,
    modbus::PROTOCOL,
    modbus::RTU_OVER_UDP,
    modbus::OVER_UDP,
    opcua::PROTOCOL,
    opcua::OVER_WEBSOCKET,
    mqtt::JOINED,
    mqtt::PROTOCOL,
    tls::PROTOCOL,
    ssh::PROTOCOL,
    http::PROTOCOL,
    iso_tcp::PROTOCOL,
    enip::TCP,
    enip::UDP,
    enip::IMPLICIT,
    iec104::PROTOCOL,
    dnp3::TCP,
    dnp3::UDP,
    bacnet::PROTOCOL,
    rdp::PROTOCOL,
    vnc::PROTOCOL,
    smb::PROTOCOL,
    lines::FTP,
    lines::SMTP,
    telnet::PROTOCOL,
    msrpc::PROTOCOL,
    directory::LDAP,
    directory::KERBEROS,
    databases::POSTGRES,
    databases::MYSQL,
    databases::MSSQL,
    syslog::PROTOCOL,
    quic::PROTOCOL,
    tls::DATAGRAMS,
    rdp::DATAGRAMS,
    remote::WIREGUARD,
    remote::OPENVPN,
    remote::OPENVPN_TCP,
    remote::TEAMVIEWER,
    remote::TEAMVIEWER_UDP,
    remote::RADMIN,
    remote::RUSTDESK,
    remote::TAILSCALE,
    remote::STUN,
    remote::IPSEC,
    remote::PPTP,
    remote::L2TP,
    profinet_cm::PROTOCOL,
    fins::TCP,
    fins::UDP,
    melsec::TCP,
    melsec::UDP,
    ads::PROTOCOL,
    hart_ip::TCP,
    hart_ip::UDP,
    ge_srtp::PROTOCOL,
    codesys::PROTOCOL,
    ua_pubsub::PROTOCOL,
    dns::PROTOCOL,
    dns::OVER_TCP,
    dns::MULTICAST,
    dns::LINK_LOCAL,
    dhcp::PROTOCOL,
    dhcp6::PROTOCOL,
    netbios::NAMES,
    netbios::DATAGRAMS,
    snmp::PROTOCOL,
    ntp::PROTOCOL,
    ssdp::PROTOCOL,
];

/// The flow that a parser reads, and where its rows go.
pub struct Output<'a> {
    pub flow_id: u32,
    /// The flow's service so far: by its port, until something better is known.
    pub service: Service,
    /// Another protocol handed the flow over: its name stays.
    pub handed_over: bool,
    /// The connection was closed or reset: nothing will follow.
    pub closed: bool,
    /// Not one packet of the other direction was seen: what is not asked or not answered here may be so there.
    pub one_sided: bool,
    /// The reader's layer.
    pub layer: Layer,
    pub client_ip: &'a [u8; 16],
    pub server_ip: &'a [u8; 16],
    pub client_port: u16,
    pub server_port: u16,
    pub tables: &'a mut Tables,
    pub tally: &'a mut Tally,
    pub limits: &'a Limits,
    pub counts: &'a mut Counts,
    pub observed: &'a mut Observed,
    /// What the aliases of Sparkplug metrics stand for, whichever flow told it.
    pub sparkplug: &'a mut mqtt::Names,
}

impl Output<'_> {
    /// Writes an anomaly of the flow, within the limit of its kind.
    pub fn anomaly(&mut self, kind: AnomalyKind, at: At, detail: &dyn Fn() -> String) {
        if self.tally.admit(kind, self.limits.anomalies_per_flow_kind) {
            let rows = &mut self.tables.anomalies;
            crate::anomaly::push(rows, kind, self.layer, at, Some(self.flow_id), &detail());
        }
    }

    /// A request is given up for one that has no room otherwise; `waiting` of them wait, and are `what`. Where the
    /// answers cannot be seen nothing is odd about that.
    pub fn give_up_request(&mut self, what: &str, waiting: usize, at: At) {
        self.counts.evicted_requests += 1;
        if self.one_sided {
            return;
        }
        self.anomaly(AnomalyKind::PendingLimit, at, &|| {
            format!("{waiting} {what} wait: the oldest was given up")
        });
    }

    /// Writes what the flow tells of a device.
    pub fn observe(&mut self, seen: &Observation<'_>, at: At) {
        let rows = &mut self.tables.observations;
        self.observed.note(seen, at, Some(self.flow_id), self.limits, rows);
    }
}

/// Counts of a whole capture that no table has.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub modbus_messages: u64,
    /// Frames that completed more than one Modbus message.
    pub modbus_frames_multi_pdu: u64,
    /// MBAP headers whose protocol identifier is not 0.
    pub modbus_bad_protocol_id: u64,
    /// Bytes of Modbus streams that were skipped to find the next header.
    pub modbus_skipped_bytes: u64,
    /// Modbus requests of all flows that wait for a response.
    pub waiting_requests: modbus::WaitingRequests,
    /// MQTT control packets by type, in the order of their numbers.
    pub mqtt_packets: [u64; mqtt::PacketType::COUNT],
    /// Frames that completed more than one MQTT packet.
    pub mqtt_frames_multi_packet: u64,
    /// Bytes of MQTT streams that were skipped to find the next packet.
    pub mqtt_skipped_bytes: u64,
    /// Bytes held for all MQTT flows now.
    pub mqtt_held_bytes: u64,
    /// Things of MQTT flows that had no room.
    pub mqtt_not_held: u64,
    pub opcua_messages: u64,
    /// Frames that completed more than one OPC UA chunk.
    pub opcua_frames_multi_pdu: u64,
    /// Bytes of OPC UA streams that were skipped to find the next header.
    pub opcua_skipped_bytes: u64,
    /// OPC UA messages of which the rest was not kept, and watched nodes that were given up, for their limits.
    pub opcua_given_up: u64,
    /// OPC UA requests of all flows that wait for a response.
    pub opcua_waiting: u64,
    /// Bytes that OPC UA keeps for all flows.
    pub opcua_held_bytes: u64,
    /// Bytes that introductions of all flows keep until they are whole.
    pub introduction_bytes: u64,
    /// Introductions that were not read to their end for want of room.
    pub introductions_given_up: u64,
    /// Operations of all flows that wait for an answer.
    pub operations_waiting: u64,
    /// Bytes of messages not yet whole, of all flows whose operations are read.
    pub operation_bytes_kept: u64,
    /// Messages of these flows that were cut for want of room.
    pub operation_messages_cut: u64,
    /// Requests of any protocol that were given up for lack of room, since the coverage was last told.
    pub evicted_requests: u64,
}

/// Reads the two streams of one flow. No clock, no socket, no setting: bytes and their times in, rows out.
pub trait Parser: Send + Sync {
    /// The next bytes of one side's stream.
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>);
    /// Bytes of one side's stream are missing here; 0 where the stream was joined in its middle.
    fn gap(&mut self, from: Role, length: u64);
    /// The other side goes on to speak after bytes of this side that were not seen up to now: what it says next may
    /// answer them. A `gap` follows where they stay unseen.
    fn unseen(&mut self, _from: Role) {}
    /// Time has passed: gives up what waited too long.
    fn expire(&mut self, now: i64, out: &mut Output<'_>);
    /// The flow is over, or this parser's part in it; `capture_ended` where only the capture is.
    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>);
    /// How sure it is that the flow speaks this protocol; `None` while nothing may be said of it.
    fn confidence(&self) -> Confidence;
    /// How far it is.
    fn progress(&self) -> Progress;
    /// Reads a little of everything that the next bytes need; the value means nothing. It brings the parser into the
    /// processor's caches ahead of time.
    fn glance(&self) -> u64 {
        0
    }
    /// The flow's service, where it is a narrower one than the protocol's own.
    fn service(&self) -> Option<Service> {
        None
    }
    /// The three above at once: one call that the compiler cannot see through instead of three.
    fn standing(&self) -> Standing {
        Standing { confidence: self.confidence(), service: self.service(), progress: self.progress() }
    }
}
