//! What a flow hears from its TCP connection, and what it makes of it: roles, service, rows.

use super::{Core, Early, Roles, Shared, Waiting};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{
    Output, Parser, Progress, Protocol, Recognised, Role, Standing, recognise, well_known,
};
use crate::tables::{FlowStartRow, ROW, RttRow};
use crate::tcp::{Listener, Sample, TcpCounters};
use crate::transport::TCP;
use crate::words::{Confidence, Layer, RoleSource, RttKind, Service};

/// Payloads of a flow that are shown to the protocols before it is left unnamed.
const LOOKS: u8 = 8;

/// Payloads after which a flow that was joined in its middle has to have a client.
const UNDECIDED_PAYLOADS: usize = 4;

/// A payload shorter than this may be a part of a message: it does not count as one of them.
const WHOLE_PAYLOAD: usize = 32;

/// All that may wait for that decision.
const WAITING_LIMIT: usize = 16;

/// The longest payload that waits; a longer one is no first message of a protocol that is read.
const WAITING_BYTES: usize = 1024;

/// A flow while it listens.
pub struct Talk<'a> {
    pub core: &'a mut Core,
    pub shared: &'a mut Shared,
}

impl Talk<'_> {
    /// Settles who is the client, for good, and writes the flow's first row.
    pub fn decide(&mut self, client: usize, source: RoleSource) {
        let core = &mut *self.core;
        core.roles = Some(Roles::new(client, source));
        self.shared.last_flow_id = self.shared.last_flow_id.wrapping_add(1);
        core.id = self.shared.last_flow_id;
        let server = 1 - client;
        let identity = &core.identity;
        let by_port = well_known(identity.protocol(), identity.port(server))
            .or_else(|| well_known(identity.protocol(), identity.port(client)));
        if let Some(service) = by_port {
            core.service = service;
            core.confidence = Confidence::Port;
        }
        self.shared.tables.flow_starts.push(FlowStartRow {
            flow_id: core.id,
            ts: core.first.ts,
            first_frame: core.first.frame,
            ip_proto: identity.protocol(),
            client_ip: identity.ip(client),
            server_ip: identity.ip(server),
            client_port: identity.port(client),
            server_port: identity.port(server),
            client_mac: identity.macs[client],
            server_mac: identity.macs[server],
            vlan: identity.vlan,
            tunnel: identity.tunnel.kind,
            tunnel_id: identity.tunnel.id,
            role_source: source,
            _borrow: ROW,
        });
        let waiting = core.early.as_mut().map(|early| std::mem::take(&mut early.waiting));
        for waiting in waiting.into_iter().flatten() {
            match waiting {
                Waiting::Bytes(side, bytes, at) => {
                    self.shared.undecided_bytes -= bytes.len() as u64;
                    self.bytes(side, &bytes, at);
                }
                Waiting::Gap(side, length, at) => self.gap(side, length, at),
                Waiting::Sample(sample, piggybacked, rtt_ns, at) => {
                    self.sample(sample, piggybacked, rtt_ns, at)
                }
                Waiting::Anomaly(kind, at, detail) => self.anomaly(kind, at, &|| detail.clone()),
            }
        }
    }

    /// Without a handshake or a structure: the side with a service's port is the server, else, over TCP, the one
    /// with the lower port, else the one that was spoken to first.
    pub fn decide_by_port(&mut self) {
        let identity = &self.core.identity;
        let [first, second] = identity.ports();
        let named = [first, second].map(|port| well_known(identity.protocol(), port).is_some());
        let lower_serves = identity.protocol() == TCP || named[0] && named[1];
        let (client, source) = match named {
            [false, true] => (0, RoleSource::Port),
            [true, false] => (1, RoleSource::Port),
            _ if lower_serves && first != second => (usize::from(first < second), RoleSource::Port),
            _ => (0, RoleSource::FirstSeen),
        };
        self.decide(client, source);
    }

    /// A datagram's structure tells who speaks, else its port does.
    pub fn decide_by_datagram(&mut self, side: usize, payload: &[u8]) {
        let identity = &self.core.identity;
        let speaks = |recognised: &Recognised, _: bool| recognised.speaker.is_some();
        let found = recognise(payload, identity.protocol(), identity.ports(), speaks);
        match found.and_then(|(_, recognised, _)| recognised.speaker) {
            Some(Role::Client) => self.decide(side, RoleSource::Protocol),
            Some(Role::Server) => self.decide(1 - side, RoleSource::Protocol),
            None => self.decide_by_port(),
        }
    }

    /// Calls the parser, where there is one, and takes over what it knows afterwards.
    pub fn with_parser(&mut self, call: impl FnOnce(&mut dyn Parser, &mut Output<'_>)) {
        let core = &mut *self.core;
        let one_sided = core.is_one_sided();
        let (Some((protocol, parser)), Some(roles)) = (core.parser.as_mut(), core.roles) else { return };
        let client = roles.client();
        let server = 1 - client;
        let mut out = Output {
            flow_id: core.id,
            service: core.service,
            handed_over: core.named_for_good,
            closed: core.closed,
            one_sided,
            layer: protocol.layer,
            client_ip: core.identity.ip(client),
            server_ip: core.identity.ip(server),
            client_port: core.identity.port(client),
            server_port: core.identity.port(server),
            tables: &mut self.shared.tables,
            tally: &mut core.tally,
            limits: &self.shared.limits,
            counts: &mut self.shared.counts,
            observed: &mut self.shared.observed,
            sparkplug: &mut self.shared.sparkplug,
        };
        call(parser.as_mut(), &mut out);
        let Standing { confidence, service, progress } = parser.standing();
        let service = service.unwrap_or(protocol.service);
        if progress != Progress::Reading {
            parser.end(core.last.ts, false, &mut out);
        }
        let renamed = service != core.service && confidence >= core.confidence;
        let better = confidence > core.confidence || (renamed && confidence > Confidence::Port);
        if progress == Progress::Wrong {
            if core.service == service && !core.named_for_good {
                // The name came from the port, and the payload is not what the port says.
                core.service = Service::Unknown;
                core.confidence = Confidence::None;
            }
        } else if better && !core.named_for_good {
            core.service = service;
            core.confidence = confidence;
        }
        match progress {
            Progress::Reading => {}
            Progress::Wrong => core.parser = None,
            Progress::Done => {
                core.parser = None;
                core.looked = LOOKS;
            }
            Progress::HandOver => {
                core.parser = None;
                core.looked = 0;
                core.named_for_good = true;
            }
        }
    }

    fn role(&self, side: usize) -> Option<Role> {
        let client = self.core.roles?.client();
        Some(if side == client { Role::Client } else { Role::Server })
    }

    /// Shows a payload to the protocols, so that one of them says who speaks.
    fn listen_for_speaker(&mut self, side: usize, bytes: &[u8], at: At) {
        let identity = &self.core.identity;
        let (protocol, ports) = (identity.protocol(), identity.ports());
        let whole = self.waiting_of(side, bytes);
        let found = whole
            .and_then(|whole| recognise(&whole, protocol, ports, |_, _| true))
            .or_else(|| recognise(bytes, protocol, ports, |_, _| true));
        if let Some((_, recognised, on_port)) = found {
            if recognised.speaker.is_some() || on_port {
                match recognised.speaker {
                    Some(Role::Client) => self.decide(side, RoleSource::Protocol),
                    Some(Role::Server) => self.decide(1 - side, RoleSource::Protocol),
                    None => self.decide_by_port(),
                }
                return self.bytes(side, bytes, at);
            }
        }
        let waiting = self.core.early.iter().flat_map(|early| &early.waiting);
        let is_whole =
            |one: &&Waiting| matches!(one, Waiting::Bytes(_, bytes, _) if bytes.len() >= WHOLE_PAYLOAD);
        let payloads = waiting.filter(is_whole).count() + usize::from(bytes.len() >= WHOLE_PAYLOAD);
        let waiting_bytes = self.shared.undecided_bytes + bytes.len() as u64;
        if payloads >= UNDECIDED_PAYLOADS
            || bytes.len() > WAITING_BYTES
            || waiting_bytes > self.shared.limits.reassembly_bytes
        {
            self.decide_by_port();
            self.bytes(side, bytes, at);
        } else {
            self.shared.undecided_bytes = waiting_bytes;
            self.wait(Waiting::Bytes(side, bytes.to_vec(), at));
        }
    }

    /// What a side has said while it waits, with `more` behind it; none where that is all.
    fn waiting_of(&self, side: usize, more: &[u8]) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        for waiting in &self.core.early.as_ref()?.waiting {
            match waiting {
                Waiting::Bytes(of, bytes, _) if *of == side => whole.extend(bytes),
                Waiting::Gap(of, ..) if *of == side => whole.clear(),
                _ => {}
            }
        }
        (!whole.is_empty()).then(|| [&whole, more].concat())
    }

    fn wait(&mut self, waiting: Waiting) {
        let all = &mut self.core.early.get_or_insert_default().waiting;
        all.push(waiting);
        if all.len() >= WAITING_LIMIT {
            self.decide_by_port();
        }
    }

    /// Shows a payload to the protocols, so that one of them reads or names the flow.
    fn look(&mut self, side: usize, role: Role, bytes: &[u8], at: At) {
        let identity = &self.core.identity;
        let fits = |recognised: &Recognised, on_port: bool| {
            on_port || recognised.speaker.is_none_or(|speaker| speaker == role)
        };
        let (ip_protocol, ports) = (identity.protocol(), identity.ports());
        let whole = self.core.early.as_ref().and_then(|early| early.heard.joined(side, bytes));
        let from_start = whole.and_then(|whole| recognise(&whole, ip_protocol, ports, fits));
        if from_start.is_none() {
            if let Some(found) = recognise(bytes, ip_protocol, ports, fits) {
                // What came before it on this side is the rest of something else.
                self.forget_heard_of(side);
                return self.name(found, role, bytes, at);
            }
        }
        match from_start {
            Some(found) => self.name(found, role, bytes, at),
            None => self.keep_heard(side, bytes, at),
        }
    }

    /// Keeps a payload that nobody recognised, as it may be a part of a message; where there is no room it counts as
    /// looked at.
    fn keep_heard(&mut self, side: usize, bytes: &[u8], at: At) {
        let is_stream = self.core.identity.protocol() == TCP;
        let heard = &mut self.core.early.get_or_insert_default().heard;
        let room = self.shared.limits.reassembly_bytes.saturating_sub(self.shared.undecided_bytes);
        match heard.cost(side, bytes).filter(|cost| is_stream && *cost <= room) {
            Some(cost) => {
                heard.keep(side, bytes, at);
                self.shared.undecided_bytes += cost;
            }
            None => {
                self.core.looked += 1;
                if self.core.looked >= LOOKS {
                    self.forget_heard();
                }
            }
        }
    }

    /// Drops what was kept of both sides.
    pub fn forget_heard(&mut self) {
        if let Some(early) = &mut self.core.early {
            self.shared.undecided_bytes -= std::mem::take(&mut early.heard).total_cost();
        }
    }

    fn forget_heard_of(&mut self, side: usize) {
        if let Some(early) = &mut self.core.early {
            let before = early.heard.total_cost();
            early.heard.forget(side);
            self.shared.undecided_bytes -= before - early.heard.total_cost();
        }
    }

    /// A protocol takes the flow: its parser, where it has one, is fed what was kept and what comes now.
    fn name(
        &mut self,
        (protocol, recognised, _): (&'static Protocol, Recognised, bool),
        role: Role,
        bytes: &[u8],
        at: At,
    ) {
        self.core.looked += 1;
        let Some(start) = protocol.parser else {
            if !self.core.named_for_good {
                self.core.service = protocol.service;
                self.core.confidence = recognised.confidence;
            }
            self.core.looked = LOOKS;
            return self.forget_heard();
        };
        let mut parser = start(recognised.confidence);
        if self.core.joined_midstream {
            parser.gap(Role::Client, 0);
            parser.gap(Role::Server, 0);
        }
        let Early { missed, unseen, heard, .. } =
            self.core.early.take().map(|early| *early).unwrap_or_default();
        self.shared.undecided_bytes -= heard.total_cost();
        for (side, length) in missed.into_iter().enumerate().filter(|(_, length)| *length > 0) {
            if let Some(role) = self.role(side) {
                parser.gap(role, length);
            }
        }
        for side in (0..2).filter(|side| unseen[*side]) {
            if let Some(role) = self.role(side) {
                parser.unseen(role);
            }
        }
        self.core.parser = Some((protocol, parser));
        heard.replay(|side, bytes, at| {
            if let Some(role) = self.role(side) {
                self.with_parser(|parser, out| parser.feed(role, bytes, at, out));
            }
        });
        self.with_parser(|parser, out| parser.feed(role, bytes, at, out));
    }
}

impl Listener for Talk<'_> {
    #[inline]
    fn bytes(&mut self, side: usize, bytes: &[u8], at: At) {
        let Some(role) = self.role(side) else {
            return self.listen_for_speaker(side, bytes, at);
        };
        if self.core.parser.is_some() {
            self.with_parser(|parser, out| parser.feed(role, bytes, at, out));
        } else if self.core.looked < LOOKS {
            self.look(side, role, bytes, at);
        }
    }

    fn gap(&mut self, side: usize, length: u64, at: At) {
        match self.role(side) {
            None if length > 0 => self.wait(Waiting::Gap(side, length, at)),
            None => {}
            Some(role) => match &mut self.core.parser {
                Some((_, parser)) => parser.gap(role, length),
                None => {
                    self.forget_heard_of(side);
                    let missed = &mut self.core.early.get_or_insert_default().missed[side];
                    *missed = missed.saturating_add(length);
                }
            },
        }
    }

    #[cold]
    fn unseen(&mut self, side: usize) {
        if let (Some(role), Some((_, parser))) = (self.role(side), self.core.parser.as_mut()) {
            parser.unseen(role);
        } else if self.wants_bytes() {
            self.core.early.get_or_insert_default().unseen[side] = true;
        }
    }

    #[inline]
    fn sample(&mut self, sample: Sample, piggybacked: bool, rtt_ns: u64, at: At) {
        let Some(roles) = self.core.roles else {
            return self.wait(Waiting::Sample(sample, piggybacked, rtt_ns, at));
        };
        let kind = match sample {
            Sample::Handshake(kind) => kind,
            Sample::Path => RttKind::Path,
            Sample::AckBy(side) if side == roles.client() => RttKind::AckClient,
            Sample::AckBy(_) => RttKind::AckServer,
        };
        self.shared.tables.rtt.push(RttRow {
            ts: at.ts,
            flow_id: self.core.id,
            frame: at.frame,
            kind,
            piggybacked,
            rtt_ns,
            _borrow: ROW,
        });
    }

    #[cold]
    fn anomaly(&mut self, kind: AnomalyKind, at: At, detail: &dyn Fn() -> String) {
        if self.core.roles.is_none() {
            return self.wait(Waiting::Anomaly(kind, at, detail()));
        }
        if self.core.tally.admit(kind, self.shared.limits.anomalies_per_flow_kind) {
            let rows = &mut self.shared.tables.anomalies;
            crate::anomaly::push(rows, kind, Layer::Tcp, at, Some(self.core.id), &detail());
        }
    }

    #[inline]
    fn sent(&mut self, side: usize, segments: u32) {
        let counters = &mut self.core.minute.counted.sides[side];
        counters.data_segments = counters.data_segments.saturating_add(segments);
        self.shared.covered.data_segments += u64::from(segments);
    }

    #[cold]
    fn missed(&mut self, side: usize, segments: u32, bytes: u64) {
        let counters = self.counters(side);
        counters.unseen_segments = counters.unseen_segments.saturating_add(segments);
        counters.gap_bytes = counters.gap_bytes.saturating_add(bytes);
        let covered = &mut self.shared.covered;
        covered.unseen_segments += u64::from(segments);
        covered.gap_bytes = covered.gap_bytes.saturating_add(bytes);
    }

    #[cold]
    fn counters(&mut self, side: usize) -> &mut TcpCounters {
        &mut self.core.minute.counted.incidents_of(side).tcp
    }

    fn wants_bytes(&self) -> bool {
        self.core.parser.is_some() || self.core.roles.is_none() || self.core.looked < LOOKS
    }
}
