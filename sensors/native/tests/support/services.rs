//! Conversations of many services, put together by their standards, with secrets planted in them.

mod service_bytes;

pub use service_bytes::forms;

use service_bytes::*;

use crate::support::{ACK, Decoded, START, Talk, decode, ipv4, pcap};

/// Planted wherever a password can stand in clear; in small letters, as the tables are searched.
pub const SECRET: &str = "pl4nted-s3cret";

/// Planted where an answer to a challenge stands: no password, but one can be guessed from it. 16 bytes, as a challenge
/// of VNC and a response of NTLM are.
pub const PROOF: &str = "pl4nted-pr00f-xy";

/// Which side speaks (0 is the client), and what.
pub type Turn = (usize, Vec<u8>);

/// How small the pieces may be that a conversation arrives in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    Any,
    /// The first turn is one segment: only a whole message is recognised.
    FirstWhole,
    /// Every turn is one segment.
    Whole,
}

pub struct Conversation {
    pub name: &'static str,
    pub service: &'static str,
    pub port: u16,
    pub pieces: Pieces,
    pub one_side_is_enough: bool,
    pub turns: Vec<Turn>,
    /// Texts that rows of the conversation hold.
    pub told: Vec<&'static str>,
}

/// Ports whose services are read, and beginnings that get a parser to read on.
pub const PORTS: &[u16] = &[
    21, 22, 23, 25, 80, 88, 135, 389, 443, 445, 514, 1194, 1433, 1723, 3306, 3389, 4899, 5432, 5900, 5938,
    5985, 500, 1701, 3478, 21116, 41641, 51820,
];
pub const FIRSTS: &[&[u8]] = &[
    b"",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    b"SSH-2.0-a\r\n",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"RFB 003.008\n",
    b"\0\0\0\x90\xfeSMB",
    b"\0\0\0\x90\xffSMB",
    b"220 FTP\r\n",
    b"\xff\xfd\x18\xff\xfd\x20",
    b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
    b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
    b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0\x01\0\0\0",
    b"\x12\x01\0\x40\0\0\0\0",
    b"NTLMSSP\0\x03\0\0\0",
    b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x40\x01\0\0\x34\0\0\0\0\0\0\0\x34\xfe\xfd",
    b"\xc3\0\0\0\x01\x08",
];

#[allow(clippy::too_many_lines, reason = "a list")]
pub fn conversations() -> Vec<Conversation> {
    let mut all = Vec::new();
    let mut add = |name, service, port, pieces, turns: Vec<Turn>, told: &[&'static str]| {
        let told = told.to_vec();
        let one_side_is_enough = true;
        all.push(Conversation { name, service, port, pieces, one_side_is_enough, turns, told });
    };
    let secret = SECRET.as_bytes();
    add(
        "tls",
        "https",
        443,
        Pieces::Any,
        tls("historian.mine-a.example"),
        &["historian.mine-a.example", "TLS 1.3"],
    );
    add("anydesk", "anydesk", 443, Pieces::Any, tls("relay-1a.net.anydesk.com"), &["net.anydesk.com"]);
    add("ssh", "ssh", 22, Pieces::Any, ssh(), &["PuTTY_0.81", "OpenSSH_9.2p1 Debian", "curve25519-sha256"]);
    let basic =
        [b"GET /a HTTP/1.1\r\nHost: plc1\r\nAuthorization: Basic ".as_slice(), secret, b"\r\n\r\n"].concat();
    let page = b"HTTP/1.1 200 OK\r\nServer: GoAhead\r\nContent-Length: 2\r\n\r\nhi".to_vec();
    add("http", "http", 80, Pieces::Any, vec![(0, basic), (1, page)], &["plc1", "GoAhead", "Basic"]);
    let wsman = b"POST /wsman HTTP/1.1\r\nUser-Agent: WinRM\r\nAuthorization: Negotiate TlRMTVNTUAA=\r\nContent-Length: 0\r\n\r\n";
    let denied = b"HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Length: 0\r\n\r\n";
    add(
        "winrm",
        "winrm",
        5985,
        Pieces::Any,
        vec![(0, wsman.to_vec()), (1, denied.to_vec())],
        &["HTTPAPI", "Negotiate"],
    );
    // A login by NTLM in a header, in base64 (RFC 4559, 4).
    let login = base64(&ntlm_login());
    let negotiated =
        format!("POST /wsman HTTP/1.1\r\nAuthorization: Negotiate {login}\r\nContent-Length: 0\r\n\r\n");
    add(
        "winrm-ntlm",
        "winrm",
        5985,
        Pieces::Any,
        vec![(0, negotiated.into_bytes()), (1, denied.to_vec())],
        &["MINE\\operator1", "EWS1"],
    );
    let request = [b"Cookie: mstshash=operator1\r\n".as_slice(), &[1, 0, 8, 0, 3, 0, 0, 0]].concat();
    let mut desktop = vec![(0, iso(0xe0, &request)), (1, iso(0xd0, &[2, 0, 8, 0, 2, 0, 0, 0]))];
    desktop.extend(tls("ews1"));
    add("rdp", "rdp", 3389, Pieces::Any, desktop, &["operator1", "CredSSP", "ews1"]);
    let mut core = [0; 24];
    core[20..].copy_from_slice(&2600u32.to_le_bytes());
    let core = [b"Duca\x81\x04\x01\xc0\xd8\0".as_slice(), &core[4..], &utf16("EWS1"), &[0; 60]].concat();
    let conference = [&[3, 0, 0, (7 + core.len()) as u8, 2, 0xf0, 0x80][..], &core].concat();
    let plain =
        vec![(0, iso(0xe0, &request[..28])), (1, iso(0xd0, &[2, 0, 8, 0, 0, 0, 0, 0])), (0, conference)];
    // Without encryption the client sends its user's password in clear ([MS-RDPBCGR], 2.2.1.11.1.1).
    let (domain, user, password) = (utf16("MINE\0"), utf16("operator1\0"), utf16(&format!("{SECRET}\0")));
    let lengths =
        [domain.len() - 2, user.len() - 2, password.len() - 2, 0, 0].map(|length| [length as u8, 0]);
    let login =
        [&[0; 4][..], &[0x3b, 1, 0, 0], &lengths.concat(), &domain, &user, &password, &[0; 4]].concat();
    let info =
        [&[0x64, 0, 6, 3, 0xeb, 0x70, 0x80, login.len() as u8 + 4, 0x40, 0, 0, 0][..], &login].concat();
    let packet = [&[3, 0, 0, (7 + info.len()) as u8, 2, 0xf0, 0x80][..], &info].concat();
    let mut plain_login = plain.clone();
    plain_login.push((0, packet));
    add("rdp-clear", "rdp", 3389, Pieces::Any, plain_login, &["operator1", "EWS1"]);
    add("rdp-standard", "rdp", 3389, Pieces::Any, plain, &["EWS1", "build 2600"]);
    let screen = vec![
        (1, b"RFB 003.008\n".to_vec()),
        (0, b"RFB 003.008\n".to_vec()),
        (1, vec![2, 2, 1]),
        (0, vec![2]),
        (1, PROOF.into()),
        (0, PROOF.into()),
        (1, vec![0, 0, 0, 0]),
        (0, vec![1]),
        (1, [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 4], b"HMI1"].concat()),
    ];
    add("vnc", "vnc", 5900, Pieces::Any, screen, &["HMI1", "RFB 3.8", "VNC authentication", " yes "]);
    let old = vec![
        (1, b"RFB 003.003\n".to_vec()),
        (0, b"RFB 003.003\n".to_vec()),
        (1, vec![0, 0, 0, 2]),
        (1, PROOF.into()),
        (0, PROOF.into()),
        (1, vec![0, 0, 0, 0]),
        (0, vec![1]),
        (1, [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 4], b"HMI2"].concat()),
    ];
    add("vnc-3.3", "vnc", 5900, Pieces::Any, old, &["HMI2", "RFB 3.3", "VNC authentication", " yes "]);
    let vencrypt = |subtype: u8| {
        vec![
            (1, b"RFB 003.008\n".to_vec()),
            (0, b"RFB 003.008\n".to_vec()),
            (1, vec![1, 19]),
            (0, vec![19]),
            (1, vec![0, 2]),
            (0, vec![0, 2]),
            (1, vec![0, 2, 0, 0, 1, 0, 0, 0, 1, 5]),
            (0, vec![0, 0, 1, subtype]),
        ]
    };
    let mut plain = vencrypt(0);
    let credentials = [&[0, 0, 0, 9, 0, 0, 0, secret.len() as u8][..], b"operator1", secret].concat();
    plain.extend([(0, credentials), (1, vec![0, 0, 0, 0]), (0, vec![1])]);
    plain.push((1, [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 4], b"HMI3"].concat()));
    add(
        "vnc-plain",
        "vnc",
        5900,
        Pieces::Any,
        plain,
        &["HMI3", "operator1", "in clear", " yes 0 true false "],
    );
    let mut sealed = vencrypt(5);
    sealed.push((1, vec![1]));
    sealed.extend(tls("hmi4"));
    add("vnc-tls", "vnc", 5900, Pieces::Any, sealed, &["hmi4", "VNC authentication within TLS", " true "]);
    let pass = [b"PASS ".as_slice(), secret, b"\r\n"].concat();
    let files = vec![
        (1, b"220 (vsFTPd 3.0.3) FTP\r\n".to_vec()),
        (0, b"USER operator1\r\n".to_vec()),
        (1, b"331 Password please\r\n".to_vec()),
        (0, pass.clone()),
        (1, b"530 No\r\n".to_vec()),
        (0, pass),
        (1, b"230-Welcome\r\nto the line\r\n230 Done\r\n".to_vec()),
    ];
    add("ftp", "ftp", 21, Pieces::Any, files, &["vsFTPd", "operator1", " yes 1 "]);
    let mut sealed =
        vec![(1, b"220 FTP\r\n".to_vec()), (0, b"AUTH TLS\r\n".to_vec()), (1, b"234 Go on\r\n".to_vec())];
    sealed.extend(tls("files"));
    add("ftp-tls", "ftp", 21, Pieces::Any, sealed, &["files", "TLS 1.3"]);
    let mail = vec![
        (1, b"220 mail ESMTP Postfix\r\n".to_vec()),
        (0, b"EHLO ews1\r\n".to_vec()),
        (1, b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n".to_vec()),
        (0, b"AUTH LOGIN\r\n".to_vec()),
        (1, b"334 VXNlcm5hbWU6\r\n".to_vec()),
        (0, [secret, b"\r\n"].concat()),
        (1, b"235 Let in\r\n".to_vec()),
    ];
    add("smtp", "smtp", 25, Pieces::Any, mail, &["Postfix", "ews1"]);
    let terminal = vec![
        (1, b"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x01".to_vec()),
        (0, b"\xff\xfb\x18\xff\xfc\x20\xff\xfd\x01".to_vec()),
        (1, b"\r\nswitch1 login: ".to_vec()),
        (0, b"operator1\r\n".to_vec()),
        (1, b"\r\nPassword: ".to_vec()),
        (0, [secret, b"\r\n"].concat()),
        (1, b"\r\nswitch1# ".to_vec()),
    ];
    add("telnet", "telnet", 23, Pieces::Any, terminal, &["login prompt", "guessed_yes"]);
    let mut negotiated = vec![65, 0, 1, 0, 0x11, 3];
    negotiated.resize(64, 0);
    let shares = vec![
        (0, smb2(0, false, 0, &[36, 0, 1, 0, 0, 0, 0, 0])),
        (1, smb2(0, true, 0, &negotiated)),
        (0, smb2(1, false, 0, &[&[25, 0, 0, 1][..], &ntlm_login()].concat())),
        (1, smb2(1, true, 0, &[9, 0, 0, 0, 0, 0, 0, 0])),
        (0, smb2(3, false, 0, &tree_connect("\\\\files1\\ADMIN$"))),
        (1, smb2(3, true, 0, &[16, 0, 1, 0, 0, 0, 0, 0])),
    ];
    let told = ["SMB 3.1.1", "MINE\\operator1", "EWS1", "share \\\\files1\\ADMIN$", " yes "];
    add("smb", "smb", 445, Pieces::Any, shares, &told);
    let name = b"cn=reader";
    let password = [&[0x80, secret.len() as u8][..], secret].concat();
    let content = [&[2, 1, 3, 4, name.len() as u8][..], name, &password].concat();
    let operation = [&[0x60, content.len() as u8][..], &content].concat();
    let message = [&[0x30, (3 + operation.len()) as u8, 2, 1, 1][..], &operation].concat();
    let refused = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\0\x04\0".to_vec();
    add(
        "ldap",
        "ldap",
        389,
        Pieces::FirstWhole,
        vec![(0, message), (1, refused)],
        &["cn=reader", "LDAPv3", " no 1 "],
    );
    let asks = b"\x6a\x09\x30\x07\xa1\x03\x02\x01\x05\0\0".to_vec();
    let error = b"\x7e\x09\x30\x07\xa0\x03\x02\x01\x05\0\0".to_vec();
    add(
        "kerberos",
        "kerberos",
        88,
        Pieces::Whole,
        vec![(0, long(&asks)), (1, long(&error))],
        &["Kerberos 5"],
    );
    let services = b"\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\x00\x10\x03";
    let calls = vec![
        (0, rpc(11, &bind(services))),
        (1, rpc(12, &[0; 44])),
        (0, rpc(0, &[0; 8])),
        (1, rpc(2, &[0; 8])),
    ];
    add("msrpc", "msrpc", 135, Pieces::FirstWhole, calls, &["interface svcctl"]);
    let opc = b"\x4d\x3a\xc1\x39\x1e\x01\xd0\x11\x96\x75\x00\x20\xaf\xd8\xad\xb3";
    let items = vec![(0, rpc(11, &bind(opc))), (1, rpc(12, &[0; 44]))];
    add("opc-da", "opcda", 135, Pieces::FirstWhole, items, &["interface OPC DA server"]);
    let start = b"\0\x03\0\0user\0historian\0database\0plant\0application_name\0psql\0\0";
    let queries = vec![
        (0, [&(4 + start.len() as u32).to_be_bytes()[..], start].concat()),
        (1, postgres_message(b'R', &[0, 0, 0, 3])),
        (0, postgres_message(b'p', &[secret, b"\0"].concat())),
        (
            1,
            [
                postgres_message(b'R', &[0; 4]),
                postgres_message(b'S', b"server_version\x0015.6\0"),
                postgres_message(b'Z', b"I"),
            ]
            .concat(),
        ),
    ];
    add(
        "postgres",
        "postgres",
        5432,
        Pieces::FirstWhole,
        queries,
        &["historian", "PostgreSQL 15.6", "database plant", " yes "],
    );
    let greeting =
        [b"\x0a8.0.36\0".as_slice(), &[1, 0, 0, 0], &[9; 8], &[0, 0xff, 0xf7, 0x21, 2, 0], &[0; 20]].concat();
    let login = [&0x200u32.to_le_bytes()[..], &[0; 28], b"historian\0", &[20], &[3; 20]].concat();
    let tables = vec![
        (1, mysql_packet(0, &greeting)),
        (0, mysql_packet(1, &login)),
        (1, mysql_packet(2, &[0xff, 0x15, 4])),
    ];
    add("mysql", "mysql", 3306, Pieces::FirstWhole, tables, &["historian", "MySQL 8.0.36", " no 1 "]);
    let rows = vec![
        (0, tds(18, &prelogin(2))),
        (1, tds(4, &prelogin(2))),
        (0, tds(16, &login7())),
        (1, tds(4, &[0xe3, 0, 0])),
    ];
    add("mssql", "mssql", 1433, Pieces::FirstWhole, rows, &["sa", "EWS1", "SQL Server 15.0.4221", " true "]);
    let radmin = vec![
        (0, vec![1, 0, 0, 0, 1, 0, 0, 0, 8, 8]),
        (1, [&[1, 0, 0, 0, 0x25, 0, 0, 1, 0x10, 8, 1, 0, 0, 8][..], &[0; 32]].concat()),
    ];
    add("radmin", "radmin", 4899, Pieces::Whole, radmin, &[]);
    let viewer =
        vec![(0, b"\x17\x24\x0a\x20\0\x01\x02\x03".to_vec()), (1, b"\x17\x24\x11\x04\0\x01".to_vec())];
    add("teamviewer", "teamviewer", 5938, Pieces::Whole, viewer, &[]);
    let tunnel = vec![(0, pptp(1, "ews1")), (1, pptp(2, "vpn1"))];
    add("pptp", "pptp", 1723, Pieces::Whole, tunnel, &["ews1", "vpn1"]);
    let vpn = vec![(0, medium(&openvpn(0))), (1, medium(&openvpn(1)))];
    add("openvpn", "openvpn", 1194, Pieces::Whole, vpn, &[]);
    all
}

fn sized(start: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.resize(length, 0xaa);
    bytes
}

/// Name, service, port and turns.
pub fn datagrams() -> Vec<(&'static str, &'static str, u16, Vec<Turn>)> {
    let stun = |kind: [u8; 2]| [&kind[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42], &[5; 12]].concat();
    let ike =
        |responder: u8| [&[7; 8][..], &[responder; 8], &[33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28]].concat();
    let hello = client_hello("plc1", true);
    let message =
        [&handshake(1, &hello)[..4], &[0, 0, 0, 0, 0], &handshake(1, &hello)[1..4], &hello].concat();
    let dtls = [&[22, 0xfe, 0xfd][..], &[0; 8], &medium(&message)].concat();
    let initial = |identifier: u8| sized(&[0xc3, 0, 0, 0, 1, 8, identifier, 2, 3, 4, 5, 6, 7, 8, 0], 1_200);
    let disco = |key: u8| [b"TS\xf0\x9f\x92\xac".as_slice(), &[key; 80]].concat();
    vec![
        (
            "wireguard",
            "wireguard",
            51820,
            vec![
                (0, sized(&[1, 0, 0, 0, 9, 9, 9, 9], 148)),
                (1, sized(&[2, 0, 0, 0, 1, 1, 1, 1, 9, 9, 9, 9], 92)),
            ],
        ),
        ("openvpn", "openvpn", 1194, vec![(0, openvpn(0)), (1, openvpn(1))]),
        ("tailscale", "tailscale", 41641, vec![(0, disco(1)), (1, disco(2))]),
        (
            "rustdesk",
            "rustdesk",
            21116,
            vec![(0, b"\x32\x0d\x0a\x09123456789\x10\x02".to_vec()), (1, vec![0x3a, 0])],
        ),
        ("stun", "stun", 3478, vec![(0, stun([0, 1])), (1, stun([1, 1]))]),
        ("ike", "ipsec", 500, vec![(0, ike(0)), (1, ike(5))]),
        ("l2tp", "l2tp", 1701, vec![(0, vec![0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0])]),
        ("dtls", "dtls", 4433, vec![(0, dtls)]),
        ("quic", "quic", 443, vec![(0, initial(1)), (1, initial(9))]),
        ("rdp", "rdp", 3389, vec![(0, sized(&[0xff, 0xff, 0xff, 0xff, 4, 0, 0, 1], 1_232))]),
        ("kerberos", "kerberos", 88, vec![(0, b"\x6a\x09\x30\x07\xa1\x03\x02\x01\x05\0\0".to_vec())]),
        ("syslog", "syslog", 514, vec![(0, b"<34>1 2026-11-22T06:00:00Z plc1 app - - - hello".to_vec())]),
        (
            "teamviewer",
            "teamviewer",
            5938,
            vec![
                (0, sized(b"\0\0\0\0\0\0\0\0\0\0\0\x17\x24\x0a\x01", 40)),
                (1, sized(b"\0\0\0\0\0\0\0\0\0\0\0\x17\x24\x0b\x01", 40)),
            ],
        ),
    ]
}

/// The conversation over one connection, a segment a turn.
pub fn tell(turns: &[Turn], port: u16) -> Decoded {
    let mut talk = Talk::new(port);
    talk.handshake();
    for (side, bytes) in turns.iter().filter(|turn| !turn.1.is_empty()) {
        talk.send(*side, ACK, bytes);
    }
    talk.decode()
}

/// The same in pieces of the given lengths, over and over, as small as the conversation may be cut.
pub fn tell_in_pieces(conversation: &Conversation, lengths: &[usize]) -> Decoded {
    let mut talk = Talk::new(conversation.port);
    talk.handshake();
    let mut lengths = lengths.iter().cycle();
    for (number, (side, bytes)) in conversation.turns.iter().enumerate() {
        let whole = match conversation.pieces {
            Pieces::Any => false,
            Pieces::FirstWhole => number == 0,
            Pieces::Whole => true,
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = if whole { rest.len() } else { (*lengths.next().unwrap()).min(rest.len()) };
            talk.send(*side, ACK, &rest[..length]);
            rest = &rest[length..];
        }
    }
    talk.decode()
}

/// The turns as datagrams between 10.0.0.1:40000 and 10.0.0.2:`port`.
pub fn tell_datagrams(turns: &[Turn], port: u16) -> Decoded {
    let frames: Vec<_> = turns
        .iter()
        .enumerate()
        .map(|(number, (side, bytes))| {
            let ports = if *side == 0 { [40_000, port] } else { [port, 40_000] };
            let mut udp = ports.map(u16::to_be_bytes).concat();
            udp.extend((8 + bytes.len() as u16).to_be_bytes());
            udp.extend([0, 0]);
            udp.extend(bytes);
            (START + number as i64 * 1_000_000, ipv4(*side, 17, number as u16, 64, &udp))
        })
        .collect();
    decode(&pcap(&frames), &[])
}

/// The flow's service and its confidence.
pub fn flow_service(decoded: &Decoded) -> (String, String) {
    let last = |column| decoded.column("flows", column).pop().expect("a flow");
    (last("service"), last("confidence"))
}

/// All that rows of introductions and transactions say, without frames and times.
pub fn said(decoded: &Decoded) -> Vec<String> {
    rows(decoded, |table, column| {
        ["services", "http", "observations"].contains(&table)
            && !["ts", "frame", "request_frame", "response_frame", "latency_ns"].contains(&column)
    })
}

/// Every row of every table as text.
pub fn everything(decoded: &Decoded) -> String {
    rows(decoded, |_, _| true).join("\n")
}

fn rows(decoded: &Decoded, wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for (table, batches) in &decoded.tables {
        let schema = batches[0].schema();
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|column| wanted(table, column))
            .collect();
        if !columns.is_empty() {
            all.extend(decoded.lines(table, &columns).into_iter().map(|row| format!("{table}: {row}")));
        }
    }
    all
}

/// True where the bytes hold the text.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
