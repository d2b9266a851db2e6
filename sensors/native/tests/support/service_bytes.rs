//! Messages of services, byte by byte as their standards have them.

use super::{PROOF, SECRET, Turn};

pub fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 3, 3];
    bytes.extend((body.len() as u16).to_be_bytes());
    bytes.extend(body);
    bytes
}

pub fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32;
    [&[kind][..], &length.to_be_bytes()[1..], body].concat()
}

pub fn medium(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

pub fn long(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes()[..], body].concat()
}

pub fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &medium(body)].concat()
}

/// RFC 4648, 4.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(sign) } else { '=' });
        }
    }
    text
}

/// What a planted text may be written as in a row.
pub fn forms(planted: &str) -> Vec<String> {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sixtyfour = base64(planted.as_bytes());
    let whole_groups = planted.len() / 3 * 4;
    vec![planted.to_owned(), digits(planted.as_bytes()), sixtyfour[..whole_groups].to_ascii_lowercase()]
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A ClientHello that offers TLS 1.3 and HTTP/2 (RFC 8446, 4.1.2).
pub fn client_hello(host_name: &str, datagrams: bool) -> Vec<u8> {
    let name = [&[0][..], &medium(host_name.as_bytes())].concat();
    let extensions = [
        extension(0, &medium(&name)),
        extension(16, &medium(b"\x02h2")),
        extension(43, b"\x02\x03\x04"),
        extension(13, &medium(&[4, 3])),
    ]
    .concat();
    let version: &[u8] = if datagrams { &[0xfe, 0xfd] } else { &[3, 3] };
    let cookie: &[u8] = if datagrams { &[0] } else { &[] };
    [version, &[7; 32], &[0], cookie, &medium(&[0x13, 1, 0x13, 2]), &[1, 0], &medium(&extensions)].concat()
}

pub fn server_hello() -> Vec<u8> {
    let extensions = [extension(43, &[3, 4]), extension(51, &[0, 29, 0, 1, 9])].concat();
    [&[3, 3][..], &[8; 32], &[0], &[0x13, 1, 0], &medium(&extensions)].concat()
}

pub fn tls(host_name: &str) -> Vec<Turn> {
    vec![
        (0, record(22, &handshake(1, &client_hello(host_name, false)))),
        (1, [record(22, &handshake(2, &server_hello())), record(20, &[1]), record(23, &[5; 64])].concat()),
        (0, [record(20, &[1]), record(23, &[6; 64])].concat()),
    ]
}

/// A packet in clear (RFC 4253, 6).
pub fn ssh_packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = (1 + payload.len() + padding) as u32;
    [&length.to_be_bytes()[..], &[padding as u8], payload, &vec![0; padding]].concat()
}

pub fn key_exchange(lists: [&str; 8]) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([9; 16]);
    for list in lists {
        payload.extend(long(list.as_bytes()));
    }
    payload.extend([0; 13]);
    ssh_packet(&payload)
}

pub fn ssh() -> Vec<Turn> {
    let lists =
        |kex| [kex, "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha1", "hmac-sha1", "none", "none"];
    vec![
        (1, b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec()),
        (0, b"SSH-2.0-PuTTY_0.81\r\n".to_vec()),
        (0, key_exchange(lists("curve25519-sha256,ext-info-c"))),
        (1, key_exchange(lists("curve25519-sha256,ext-info-s"))),
        (0, ssh_packet(&[30; 40])),
        (1, [ssh_packet(&[31; 90]), ssh_packet(&[21])].concat()),
        (0, ssh_packet(&[21])),
    ]
}

/// An X.224 connection TPDU within TPKT.
pub fn iso(code: u8, variable: &[u8]) -> Vec<u8> {
    let length = 11 + variable.len();
    let head = [3, 0, (length >> 8) as u8, length as u8, (length - 5) as u8, code, 0, 0, 0, 0, 0];
    [&head[..], variable].concat()
}

/// A client's NTLM message, both responses in it ([MS-NLMP], 2.2.1.3).
pub fn ntlm_login() -> Vec<u8> {
    let (domain, user, host) = (utf16("MINE"), utf16("operator1"), utf16("EWS1"));
    let parts = [PROOF.as_bytes(), PROOF.as_bytes(), &domain, &user, &host, b""];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 72u32;
    for part in parts {
        message.extend([part.len() as u8, 0, part.len() as u8, 0]);
        message.extend(at.to_le_bytes());
        at += part.len() as u32;
    }
    message.extend([1, 0, 0, 0]);
    message.resize(72, 0);
    [message, parts.concat()].concat()
}

pub fn smb2(command: u16, answers: bool, status: u32, body: &[u8]) -> Vec<u8> {
    let mut header = b"\xfeSMB\x40\0\0\0".to_vec();
    header.extend(status.to_le_bytes());
    header.extend(command.to_le_bytes());
    header.extend([1, 0, u8::from(answers), 0, 0, 0]);
    header.resize(64, 0);
    long(&[&header, body].concat())
}

pub fn tree_connect(path: &str) -> Vec<u8> {
    let path = utf16(path);
    [&[9, 0, 0, 0, 72, 0, path.len() as u8, 0][..], &path].concat()
}

pub fn rpc(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (16 + body.len()) as u16;
    let mut bytes = vec![5, 0, kind, 3, 0x10, 0, 0, 0];
    bytes.extend(length.to_le_bytes());
    bytes.extend([0, 0, 1, 0, 0, 0]);
    [bytes, body.to_vec()].concat()
}

/// One presentation context: an interface, and the usual transfer syntax (C706, 12.6.3.1).
pub fn bind(interface: &[u8; 16]) -> Vec<u8> {
    [&[0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0][..], interface, &[2, 0, 0, 0], &[7; 20]]
        .concat()
}

pub fn prelogin(encryption: u8) -> Vec<u8> {
    [&[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff][..], &[15, 0, 0x10, 0x7d, 0, 0], &[encryption]].concat()
}

pub fn tds(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (8 + body.len()) as u16;
    [&[kind, 1][..], &length.to_be_bytes(), &[0, 0, 1, 0], body].concat()
}

/// LOGIN7 ([MS-TDS], 2.2.6.4) without a database.
pub fn login7() -> Vec<u8> {
    let texts = ["EWS1", "sa", SECRET, "historian", "sql1", "", "", "", ""];
    let mut body = vec![0; 36];
    let mut at = 94u16;
    for text in texts {
        body.extend(at.to_le_bytes());
        body.extend((text.len() as u16).to_le_bytes());
        at += text.len() as u16 * 2;
    }
    body.resize(94, 0);
    // A password's half bytes change places, and then every other bit (2.2.6.4).
    let disguised = |byte: &u8| byte.rotate_left(4) ^ 0xa5;
    for (place, text) in texts.iter().enumerate() {
        let bytes = utf16(text);
        body.extend(if place == 2 { bytes.iter().map(disguised).collect() } else { bytes });
    }
    body
}

pub fn postgres_message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (4 + body.len()) as u32;
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

pub fn mysql_packet(number: u8, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..3], &[number], body].concat()
}

pub fn pptp(kind: u8, name: &str) -> Vec<u8> {
    let mut bytes = vec![0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, kind];
    bytes.resize(28, 0);
    bytes.extend(name.as_bytes());
    bytes.resize(92, 0);
    bytes.extend(b"Vendor");
    bytes.resize(156, 0);
    bytes
}

pub fn openvpn(side: usize) -> Vec<u8> {
    let (mine, theirs) = ([3 + side as u8; 8], [4 - side as u8; 8]);
    match side {
        0 => [&[7 << 3][..], &mine, &[0; 5]].concat(),
        _ => [&[8 << 3][..], &mine, &[1, 0, 0, 0, 0], &theirs, &[0; 4]].concat(),
    }
}
