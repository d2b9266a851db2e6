//! Functions of S7comm-plus: their names and what they do.

use std::borrow::Cow;

use crate::words::OperationClass as Class;

pub const EXPLORE: u16 = 0x04bb;
pub const CREATE_OBJECT: u16 = 0x04ca;
pub const DELETE_OBJECT: u16 = 0x04d4;
pub const SET_VARIABLE: u16 = 0x04f2;
pub const GET_LINK: u16 = 0x0524;
pub const SET_VARIABLES: u16 = 0x0542;
pub const GET_VARIABLES: u16 = 0x054c;
pub const INVOKE: u16 = 0x056b;
pub const SET_SUBSTREAM: u16 = 0x057c;
pub const GET_SUBSTREAM: u16 = 0x0586;

pub fn name(function: u16) -> Cow<'static, str> {
    let known = match function {
        0x04b1 | 0x05a9 => "error",
        EXPLORE => "explore",
        CREATE_OBJECT => "create object",
        DELETE_OBJECT => "delete object",
        SET_VARIABLE => "set variable",
        0x04fc => "get variable",
        0x0506 => "add link",
        0x051a => "remove link",
        GET_LINK => "get link",
        SET_VARIABLES => "set multiple variables",
        GET_VARIABLES => "get multiple variables",
        0x0556 => "begin sequence",
        0x0560 => "end sequence",
        INVOKE => "invoke",
        SET_SUBSTREAM => "set variable substream",
        GET_SUBSTREAM => "get variable substream",
        0x0590 => "get addresses of variables",
        0x059a => "abort",
        0x05b3 => "begin TLS",
        _ => return format!("function 0x{function:04x}").into(),
    };
    known.into()
}

/// What a function does, where its body does not tell it better.
pub fn class(function: u16, version: u8) -> Class {
    match function {
        EXPLORE | 0x0590 => Class::Discover,
        // The session is an object too: it is made before protection is agreed, in version 1.
        CREATE_OBJECT | DELETE_OBJECT if version == 1 => Class::Session,
        CREATE_OBJECT | DELETE_OBJECT | 0x0506 | 0x051a => Class::Program,
        SET_VARIABLE | SET_VARIABLES | SET_SUBSTREAM => Class::Write,
        0x04fc | GET_LINK | GET_VARIABLES | GET_SUBSTREAM => Class::Read,
        0x0556 | 0x0560 | 0x059a | 0x05b3 => Class::Session,
        _ => Class::Other,
    }
}
