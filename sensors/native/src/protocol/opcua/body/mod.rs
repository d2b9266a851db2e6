//! Bodies of service calls (OPC 10000-4, clause 5), one file a group; what they say out.
//!
//! What was read before a flaw stays: a message that breaks off still says what it said.

mod attribute;
mod discovery;
mod history;
mod inventory;
mod method;
mod node_management;
mod session;
mod subscription;
mod view;

use super::diagnostics;
use super::known::Known;
use super::reader::{Read, Reader};
use super::said::Said;
use super::service::UaService;
use super::session::Sessions;
use super::status::Status;

pub use session::{open_request, open_response};

/// What a body is read with.
pub struct Context<'a> {
    pub known: &'a Known,
    pub sessions: &'a Sessions,
}

/// Reads a request's parameters, behind its header.
pub fn request(
    service: UaService,
    reader: &mut Reader<'_>,
    context: &Context<'_>,
    said: &mut Said,
) -> Read<()> {
    let known = context.known;
    match service {
        UaService::FindServers | UaService::GetEndpoints => discovery::request(reader, said),
        UaService::CreateSession => session::create_request(reader, said),
        UaService::ActivateSession => session::activate_request(reader, said),
        UaService::CloseSession => session::close_request(reader, said),
        UaService::Read => attribute::read_request(reader, known, said),
        UaService::Write => attribute::write_request(reader, known, said),
        UaService::HistoryRead => history::read_request(reader, known, said),
        UaService::HistoryUpdate => history::update_request(reader, known, said),
        UaService::Call => method::request(reader, known, said),
        UaService::Browse => view::browse_request(reader, known, said),
        UaService::BrowseNext => view::browse_next_request(reader, said),
        UaService::TranslateBrowsePaths => view::translate_request(reader, known, said),
        UaService::RegisterNodes => view::register_request(reader, said),
        UaService::UnregisterNodes => view::unregister_request(reader, known, said),
        UaService::AddNodes => node_management::add_nodes_request(reader, said),
        UaService::DeleteNodes => node_management::delete_nodes_request(reader, known, said),
        UaService::AddReferences => node_management::add_references_request(reader, known, said),
        UaService::DeleteReferences => node_management::delete_references_request(reader, known, said),
        UaService::CreateSubscription => subscription::create_request(reader, said),
        UaService::CreateMonitoredItems => subscription::monitor_request(reader, known, said),
        UaService::DeleteSubscriptions => subscription::delete_request(reader, said),
        UaService::Publish => subscription::publish_request(reader, said),
        UaService::ModifySubscription
        | UaService::ModifyMonitoredItems
        | UaService::SetMonitoringMode
        | UaService::SetTriggering
        | UaService::DeleteMonitoredItems
        | UaService::Republish => {
            said.subscription = Some(reader.u32()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads a response's results, behind its header; `asked` is its request, where that was seen.
pub fn response(
    service: UaService,
    reader: &mut Reader<'_>,
    asked: Option<&Said>,
    context: &Context<'_>,
    said: &mut Said,
) -> Read<()> {
    match service {
        UaService::FindServers => discovery::find_servers_response(reader, said),
        UaService::GetEndpoints => discovery::endpoints_response(reader, said),
        UaService::CreateSession => session::create_response(reader, context.sessions, said),
        UaService::ActivateSession => session::activate_response(reader, said),
        UaService::Read => attribute::read_response(reader, asked, said),
        UaService::HistoryRead => history::read_response(reader, said),
        UaService::HistoryUpdate => history::update_response(reader, said),
        UaService::Call => method::response(reader, asked, said),
        UaService::Browse | UaService::BrowseNext => view::browse_response(reader, said),
        UaService::TranslateBrowsePaths => view::translate_response(reader, said),
        UaService::RegisterNodes => view::register_response(reader, said),
        UaService::AddNodes => node_management::add_nodes_response(reader, said),
        UaService::CreateSubscription => subscription::create_response(reader, said),
        UaService::CreateMonitoredItems => subscription::monitor_response(reader, said),
        UaService::Publish => subscription::publish_response(reader, context.known, said),
        UaService::Republish => subscription::republish_response(reader, asked, context.known, said),
        UaService::Write
        | UaService::DeleteNodes
        | UaService::AddReferences
        | UaService::DeleteReferences
        | UaService::SetMonitoringMode
        | UaService::SetPublishingMode
        | UaService::DeleteMonitoredItems
        | UaService::DeleteSubscriptions => statuses(reader, said),
        _ => Ok(()),
    }
}

/// The results of a service that has nothing else: a status for each operation, and diagnostics.
fn statuses(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(4)?;
    said.count(count);
    for _ in 0..count {
        said.result(Status(reader.u32()?));
    }
    diagnostics::skip_array(reader)
}
