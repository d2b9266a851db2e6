//! Sparkplug B over MQTT: topic and payload in; what an analyst asks for out (Sparkplug 3.0).

mod metric;
mod names;
mod protobuf;
mod sequence;
mod topic;

use std::fmt::Write as _;

use metric::{Held, Metric, TEXT_KEPT, datatype_name};
use protobuf::{Fields, Value};

use super::reader::text;
use super::words::SparkplugType;
use crate::words::OperationClass;

pub use names::{Declared, Names, Node};
pub use sequence::Sequences;
pub use topic::{Topic, read as topic};

/// Metrics of a message that are listed; all are counted.
const METRICS_KEPT: usize = 128;

/// Bytes of a detail.
const DETAIL_KEPT: usize = 512;

/// What a message says.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: SparkplugType,
    pub group: String,
    pub node: String,
    pub device: String,
    pub seq: Option<u64>,
    pub bd_seq: Option<u64>,
    /// Nanoseconds since the epoch.
    pub timestamp: Option<i64>,
    pub metric_count: u32,
    pub names: Vec<String>,
    pub types: Vec<String>,
    pub values: Vec<String>,
    pub detail: String,
    pub operation: OperationClass,
    /// The payload is not what the standard says.
    pub flaw: Option<&'static str>,
}

/// Reads a message; `whole` where all of the payload is there. Births settle names, everything else is resolved by
/// them.
pub fn read(
    topic: &Topic<'_>,
    payload: &[u8],
    whole: bool,
    broker: ([u8; 16], u16),
    names: &mut Names,
    limit: u64,
) -> Message {
    let mut message = Message {
        kind: topic.kind,
        group: topic.group.to_owned(),
        node: topic.node.to_owned(),
        device: topic.device.to_owned(),
        seq: None,
        bd_seq: None,
        timestamp: None,
        metric_count: 0,
        names: Vec::new(),
        types: Vec::new(),
        values: Vec::new(),
        detail: String::new(),
        operation: operation(topic.kind),
        flaw: None,
    };
    if topic.kind == SparkplugType::State {
        state(&mut message, payload);
        return message;
    }
    let node = Node { broker, group: topic.group.into(), node: topic.node.into() };
    match topic.kind {
        SparkplugType::Nbirth => names.born(&node, limit),
        SparkplugType::Dbirth => names.meet(&node, limit),
        _ => {}
    }
    let mut fields = Fields::of(payload);
    for (number, value) in fields.by_ref() {
        match (number, value) {
            (1, Value::Varint(milliseconds)) => {
                let nanoseconds = milliseconds.checked_mul(1_000_000);
                message.timestamp = nanoseconds.and_then(|value| i64::try_from(value).ok());
            }
            (2, Value::Bytes(bytes)) => message.add(&metric::read(bytes), &node, names, limit),
            (3, Value::Varint(seq)) => message.seq = Some(seq),
            _ => {}
        }
    }
    if fields.broken && whole {
        message.flaw.get_or_insert("payload is no Sparkplug B payload (6.4)");
    }
    if message.seq.is_some_and(|seq| seq > 255) {
        message.flaw.get_or_insert("seq beyond 255 (6.4)");
    }
    if is_command(topic.kind) {
        message.tell_command();
    }
    message
}

/// bdSeq of an NDEATH payload, as a will carries it.
pub fn bd_seq(payload: &[u8]) -> Option<u64> {
    Fields::of(payload).find_map(|(number, value)| match (number, value) {
        (2, Value::Bytes(bytes)) => {
            let metric = metric::read(bytes);
            if metric.name == b"bdSeq" { metric.value.number() } else { None }
        }
        _ => None,
    })
}

fn is_command(kind: SparkplugType) -> bool {
    matches!(kind, SparkplugType::Ncmd | SparkplugType::Dcmd)
}

/// What a message does: commands write, everything else reports.
fn operation(kind: SparkplugType) -> OperationClass {
    use SparkplugType as T;
    match kind {
        T::Ncmd | T::Dcmd => OperationClass::Write,
        T::Ndata | T::Ddata => OperationClass::Read,
        T::Nbirth | T::Dbirth | T::Ndeath | T::Ddeath | T::State => OperationClass::Session,
        T::None => OperationClass::Other,
    }
}

/// A host's state: JSON with `online` (5), or one word before 3.0.
fn state(message: &mut Message, payload: &[u8]) {
    let text = text(payload, TEXT_KEPT);
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let online = match compact.as_str() {
        "ONLINE" => "true",
        "OFFLINE" => "false",
        json if json.contains("\"online\":true") => "true",
        json if json.contains("\"online\":false") => "false",
        _ => {
            message.flaw = Some("a STATE without online (5)");
            return;
        }
    };
    message.metric_count = 1;
    message.names.push("online".to_owned());
    message.types.push("Boolean".to_owned());
    message.values.push(online.to_owned());
}

impl Message {
    fn add(&mut self, metric: &Metric<'_>, node: &Node, names: &mut Names, limit: u64) {
        self.metric_count = self.metric_count.saturating_add(1);
        if metric.broken {
            self.flaw.get_or_insert("a metric that cannot be read (6.4)");
        }
        let is_birth = matches!(self.kind, SparkplugType::Nbirth | SparkplugType::Dbirth);
        let mut name = text(metric.name, TEXT_KEPT).into_owned();
        let mut datatype = metric.datatype;
        if let Some(alias) = metric.alias {
            if is_birth && !name.is_empty() {
                let declared = Declared { name: name.as_str().into(), datatype };
                names.declare(node, alias, declared, limit);
            } else if name.is_empty() {
                match names.find(node, alias) {
                    Some(declared) => {
                        name = declared.name.to_string();
                        datatype = datatype.or(declared.datatype);
                    }
                    None => name = format!("alias {alias}"),
                }
            }
        }
        if name == "bdSeq" {
            self.bd_seq = metric.value.number();
        }
        if self.names.len() < METRICS_KEPT {
            self.values.push(metric.value.as_text(datatype));
            self.types.push(datatype_name(datatype).to_owned());
            self.names.push(name);
        }
        if self.kind == SparkplugType::Ncmd && metric.value == Held::Boolean(true) {
            self.control();
        }
    }

    /// A node control that does more than write (6.4).
    fn control(&mut self) {
        match self.names.last().map(String::as_str) {
            Some("Node Control/Reboot") => self.operation = OperationClass::Restart,
            Some("Node Control/Next Server") => self.operation = OperationClass::Configure,
            _ => {}
        }
    }

    /// The command as a sentence.
    fn tell_command(&mut self) {
        let target = if self.device.is_empty() {
            format!("{}/{}", self.group, self.node)
        } else {
            format!("{}/{}/{}", self.group, self.node, self.device)
        };
        let is_rebirth =
            |(name, value): (&String, &String)| name == "Node Control/Rebirth" && value == "true";
        if self.names.iter().zip(&self.values).any(is_rebirth) {
            let _ = write!(self.detail, "rebirth of {target} requested");
            return;
        }
        let word = self.kind.word().to_uppercase();
        for (name, value) in self.names.iter().zip(&self.values) {
            let joint = if self.detail.is_empty() { "" } else { "; " };
            let _ = write!(self.detail, "{joint}{word} writes {name} = {value} to {target}");
            if self.detail.len() > DETAIL_KEPT {
                return;
            }
        }
    }
}
