//! OPC UA messages, byte by byte as OPC 10000-6 has them, and conversations made of them.

use super::{ACK, Decoded, Talk};

pub const POLICY: &str = "http://opcfoundation.org/UA/SecurityPolicy#";
pub const CHANNEL: u32 = 7;
pub const TOKEN: u32 = 1;

pub const READ: u32 = 631;
pub const READ_RESPONSE: u32 = 634;
pub const WRITE: u32 = 673;
pub const WRITE_RESPONSE: u32 = 676;
pub const PUBLISH: u32 = 826;
pub const PUBLISH_RESPONSE: u32 = 829;
pub const FAULT: u32 = 397;

pub fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub fn string(text: &str) -> Vec<u8> {
    [&words(&[text.len() as u32])[..], text.as_bytes()].concat()
}

/// A string node of namespace 2.
pub fn node(name: &str) -> Vec<u8> {
    [&[3, 2, 0][..], &string(name)].concat()
}

pub fn chunk(word: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&word[..], &words(&[8 + body.len() as u32]), body].concat()
}

pub fn hello(url: &str) -> Vec<u8> {
    chunk(b"HELF", &[words(&[0, 65_535, 65_535, 0, 0]), string(url)].concat())
}

pub fn acknowledge() -> Vec<u8> {
    chunk(b"ACKF", &words(&[0, 65_535, 65_535, 0, 0]))
}

/// A service's type as the numeric node that every stack sends.
pub fn type_id(number: u32) -> Vec<u8> {
    [&[1, 0][..], &(number as u16).to_le_bytes()].concat()
}

/// A request's type and header, with the token of a session as a number; 0 without one.
pub fn request(number: u32, session: u32, body: &[u8]) -> Vec<u8> {
    let token = [&[2, 1, 0][..], &words(&[session])].concat();
    let token = if session == 0 { vec![0, 0] } else { token };
    let rest = [&words(&[0, 0, 99, 0, u32::MAX, 10_000])[..], &[0, 0, 0]].concat();
    [type_id(number), token, rest, body.to_vec()].concat()
}

pub fn response(number: u32, status: u32, body: &[u8]) -> Vec<u8> {
    let header = [&words(&[0, 0, 99, status])[..], &[0], &words(&[u32::MAX]), &[0, 0, 0]].concat();
    [type_id(number), header, body.to_vec()].concat()
}

/// A chunk of a message in a channel.
pub fn secured(word: &[u8; 4], sequence: u32, request_id: u32, bytes: &[u8]) -> Vec<u8> {
    chunk(word, &[words(&[CHANNEL, TOKEN, sequence, request_id]), bytes.to_vec()].concat())
}

/// The opening of a channel; without a policy in the clear.
pub fn open(policy: &str, channel: u32, body: &[u8]) -> Vec<u8> {
    let header = [words(&[channel]), string(&format!("{POLICY}{policy}")), words(&[u32::MAX, u32::MAX])];
    chunk(b"OPNF", &[header.concat(), body.to_vec()].concat())
}

/// OpenSecureChannel's request in the clear (mode 1: none).
pub fn open_request(sequence: u32, request_id: u32) -> Vec<u8> {
    let body = [words(&[0, 0, 1, u32::MAX]), words(&[60_000])].concat();
    open("None", 0, &[words(&[sequence, request_id]), request(446, 0, &body)].concat())
}

pub fn open_response(sequence: u32, request_id: u32) -> Vec<u8> {
    let body = words(&[0, CHANNEL, TOKEN, 0, 0, 60_000, u32::MAX]);
    open("None", CHANNEL, &[words(&[sequence, request_id]), response(449, 0, &body)].concat())
}

/// A read of one node's value.
pub fn read(name: &str) -> Vec<u8> {
    let value_id = [node(name), words(&[13, u32::MAX]), vec![0, 0], words(&[u32::MAX])].concat();
    request(READ, 0, &[words(&[0, 0, 0, 1]), value_id].concat())
}

/// Its response with a 32-bit number.
pub fn value(number: u32) -> Vec<u8> {
    response(READ_RESPONSE, 0, &[&words(&[1])[..], &[1, 7], &words(&[number]), &words(&[u32::MAX])].concat())
}

/// A write of a 32-bit number to one node's value, in a session.
pub fn write(name: &str, number: u32, session: u32) -> Vec<u8> {
    let value = [node(name), words(&[13, u32::MAX]), vec![1, 7], words(&[number])].concat();
    request(WRITE, session, &[words(&[1]), value].concat())
}

pub fn written(status: u32) -> Vec<u8> {
    response(WRITE_RESPONSE, 0, &words(&[1, status, u32::MAX]))
}

/// A conversation that counts sequence numbers and requests.
pub struct Ua {
    pub talk: Talk,
    pub sequence: [u32; 2],
    pub request_id: u32,
    /// Which side of the TCP connection is the OPC UA client.
    pub asker: usize,
}

impl Ua {
    /// Nothing is sent yet.
    pub fn new(port: u16) -> Self {
        Self { talk: Talk::new(port), sequence: [50, 50], request_id: 0, asker: 0 }
    }

    /// Connected, with a channel in the clear.
    pub fn opened() -> Self {
        let mut ua = Self::new(4_840);
        ua.talk.handshake();
        ua.connect();
        ua
    }

    pub fn connect(&mut self) {
        self.send(self.asker, &hello("opc.tcp://plc1:4840"));
        self.send(1 - self.asker, &acknowledge());
        let (asked, answered) = (self.next(self.asker), self.next(1 - self.asker));
        self.request_id += 1;
        let id = self.request_id;
        self.send(self.asker, &open_request(asked, id));
        self.send(1 - self.asker, &open_response(answered, id));
    }

    pub fn send(&mut self, side: usize, bytes: &[u8]) -> &mut Self {
        self.talk.send(side, ACK, bytes);
        self
    }

    /// The next sequence number of a side.
    pub fn next(&mut self, side: usize) -> u32 {
        self.sequence[side] += 1;
        self.sequence[side]
    }

    /// The bytes of a request in one chunk, and its identifier.
    pub fn asked(&mut self, message: &[u8]) -> (Vec<u8>, u32) {
        self.request_id += 1;
        let sequence = self.next(self.asker);
        (secured(b"MSGF", sequence, self.request_id, message), self.request_id)
    }

    pub fn answered(&mut self, id: u32, message: &[u8]) -> Vec<u8> {
        let sequence = self.next(1 - self.asker);
        secured(b"MSGF", sequence, id, message)
    }

    /// Sends a request; its identifier.
    pub fn ask(&mut self, message: &[u8]) -> u32 {
        let (bytes, id) = self.asked(message);
        self.send(self.asker, &bytes);
        id
    }

    pub fn answer(&mut self, id: u32, message: &[u8]) -> &mut Self {
        let bytes = self.answered(id, message);
        self.send(1 - self.asker, &bytes)
    }

    /// A request and its response.
    pub fn call(&mut self, request: &[u8], response: &[u8]) -> &mut Self {
        let id = self.ask(request);
        self.answer(id, response)
    }

    pub fn decode(&self) -> Decoded {
        self.talk.decode()
    }
}

/// The messages of a conversation behind the opening of its channel, a line a row.
pub fn messages(decoded: &Decoded, columns: &[&str]) -> Vec<String> {
    let kinds = decoded.column("opcua", "message_type");
    let lines = decoded.lines("opcua", columns);
    kinds.iter().zip(lines).filter(|(kind, _)| *kind == "MSG").map(|(_, line)| line).collect()
}
