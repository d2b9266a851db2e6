//! Sparkplug topics: `spBv1.0/group/TYPE/edge_node[/device]` and `spBv1.0/STATE/host` (Sparkplug 3.0, 4).

use crate::protocol::mqtt::words::SparkplugType;

/// What a topic names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic<'a> {
    pub group: &'a str,
    pub kind: SparkplugType,
    /// The edge node, or the host application of a STATE.
    pub node: &'a str,
    pub device: &'a str,
}

/// Reads a topic; `None` where it is no Sparkplug topic.
#[inline]
pub fn read(topic: &str) -> Option<Topic<'_>> {
    if let Some(rest) = topic.strip_prefix("spBv1.0/") {
        return if let Some(host) = rest.strip_prefix("STATE/") { state(host) } else { message(rest) };
    }
    // Before 3.0 a host's state had no namespace (2.2, 6).
    topic.strip_prefix("STATE/").and_then(state)
}

fn state(host: &str) -> Option<Topic<'_>> {
    let named = !host.is_empty() && !host.contains('/');
    named.then_some(Topic { group: "", kind: SparkplugType::State, node: host, device: "" })
}

fn message(rest: &str) -> Option<Topic<'_>> {
    use SparkplugType as T;
    let mut parts = rest.split('/');
    let group = parts.next()?;
    let (kind, of_device) = match parts.next()? {
        "NBIRTH" => (T::Nbirth, false),
        "NDEATH" => (T::Ndeath, false),
        "NDATA" => (T::Ndata, false),
        "NCMD" => (T::Ncmd, false),
        "DBIRTH" => (T::Dbirth, true),
        "DDEATH" => (T::Ddeath, true),
        "DDATA" => (T::Ddata, true),
        "DCMD" => (T::Dcmd, true),
        _ => return None,
    };
    let node = parts.next().filter(|node| !node.is_empty())?;
    let device = parts.next();
    let fits = parts.next().is_none() && device.is_some() == of_device && !group.is_empty();
    fits.then_some(Topic { group, kind, node, device: device.unwrap_or("") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_nodes_devices_and_hosts() {
        let node = read("spBv1.0/mine/NDATA/shaft").unwrap();
        assert_eq!(
            (node.group, node.kind, node.node, node.device),
            ("mine", SparkplugType::Ndata, "shaft", "")
        );
        let device = read("spBv1.0/mine/DCMD/shaft/pump").unwrap();
        assert_eq!((device.kind, device.device), (SparkplugType::Dcmd, "pump"));
        for topic in ["spBv1.0/STATE/scada", "STATE/scada"] {
            let host = read(topic).unwrap();
            assert_eq!((host.kind, host.node), (SparkplugType::State, "scada"));
        }
    }

    #[test]
    fn topics_that_only_begin_like_one_are_none() {
        for topic in [
            "spBv1.0/mine/NDATA",
            "spBv1.0/mine/NDATA/shaft/pump",
            "spBv1.0/mine/DDATA/shaft",
            "spBv1.0/mine/OTHER/shaft",
            "spBv1.0/mine/DDATA/shaft/pump/more",
            "spBv1.0/STATE/a/b",
            "plant/temperature",
        ] {
            assert_eq!(read(topic), None, "{topic}");
        }
    }
}
