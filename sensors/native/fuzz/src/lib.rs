//! What each fuzz target does with an input. libFuzzer calls it through `fuzz_targets/`, and `tests/fuzz_smoke.rs` on
//! every toolchain.

pub mod capture;
pub mod conversation;
pub mod datagrams;
pub mod frames;
pub mod layer2;
pub mod link;
pub mod messages;
pub mod modbus;
pub mod mqtt;
pub mod opcua;
pub mod operations;
pub mod packets;
pub mod services;
pub mod tcp;
pub mod watched;
pub mod websocket;

use messages::Form;

/// Something to fuzz: its name, what it does with an input, and the form of one, where it is a row of messages.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub form: Option<Form>,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target { name: "capture", run: capture::run, form: None },
    Target { name: "datagrams", run: datagrams::run, form: Some(datagrams::FORM) },
    Target { name: "frames", run: frames::run, form: Some(frames::FORM) },
    Target { name: "layer2", run: layer2::run, form: Some(layer2::FORM) },
    Target { name: "link", run: link::run, form: Some(link::FORM) },
    Target { name: "modbus", run: modbus::run, form: Some(modbus::FORM) },
    Target { name: "mqtt", run: mqtt::run, form: Some(mqtt::FORM) },
    Target { name: "opcua", run: opcua::run, form: Some(opcua::FORM) },
    Target { name: "operations", run: operations::run, form: Some(operations::FORM) },
    Target { name: "services", run: services::run, form: Some(services::FORM) },
    Target { name: "tcp", run: tcp::run, form: Some(tcp::FORM) },
];
