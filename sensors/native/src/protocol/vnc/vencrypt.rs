//! VeNCrypt: the kind of security, and whether a name and a password follow in clear.
//!
//! Not in RFC 6143; as in the community's rfbproto, "VeNCrypt". The password is passed over.

use super::super::Role;
use super::super::introduction::{Introduction, Step};
use super::super::reading::{Fields, text};
use super::TEXT_LIMIT;

/// Subtypes: name and password in clear, and those within TLS.
const PLAIN: u32 = 256;
const WITHIN_TLS: std::ops::RangeInclusive<u32> = 257..=264;

/// What a side sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Version,
    /// The server says whether the version will do.
    Agreement,
    /// The server's subtypes; the client's choice.
    Subtypes,
    /// The server lets TLS begin.
    Accepted,
    Credentials,
    Over,
}

#[derive(Debug)]
pub struct VeNCrypt {
    stages: [Stage; 2],
}

/// None where more bytes are needed; the next step, or none where the dialogue goes on.
type Reads = Option<Option<Step>>;

impl VeNCrypt {
    pub fn new() -> Self {
        Self { stages: [Stage::Version; 2] }
    }

    /// The result of the login is next, as without VeNCrypt.
    pub fn is_over(&self) -> bool {
        self.stages == [Stage::Over; 2]
    }

    pub fn read(&mut self, from: Role, fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
        let side = from.index();
        match (from, self.stages[side]) {
            (Role::Server, Stage::Version) => {
                fields.u16()?;
                self.stages[side] = Stage::Agreement;
            }
            (Role::Client, Stage::Version) => {
                fields.u16()?;
                self.stages[side] = Stage::Subtypes;
            }
            (Role::Server, Stage::Agreement) => {
                if fields.u8()? != 0 {
                    return Some(Some(Step::Done));
                }
                self.stages[side] = Stage::Subtypes;
            }
            (Role::Server, Stage::Subtypes) => {
                let count = usize::from(fields.u8()?);
                fields.take(4 * count)?;
                self.stages[side] = Stage::Accepted;
            }
            (Role::Client, Stage::Subtypes) => return Some(self.chosen(fields.u32()?, said)),
            (Role::Server, Stage::Accepted) => {
                fields.u8()?;
                return Some(Some(Step::HandOver));
            }
            (Role::Client, Stage::Credentials) => {
                let lengths = [fields.u32()?, fields.u32()?].map(|length| usize::try_from(length).ok());
                let [Some(name), Some(password)] = lengths else { return Some(Some(Step::Done)) };
                if name.saturating_add(password) > TEXT_LIMIT {
                    return Some(Some(Step::Done));
                }
                said.user = text(fields.take(name)?, 128);
                fields.take(password)?;
                said.secret_seen = password > 0;
                self.stages = [Stage::Over; 2];
            }
            _ => return Some(Some(Step::Done)),
        }
        Some(None)
    }

    fn chosen(&mut self, subtype: u32, said: &mut Introduction) -> Option<Step> {
        said.encrypted = WITHIN_TLS.contains(&subtype);
        said.remark(match subtype {
            PLAIN => "name and password in clear".to_owned(),
            257 | 260 => "without a login of its own".to_owned(),
            258 | 261 => "VNC authentication within TLS".to_owned(),
            259 | 262 => "name and password within TLS".to_owned(),
            263 | 264 => "SASL within TLS".to_owned(),
            other => format!("subtype {other}"),
        });
        if subtype == PLAIN {
            self.stages = [Stage::Credentials, Stage::Over];
            return None;
        }
        self.stages[0] = Stage::Over;
        (!said.encrypted).then_some(Step::Done)
    }
}
