//! Files (IEEE 1815, A.29): which one, and what is to be done with it. Passwords and keys are passed over.

use crate::protocol::operation::{Reader, printable};

/// What a file object says; `None` where it says nothing that is told.
pub fn show(variation: u8, data: Reader<'_>) -> Option<String> {
    match variation {
        2 => authentication(data),
        3 => command(data),
        8 => Some(printable(data.0)),
        _ => None,
    }
}

/// Text that a place and a length at the object's start point to.
fn pointed(object: &[u8], at: u16, length: u16) -> Option<&[u8]> {
    object.get(usize::from(at)..)?.get(..usize::from(length))
}

/// A user's name, and a password of which only the presence is told.
fn authentication(mut data: Reader<'_>) -> Option<String> {
    let object = data.0;
    let name = pointed(object, data.u16_le()?, data.u16_le()?)?;
    let password = pointed(object, data.u16_le()?, data.u16_le()?)?;
    let presence = if password.is_empty() { "no password" } else { "password present" };
    Some(format!("user {}, {presence}", printable(name)))
}

/// What is to be done with the file of a name.
fn command(mut data: Reader<'_>) -> Option<String> {
    let object = data.0;
    let name = pointed(object, data.u16_le()?, data.u16_le()?)?;
    // Time of creation, permissions, authentication key, size.
    data.skip(6 + 2 + 4 + 4)?;
    let mode = match data.u16_le()? {
        1 => "read ",
        2 => "write ",
        3 => "append to ",
        _ => "",
    };
    Some(format!("{mode}{}", printable(name)))
}
