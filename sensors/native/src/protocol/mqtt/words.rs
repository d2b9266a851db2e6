//! The closed sets of words of the `mqtt` table.

use crate::words::words;

words! {
    /// Control packet types (MQTT 5.0, 2.1.2), in the order of their numbers from 1.
    PacketType {
        Connect = "connect",
        Connack = "connack",
        Publish = "publish",
        Puback = "puback",
        Pubrec = "pubrec",
        Pubrel = "pubrel",
        Pubcomp = "pubcomp",
        Subscribe = "subscribe",
        Suback = "suback",
        Unsubscribe = "unsubscribe",
        Unsuback = "unsuback",
        Pingreq = "pingreq",
        Pingresp = "pingresp",
        Disconnect = "disconnect",
        Auth = "auth",
    }
}

impl PacketType {
    /// The type in the upper half of a fixed header's first byte.
    #[inline]
    pub fn of(first: u8) -> Option<Self> {
        use PacketType as P;
        let kind = match first >> 4 {
            1 => P::Connect,
            2 => P::Connack,
            3 => P::Publish,
            4 => P::Puback,
            5 => P::Pubrec,
            6 => P::Pubrel,
            7 => P::Pubcomp,
            8 => P::Subscribe,
            9 => P::Suback,
            10 => P::Unsubscribe,
            11 => P::Unsuback,
            12 => P::Pingreq,
            13 => P::Pingresp,
            14 => P::Disconnect,
            15 => P::Auth,
            _ => return None,
        };
        Some(kind)
    }
}

words! {
    /// Which MQTT a connection speaks.
    Version {
        Unknown = "",
        V31 = "3.1",
        V311 = "3.1.1",
        V5 = "5",
        /// 3.1 or 3.1.1: the CONNECT packet was not seen, and a packet has a form that 5 does not have.
        V3 = "3",
    }
}

words! {
    /// Which way a packet went.
    Direction {
        ToBroker = "client_to_broker",
        ToClient = "broker_to_client",
    }
}

words! {
    /// What a payload looks like; a hint, from its first bytes.
    PayloadKind {
        /// The packet has no payload field.
        None = "",
        Empty = "empty",
        Json = "json",
        Text = "text",
        SparkplugB = "sparkplug_b",
        Binary = "binary",
    }
}

words! {
    /// Message types of Sparkplug 3.0 (4).
    SparkplugType {
        None = "",
        Nbirth = "nbirth",
        Ndeath = "ndeath",
        Dbirth = "dbirth",
        Ddeath = "ddeath",
        Ndata = "ndata",
        Ddata = "ddata",
        Ncmd = "ncmd",
        Dcmd = "dcmd",
        State = "state",
    }
}

words! {
    /// Reason codes (MQTT 5.0, 2.4); the return codes of 3.1.1 (3.2.2.3, 3.9.3) have the same names.
    Reason {
        None = "",
        Success = "success",
        NormalDisconnection = "normal_disconnection",
        GrantedQos0 = "granted_qos_0",
        GrantedQos1 = "granted_qos_1",
        GrantedQos2 = "granted_qos_2",
        DisconnectWithWill = "disconnect_with_will_message",
        NoMatchingSubscribers = "no_matching_subscribers",
        NoSubscriptionExisted = "no_subscription_existed",
        ContinueAuthentication = "continue_authentication",
        ReAuthenticate = "re_authenticate",
        UnspecifiedError = "unspecified_error",
        MalformedPacket = "malformed_packet",
        ProtocolError = "protocol_error",
        ImplementationSpecificError = "implementation_specific_error",
        UnsupportedProtocolVersion = "unsupported_protocol_version",
        ClientIdentifierNotValid = "client_identifier_not_valid",
        BadUserNameOrPassword = "bad_user_name_or_password",
        NotAuthorized = "not_authorized",
        ServerUnavailable = "server_unavailable",
        ServerBusy = "server_busy",
        Banned = "banned",
        ServerShuttingDown = "server_shutting_down",
        BadAuthenticationMethod = "bad_authentication_method",
        KeepAliveTimeout = "keep_alive_timeout",
        SessionTakenOver = "session_taken_over",
        TopicFilterInvalid = "topic_filter_invalid",
        TopicNameInvalid = "topic_name_invalid",
        PacketIdentifierInUse = "packet_identifier_in_use",
        PacketIdentifierNotFound = "packet_identifier_not_found",
        ReceiveMaximumExceeded = "receive_maximum_exceeded",
        TopicAliasInvalid = "topic_alias_invalid",
        PacketTooLarge = "packet_too_large",
        MessageRateTooHigh = "message_rate_too_high",
        QuotaExceeded = "quota_exceeded",
        AdministrativeAction = "administrative_action",
        PayloadFormatInvalid = "payload_format_invalid",
        RetainNotSupported = "retain_not_supported",
        QosNotSupported = "qos_not_supported",
        UseAnotherServer = "use_another_server",
        ServerMoved = "server_moved",
        SharedSubscriptionsNotSupported = "shared_subscriptions_not_supported",
        ConnectionRateExceeded = "connection_rate_exceeded",
        MaximumConnectTime = "maximum_connect_time",
        SubscriptionIdentifiersNotSupported = "subscription_identifiers_not_supported",
        WildcardSubscriptionsNotSupported = "wildcard_subscriptions_not_supported",
        /// A code that the standard does not have.
        Unknown = "unknown",
    }
}

/// From here on a reason code says that something failed (MQTT 5.0, 2.4).
pub const FAILURE: u8 = 0x80;

/// Reason codes from `FAILURE` on, in order: 0x80 to 0xa2.
const FAILURES: [Reason; 35] = [
    Reason::UnspecifiedError,
    Reason::MalformedPacket,
    Reason::ProtocolError,
    Reason::ImplementationSpecificError,
    Reason::UnsupportedProtocolVersion,
    Reason::ClientIdentifierNotValid,
    Reason::BadUserNameOrPassword,
    Reason::NotAuthorized,
    Reason::ServerUnavailable,
    Reason::ServerBusy,
    Reason::Banned,
    Reason::ServerShuttingDown,
    Reason::BadAuthenticationMethod,
    Reason::KeepAliveTimeout,
    Reason::SessionTakenOver,
    Reason::TopicFilterInvalid,
    Reason::TopicNameInvalid,
    Reason::PacketIdentifierInUse,
    Reason::PacketIdentifierNotFound,
    Reason::ReceiveMaximumExceeded,
    Reason::TopicAliasInvalid,
    Reason::PacketTooLarge,
    Reason::MessageRateTooHigh,
    Reason::QuotaExceeded,
    Reason::AdministrativeAction,
    Reason::PayloadFormatInvalid,
    Reason::RetainNotSupported,
    Reason::QosNotSupported,
    Reason::UseAnotherServer,
    Reason::ServerMoved,
    Reason::SharedSubscriptionsNotSupported,
    Reason::ConnectionRateExceeded,
    Reason::MaximumConnectTime,
    Reason::SubscriptionIdentifiersNotSupported,
    Reason::WildcardSubscriptionsNotSupported,
];

impl Reason {
    /// The name of a code in a packet of a type; `before_5` where the connection speaks 3.1 or 3.1.1.
    pub fn of(code: u8, packet: PacketType, before_5: bool) -> Self {
        if packet == PacketType::Connack && before_5 {
            return match code {
                0 => Self::Success,
                1 => Self::UnsupportedProtocolVersion,
                2 => Self::ClientIdentifierNotValid,
                3 => Self::ServerUnavailable,
                4 => Self::BadUserNameOrPassword,
                5 => Self::NotAuthorized,
                _ => Self::Unknown,
            };
        }
        match (code, packet) {
            (0, PacketType::Suback) => Self::GrantedQos0,
            (0, PacketType::Disconnect) => Self::NormalDisconnection,
            (0, _) => Self::Success,
            (1, PacketType::Suback) => Self::GrantedQos1,
            (2, PacketType::Suback) => Self::GrantedQos2,
            (0x04, _) => Self::DisconnectWithWill,
            (0x10, _) => Self::NoMatchingSubscribers,
            (0x11, _) => Self::NoSubscriptionExisted,
            (0x18, _) => Self::ContinueAuthentication,
            (0x19, _) => Self::ReAuthenticate,
            (FAILURE.., _) => FAILURES.get(usize::from(code - FAILURE)).copied().unwrap_or(Self::Unknown),
            _ => Self::Unknown,
        }
    }
}

/// True where a code says that something was refused.
pub fn is_refusal(code: u8, packet: PacketType, before_5: bool) -> bool {
    code >= FAILURE || (packet == PacketType::Connack && before_5 && code != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    #[test]
    fn every_type_has_its_number() {
        for number in 1..=15u8 {
            assert_eq!(PacketType::of(number << 4).map(|kind| kind.number() + 1), Some(number));
        }
        assert_eq!(PacketType::of(0x0f), None);
    }

    #[test]
    fn a_code_is_named_by_its_packet_and_version() {
        use PacketType as P;
        assert_eq!(Reason::of(0x87, P::Connack, false), Reason::NotAuthorized);
        assert_eq!(Reason::of(5, P::Connack, true), Reason::NotAuthorized);
        assert_eq!(Reason::of(0, P::Disconnect, false), Reason::NormalDisconnection);
        assert_eq!(Reason::of(2, P::Suback, true), Reason::GrantedQos2);
        assert_eq!(Reason::of(0x10, P::Puback, false), Reason::NoMatchingSubscribers);
        assert_eq!(Reason::of(0x97, P::Publish, false), Reason::QuotaExceeded);
        assert_eq!(Reason::of(0xa2, P::Suback, false), Reason::WildcardSubscriptionsNotSupported);
        assert_eq!(Reason::of(0xa3, P::Suback, false), Reason::Unknown);
        assert_eq!(Reason::of(3, P::Puback, false), Reason::Unknown);
    }

    #[test]
    fn refusals_of_both_generations() {
        assert!(is_refusal(1, PacketType::Connack, true));
        assert!(!is_refusal(1, PacketType::Suback, true));
        assert!(is_refusal(0x80, PacketType::Suback, true));
        assert!(!is_refusal(0x10, PacketType::Puback, false));
    }
}
