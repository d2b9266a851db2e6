//! The closed sets of words that name columns use. The order of a set is its Arrow dictionary.

/// A closed set of words, each with its number.
pub trait Words: Copy {
    /// All of them, by number.
    const WORDS: &'static [&'static str];
    /// This one's place in `WORDS`.
    fn number(self) -> u8;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$word_doc])* $variant,)+ }

        impl $crate::words::Words for $name {
            const WORDS: &'static [&'static str] = &[$($word,)+];

            #[inline]
            fn number(self) -> u8 {
                self as u8
            }
        }

        impl $name {
            /// Each of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// How many there are.
            pub const COUNT: usize = <Self as $crate::words::Words>::WORDS.len();

            /// The word itself.
            pub fn word(self) -> &'static str {
                <Self as $crate::words::Words>::WORDS[self as usize]
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How client and server of a flow are known.
    RoleSource {
        Syn = "syn",
        SynAck = "syn_ack",
        Protocol = "protocol",
        Port = "port",
        FirstSeen = "first_seen",
    }
}

words! {
    /// How the service of a flow is known.
    Confidence {
        None = "none",
        Port = "port",
        Structure = "structure",
        Handshake = "handshake",
    }
}

words! {
    /// Why a flow ended.
    EndReason {
        Fin = "fin",
        Reset = "reset",
        Idle = "idle",
        Reused = "reused",
        Evicted = "evicted",
        EndOfCapture = "end_of_capture",
    }
}

words! {
    /// Which round trip a sample measures.
    RttKind {
        HandshakeServer = "handshake_server",
        HandshakeClient = "handshake_client",
        AckServer = "ack_server",
        AckClient = "ack_client",
        Path = "path",
    }
}

words! {
    /// What a packet came wrapped in.
    Tunnel {
        None = "none",
        Gre = "gre",
        Erspan = "erspan",
        Vxlan = "vxlan",
        Geneve = "geneve",
        IpInIp = "ip_in_ip",
        Mpls = "mpls",
        Pppoe = "pppoe",
    }
}

words! {
    /// What became of a transaction.
    Outcome {
        Answered = "answered",
        Exception = "exception",
        Unanswered = "unanswered",
        /// An answer without its request: nobody asked, or, where it is `after_gap`, the request could not be seen.
        Orphan = "orphan",
        Pending = "pending",
        /// The answer says no: an MQTT reason code of failure.
        Refused = "refused",
        /// Nothing answers it.
        OneWay = "one_way",
        /// Its two halves cannot be found together: the identifier is encrypted.
        Encrypted = "encrypted",
        /// Its sender gave it up before its end.
        Aborted = "aborted",
    }
}

words! {
    /// How Modbus units are told apart in what carries them.
    ModbusFraming {
        /// With the header of Modbus/TCP.
        Tcp = "tcp",
        /// Serial units with their checksum, without a header.
        RtuOverTcp = "rtu_over_tcp",
        /// With the header of Modbus/TCP, in datagrams.
        Udp = "udp",
        RtuOverUdp = "rtu_over_udp",
    }
}

words! {
    /// What messages come in, of a protocol that WebSocket carries too.
    Carrier {
        Tcp = "tcp",
        WebSocket = "websocket",
    }
}

words! {
    /// Where an anomaly was met.
    Layer {
        Capture = "capture",
        Link = "link",
        Network = "network",
        Tcp = "tcp",
        Modbus = "modbus",
        OpcUa = "opcua",
        Mqtt = "mqtt",
        /// Any other application protocol.
        Application = "application",
        Udp = "udp",
    }
}

words! {
    /// What an operation does to the device that it is sent to.
    OperationClass {
        Read = "read",
        Write = "write",
        /// Changes what the device runs: download, upload, edits.
        Program = "program",
        Start = "start",
        Stop = "stop",
        /// Restarts it, or resets its memory.
        Restart = "restart",
        /// Looks for devices, or asks what they are.
        Discover = "discover",
        /// Changes its name, address, clock or protection.
        Configure = "configure",
        /// Opens, keeps or ends a connection.
        Session = "session",
        Other = "other",
        /// Runs a method of it.
        Call = "call",
    }
}

words! {
    /// What is told of a device.
    ObservationKind {
        Address = "address",
        HostName = "host_name",
        DomainName = "domain_name",
        Vendor = "vendor",
        Model = "model",
        Firmware = "firmware",
        SerialNumber = "serial_number",
        Description = "description",
        Role = "role",
        Software = "software",
        OperatingSystem = "operating_system",
        /// What the maker sells it as, beside its order number.
        ProductName = "product_name",
        /// A service that it offers or announces.
        Service = "service",
        /// The port of a switch, as that names it.
        Port = "port",
        /// A VLAN that it is a member of.
        Vlan = "vlan",
        /// How far away it is by its packets' time to live.
        Distance = "distance",
        /// What it calls itself to a DHCP server.
        VendorClass = "vendor_class",
        /// The options that it asks a DHCP server for, in its order.
        DhcpFingerprint = "dhcp_fingerprint",
        /// The address that it asks a DHCP server for.
        RequestedAddress = "requested_address",
        /// The address that a DHCP server gave it.
        GivenAddress = "given_address",
        /// The unique identifier by which DHCP for IPv6 knows it, whatever its address.
        Duid = "duid",
        /// An identifier of its kind that its maker registered.
        ObjectId = "object_id",
        ApplicationUri = "application_uri",
    }
}

words! {
    /// The protocol that told it.
    ObservationSource {
        Arp = "arp",
        Ndp = "ndp",
        Frame = "frame",
        Ttl = "ttl",
        Dhcp = "dhcp",
        Dns = "dns",
        Mdns = "mdns",
        Llmnr = "llmnr",
        Netbios = "netbios",
        Lldp = "lldp",
        Stp = "stp",
        Ntp = "ntp",
        Snmp = "snmp",
        Modbus = "modbus",
        OpcUa = "opcua",
        Mqtt = "mqtt",
        Cip = "cip",
        S7comm = "s7comm",
        Bacnet = "bacnet",
        ProfinetDcp = "profinet_dcp",
        Http = "http",
        Ssh = "ssh",
        Tls = "tls",
        Rdp = "rdp",
        Smb = "smb",
        Cdp = "cdp",
        Ssdp = "ssdp",
        Ftp = "ftp",
        Telnet = "telnet",
        Vnc = "vnc",
        Smtp = "smtp",
        Database = "database",
        Dnp3 = "dnp3",
        Mms = "mms",
        Fins = "fins",
        Melsec = "melsec",
        GeSrtp = "ge-srtp",
        Ads = "ads",
        Iec104 = "iec104",
    }
}

words! {
    /// What is known of a login.
    Login {
        /// The protocol has none, or it was not seen.
        Unknown = "unknown",
        Yes = "yes",
        No = "no",
        /// From the sizes of ciphertext.
        GuessedYes = "guessed_yes",
        GuessedNo = "guessed_no",
        /// The server let the client in without asking who it is.
        NotAsked = "not_asked",
    }
}

words! {
    /// Application protocols, by their well-known port or by their structure.
    Service {
        Unknown = "",
        Modbus = "modbus",
        OpcUa = "opcua",
        Mqtt = "mqtt",
        MqttTls = "mqtt-tls",
        Ssh = "ssh",
        Telnet = "telnet",
        Ftp = "ftp",
        Dns = "dns",
        Dhcp = "dhcp",
        Tftp = "tftp",
        Http = "http",
        Https = "https",
        Ntp = "ntp",
        Netbios = "netbios",
        Snmp = "snmp",
        Ldap = "ldap",
        Smb = "smb",
        Syslog = "syslog",
        Rdp = "rdp",
        Vnc = "vnc",
        WinRm = "winrm",
        MsRpc = "msrpc",
        MsSql = "mssql",
        Postgres = "postgres",
        S7comm = "s7comm",
        EnIp = "enip",
        Dnp3 = "dnp3",
        Iec104 = "iec104",
        Bacnet = "bacnet",
        Profinet = "profinet",
        Fins = "fins",
        Melsec = "melsec",
        TeamViewer = "teamviewer",
        AnyDesk = "anydesk",
        OpenVpn = "openvpn",
        WireGuard = "wireguard",
        Mdns = "mdns",
        Ssdp = "ssdp",
        Llmnr = "llmnr",
        Tls = "tls",
        Tailscale = "tailscale",
        Radmin = "radmin",
        WebSocket = "websocket",
        ModbusRtu = "modbus-rtu",
        UaPubSub = "opcua-pubsub",
        Dtls = "dtls",
        Quic = "quic",
        Kerberos = "kerberos",
        MySql = "mysql",
        Smtp = "smtp",
        Ipsec = "ipsec",
        Gre = "gre",
        Pptp = "pptp",
        L2tp = "l2tp",
        Stun = "stun",
        RustDesk = "rustdesk",
        OpcDa = "opcda",
        Splashtop = "splashtop",
        LogMeIn = "logmein",
        ScreenConnect = "screenconnect",
        Ngrok = "ngrok",
        CloudflareTunnel = "cloudflare-tunnel",
        Talk2m = "talk2m",
        ChromeRemoteDesktop = "chrome-remote-desktop",
        ZeroTier = "zerotier",
        /// ISO transport over TCP (RFC 1006), before it is known what it carries.
        IsoTcp = "iso-tcp",
        S7commPlus = "s7comm-plus",
        Mms = "mms",
        Goose = "goose",
        SampledValues = "sampled-values",
        EtherCat = "ethercat",
        HartIp = "hart-ip",
        GeSrtp = "ge-srtp",
        Codesys = "codesys",
        Ads = "ads",
    }
}
