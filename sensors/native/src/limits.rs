//! Every bound of the decoder: name, default and meaning in one place.
//!
//! Whatever hostile bytes arrive, memory stays within these and every row that a limit costs is counted.

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal,)+) => {
        /// The bounds of one decoder.
        #[derive(Clone, Copy, Debug)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// (name, default, meaning) of every limit.
            pub const ALL: &'static [(&'static str, u64, &'static str)] =
                &[$((stringify!($name), $default, concat!($($doc),+)),)+];

            /// Sets one by name.
            ///
            /// # Errors
            /// A sentence that names the known limits, where there is none of that name or the value is 0.
            pub fn set(&mut self, name: &str, value: u64) -> Result<(), String> {
                if value == 0 {
                    return Err(format!("limit {name} is 0: it has to be at least 1"));
                }
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => {
                        let known = [$(stringify!($name)),+].join(", ");
                        return Err(format!("unknown limit {name}: known are {known}"));
                    }
                }
                Ok(())
            }
        }
    };
}

limits! {
    /// Flows in the table at once; one more pushes out one that is over, that nobody answered, or that was quiet for longest.
    flow_limit = 131_072,
    /// Flows that one source may have opened while the table is full; for one more it gives up its own.
    flows_per_source = 8_192,
    /// Flows that are numbered, at most 4,294,967,295: then a session begins anew, and of a capture the rest is not read.
    flow_numbers = 4_294_967_295,
    /// Seconds of silence after which an open TCP flow ends.
    tcp_idle_s = 3_600,
    /// Seconds of silence after which a TCP flow with FINs of both sides, or a reset, ends.
    tcp_closed_idle_s = 120,
    /// Seconds of silence after which a flow of UDP or any other protocol ends.
    udp_idle_s = 300,
    /// Bytes kept for one flow while a hole in its stream is open.
    reassembly_bytes_per_flow = 262_144,
    /// Bytes kept for all flows while holes in their streams are open.
    reassembly_bytes = 67_108_864,
    /// Separate pieces kept for one side of a flow while holes are open.
    reassembly_pieces = 128,
    /// Networks behind tunnels that are told apart where they use the same addresses and ports; more share the last one's flow.
    networks_per_flow = 32,
    /// Bytes kept for all packets whose IP fragments are not all there yet.
    fragment_bytes = 16_777_216,
    /// Separate fragments kept of one packet.
    fragments_per_packet = 256,
    /// Seconds after which a packet with missing fragments is given up.
    fragment_timeout_s = 30,
    /// Requests of one flow that wait for a response at once; the oldest is given up for one more.
    pending_limit = 1_024,
    /// Modbus requests of all flows that wait at once: half is shared out evenly, whoever wants more gives up its own.
    pending_limit_all = 524_288,
    /// Seconds after which a Modbus request without a response counts as unanswered.
    modbus_pending_s = 60,
    /// Seconds after which an OPC UA request without a response counts as unanswered; a Publish waits on.
    opcua_pending_s = 120,
    /// Bytes of one OPC UA message that are kept to be read; what is behind them is counted only.
    opcua_message_bytes = 262_144,
    /// Chunks of one OPC UA message that are kept to be read.
    opcua_message_chunks = 4_096,
    /// Bytes of OPC UA messages, waiting requests and watched nodes kept for one flow.
    opcua_bytes_per_flow = 4_194_304,
    /// Bytes of OPC UA messages, waiting requests and watched nodes kept for all flows.
    opcua_bytes = 25_165_824,
    /// Seconds after which an MQTT packet without an answer counts as unanswered.
    mqtt_pending_s = 60,
    /// Bytes of one MQTT packet that are looked at, for Sparkplug metrics above all; the rest is counted.
    mqtt_packet_bytes = 65_536,
    /// Topic aliases of one side of an MQTT connection that are remembered.
    mqtt_topic_aliases = 1_024,
    /// Bytes held for all MQTT flows: unfinished packets, waiting ones, aliases.
    mqtt_held_bytes = 16_777_216,
    /// Bytes of the names that Sparkplug aliases stand for; edge nodes not met for longest lose theirs, one may have an eighth.
    sparkplug_bytes = 12_582_912,
    /// MQTT user names: 1 keeps them, 2 replaces each by the start of its SHA-256.
    mqtt_user_names = 1,
    /// Operations of one flow (S7comm, EtherNet/IP, DNP3 and the like) that wait for an answer at once.
    operations_pending = 256,
    /// Operations of all flows that wait at once; a flow that asks for more gives up one of its own.
    operations_pending_all = 65_536,
    /// Seconds after which an operation without an answer counts as unanswered.
    operation_pending_s = 60,
    /// Bytes of messages not yet whole that these protocols keep for all flows; a message without room is cut.
    operation_bytes = 8_388_608,
    /// Bytes kept for all flows whose service is introducing itself; one that finds no room is not read further.
    introduction_bytes = 10_485_760,
    /// Things told of devices that are remembered, so that each is one row; one source may take an eighth.
    observations = 262_144,
    /// IP addresses whose MAC address is remembered, so that two claims of one are seen.
    neighbours = 65_536,
    /// Rows of one kind of anomaly for one flow.
    anomalies_per_flow_kind = 16,
    /// Rows of one kind of anomaly in a capture that belong to no flow.
    anomalies_per_kind = 1_000,
}

/// The bounds that a TCP segment is held against: few, so that every segment can have its own copy.
#[derive(Clone, Copy, Debug)]
pub struct Reassembly {
    pub bytes_per_flow: u64,
    pub bytes: u64,
    pub pieces: u64,
}

impl Limits {
    /// Those of reassembly.
    #[inline]
    pub fn reassembly(&self) -> Reassembly {
        Reassembly {
            bytes_per_flow: self.reassembly_bytes_per_flow,
            bytes: self.reassembly_bytes,
            pieces: self.reassembly_pieces,
        }
    }
}

/// What becomes of user names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNames {
    Keep,
    Hash,
}

impl Limits {
    /// What becomes of MQTT user names; what is no known choice hides them.
    pub fn user_names(&self) -> UserNames {
        if self.mqtt_user_names == 1 { UserNames::Keep } else { UserNames::Hash }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        let mut limits = Limits::default();
        for (name, default, doc) in Limits::ALL {
            assert!(!doc.trim().is_empty());
            limits.set(name, default + 1).unwrap();
        }
        assert_eq!(limits.flow_limit, 131_073);
    }

    #[test]
    fn an_unknown_limit_is_refused_with_the_known_ones() {
        let error = Limits::default().set("flow_limits", 1).unwrap_err();
        assert!(error.contains("flow_limit,"), "{error}");
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(Limits::default().set("flow_limit", 0).is_err());
    }
}
