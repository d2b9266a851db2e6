//! FindServers and GetEndpoints (OPC 10000-4, 5.5), and the descriptions that they give (7.2 and 7.14).

use super::super::certificate::Certificate;
use super::super::reader::{Read, Reader};
use super::super::said::{About, Said};
use super::super::text::{TEXT_LIMIT, Text};
use crate::words::ObservationKind;

/// What an application says of itself.
#[derive(Debug, Default)]
pub struct Application {
    pub uri: String,
    pub product_uri: String,
    pub name: String,
    /// 3 is a server that only tells of others.
    pub kind: u32,
}

const DISCOVERY_SERVER: u32 = 3;

/// The fewest bytes of an application's description, and of an endpoint's.
const APPLICATION: usize = 25;
const ENDPOINT: usize = 50;

impl Application {
    pub fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let uri = reader.text(TEXT_LIMIT)?;
        let product_uri = reader.text(TEXT_LIMIT)?;
        let mut name = Text::new(TEXT_LIMIT);
        name.push_bytes(reader.localized_text()?);
        let kind = reader.u32()?;
        // Gateway, discovery profile, discovery URLs.
        reader.string()?;
        reader.string()?;
        reader.skip_strings()?;
        Ok(Self { uri, product_uri, name: name.into_string(), kind })
    }

    /// Says it of one end of the connection.
    pub fn tell(self, about: About, said: &mut Said) {
        said.tell(about, ObservationKind::ApplicationUri, self.uri);
        said.tell(about, ObservationKind::Software, self.name);
    }
}

pub fn request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    said.endpoint_url = reader.text(TEXT_LIMIT)?;
    Ok(())
}

pub fn find_servers_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(APPLICATION)?;
    said.count(count);
    for _ in 0..count {
        let application = Application::read(reader)?;
        said.values.push_string(application.uri.clone());
        // A list of several is a discovery server's, and tells of others.
        if count == 1 && application.kind != DISCOVERY_SERVER {
            application.tell(About::Server, said);
        }
    }
    Ok(())
}

pub fn endpoints_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    endpoints(reader, said)
}

/// Endpoints as `url policy mode`; they are the answering server's own.
pub fn endpoints(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(ENDPOINT)?;
    said.count(count);
    for number in 0..count {
        let mut value = said.values.entry();
        value.push_bytes(reader.string()?.unwrap_or_default());
        let application = Application::read(reader)?;
        let certificate = reader.string()?.unwrap_or_default();
        let mode = match reader.u32()? {
            1 => " none",
            2 => " sign",
            3 => " sign_and_encrypt",
            _ => " invalid mode",
        };
        let policy = reader.string()?.unwrap_or_default();
        value.push(" ");
        value.push_bytes(policy.rsplit(|byte| *byte == b'#').next().unwrap_or_default());
        value.push(mode);
        said.values.push(value);
        for _ in 0..reader.count(20)? {
            token_policy(reader)?;
        }
        reader.string()?;
        reader.u8()?;
        if number == 0 {
            application.tell(About::Server, said);
            if let Some(certificate) = Certificate::read(certificate) {
                said.remark(&format!("server certificate {}", certificate.thumbprint));
            }
        }
    }
    Ok(())
}

/// How users may say who they are (7.42).
fn token_policy(reader: &mut Reader<'_>) -> Read<()> {
    reader.string()?;
    reader.u32()?;
    for _ in 0..3 {
        reader.string()?;
    }
    Ok(())
}
