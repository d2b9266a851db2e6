//! Every service by the types of its messages (OPC 10000-6, Annex A: `…_Encoding_DefaultBinary`).

use crate::words::{OperationClass, words};

/// The type of a failure without a body (OPC 10000-4, 7.34): any service's response.
pub const SERVICE_FAULT: u32 = 397;

/// Which half of a service call a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Request,
    Response,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $request:literal, $response:literal, $class:ident;)+) => {
        words! {
            /// A service (OPC 10000-4, clause 5); empty where the message is none or cannot be read.
            UaService {
                Unknown = "",
                $($(#[$doc])* $name = $word,)+
            }
        }

        impl UaService {
            /// The service and half that a message of this type is.
            pub fn of_type(number: u32) -> Option<(Self, Half)> {
                match number {
                    $($request => Some((Self::$name, Half::Request)),
                    $response => Some((Self::$name, Half::Response)),)+
                    _ => None,
                }
            }

            /// What a call of it does to the server.
            pub fn class(self) -> OperationClass {
                match self {
                    Self::Unknown => OperationClass::Other,
                    $(Self::$name => OperationClass::$class,)+
                }
            }
        }
    };
}

services! {
    FindServers = "FindServers", 422, 425, Discover;
    FindServersOnNetwork = "FindServersOnNetwork", 12208, 12209, Discover;
    GetEndpoints = "GetEndpoints", 428, 431, Discover;
    RegisterServer = "RegisterServer", 437, 440, Configure;
    RegisterServer2 = "RegisterServer2", 12211, 12212, Configure;
    OpenSecureChannel = "OpenSecureChannel", 446, 449, Session;
    CloseSecureChannel = "CloseSecureChannel", 452, 455, Session;
    CreateSession = "CreateSession", 461, 464, Session;
    ActivateSession = "ActivateSession", 467, 470, Session;
    CloseSession = "CloseSession", 473, 476, Session;
    Cancel = "Cancel", 479, 482, Session;
    AddNodes = "AddNodes", 488, 491, Configure;
    AddReferences = "AddReferences", 494, 497, Configure;
    DeleteNodes = "DeleteNodes", 500, 503, Configure;
    DeleteReferences = "DeleteReferences", 506, 509, Configure;
    Browse = "Browse", 527, 530, Discover;
    BrowseNext = "BrowseNext", 533, 536, Discover;
    TranslateBrowsePaths = "TranslateBrowsePathsToNodeIds", 554, 557, Discover;
    RegisterNodes = "RegisterNodes", 560, 563, Session;
    UnregisterNodes = "UnregisterNodes", 566, 569, Session;
    QueryFirst = "QueryFirst", 615, 618, Discover;
    QueryNext = "QueryNext", 621, 624, Discover;
    Read = "Read", 631, 634, Read;
    HistoryRead = "HistoryRead", 664, 667, Read;
    Write = "Write", 673, 676, Write;
    HistoryUpdate = "HistoryUpdate", 700, 703, Write;
    Call = "Call", 712, 715, Call;
    CreateMonitoredItems = "CreateMonitoredItems", 751, 754, Read;
    ModifyMonitoredItems = "ModifyMonitoredItems", 763, 766, Session;
    SetMonitoringMode = "SetMonitoringMode", 769, 772, Session;
    SetTriggering = "SetTriggering", 775, 778, Session;
    DeleteMonitoredItems = "DeleteMonitoredItems", 781, 784, Session;
    CreateSubscription = "CreateSubscription", 787, 790, Session;
    ModifySubscription = "ModifySubscription", 793, 796, Session;
    SetPublishingMode = "SetPublishingMode", 799, 802, Session;
    Publish = "Publish", 826, 829, Read;
    Republish = "Republish", 832, 835, Read;
    TransferSubscriptions = "TransferSubscriptions", 841, 844, Session;
    DeleteSubscriptions = "DeleteSubscriptions", 847, 850, Session;
    /// A call without a session (OPC 10000-6, 6.4): what it calls is inside and is not read.
    SessionlessInvoke = "SessionlessInvoke", 15903, 21001, Other;
}

/// Attributes of nodes by their numbers, from 1 on (OPC 10000-6, Annex A.1).
const ATTRIBUTES: [&str; 27] = [
    "NodeId",
    "NodeClass",
    "BrowseName",
    "DisplayName",
    "Description",
    "WriteMask",
    "UserWriteMask",
    "IsAbstract",
    "Symmetric",
    "InverseName",
    "ContainsNoLoops",
    "EventNotifier",
    "Value",
    "DataType",
    "ValueRank",
    "ArrayDimensions",
    "AccessLevel",
    "UserAccessLevel",
    "MinimumSamplingInterval",
    "Historizing",
    "Executable",
    "UserExecutable",
    "DataTypeDefinition",
    "RolePermissions",
    "UserRolePermissions",
    "AccessRestrictions",
    "AccessLevelEx",
];

/// An attribute by its number, as a word; the number where it has none.
pub fn attribute(number: u32) -> String {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match place.and_then(|place| ATTRIBUTES.get(place)) {
        Some(word) => (*word).to_owned(),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    #[test]
    fn every_service_has_two_types_of_its_own() {
        let mut types = 0;
        for number in 0..30_000 {
            if let Some((service, _)) = UaService::of_type(number) {
                assert_ne!(service, UaService::Unknown);
                types += 1;
            }
        }
        assert_eq!(types, 2 * (UaService::WORDS.len() - 1));
        assert_eq!(UaService::of_type(673), Some((UaService::Write, Half::Request)));
        assert_eq!(UaService::of_type(SERVICE_FAULT), None);
    }

    #[test]
    fn attributes_have_the_numbers_of_the_specification() {
        assert_eq!((attribute(1), attribute(13)), ("NodeId".to_owned(), "Value".to_owned()));
        assert_eq!((attribute(27), attribute(28)), ("AccessLevelEx".to_owned(), "28".to_owned()));
        assert_eq!(attribute(0), "0");
    }
}
