//! A decoder under watch: what holds whatever the bytes are is asserted at every frame and of every row.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use geophone_native::decoder::{Decoder, Kept};
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use geophone_native::tables;

/// Tables whose rows are what was said; the others count packets and segments.
const SAID: [&str; 7] = ["modbus", "opcua", "mqtt", "services", "http", "operations", "dns"];

/// Rows that a capture may cost beside those that its bytes and frames stand for.
const FREE_ROWS: usize = 64;

/// A decoder that is held against its limits.
pub struct Watched {
    decoder: Decoder,
    limits: Limits,
    bytes: usize,
    frames: usize,
    /// Bytes of the largest frame.
    largest: u64,
}

/// All rows of a capture, by table.
pub struct Told(Vec<(&'static str, RecordBatch)>);

impl Watched {
    /// With the default limits but for these.
    pub fn new(limits: &[(&str, u64)]) -> Self {
        let mut chosen = Limits::default();
        for (name, value) in limits {
            chosen.set(name, *value).expect("a known limit");
        }
        Self { decoder: Decoder::new(chosen), limits: chosen, bytes: 0, frames: 0, largest: 0 }
    }

    pub fn frame(&mut self, record: &Record<'_>) {
        self.decoder.frame(record);
        self.bytes += record.data.len();
        self.frames += 1;
        self.largest = self.largest.max(record.data.len() as u64);
        let (kept, limits) = (self.decoder.kept(), &self.limits);
        for (held, most) in [
            (kept.flows, limits.flow_limit),
            (kept.networks, limits.flow_limit),
            (kept.stream_bytes, limits.reassembly_bytes),
            (kept.undecided_bytes, limits.reassembly_bytes),
            (kept.fragment_bytes, limits.fragment_bytes),
            (kept.mqtt_bytes, limits.mqtt_held_bytes),
            (kept.sparkplug_bytes, limits.sparkplug_bytes),
            (kept.opcua_bytes, limits.opcua_bytes),
            (kept.introduction_bytes, limits.introduction_bytes),
            (kept.operations, limits.operations_pending_all),
            (kept.operation_bytes, limits.operation_bytes),
        ] {
            // Room is looked at before a segment is read: what one segment brings may go beyond it, and stays.
            let most = most.saturating_add(self.largest);
            assert!(held <= most, "{held} is more than {most} in {kept:?}");
        }
    }

    /// Ends the capture: nothing is kept, and every row is well formed.
    pub fn finish(mut self) -> Told {
        self.decoder.finish_capture();
        assert_eq!(self.decoder.kept(), Kept::default(), "what was held is given back");
        let told = Told::of(&mut self.decoder);
        let rows: usize = told.0.iter().map(|(_, batch)| batch.num_rows()).sum();
        // No message is shorter than a byte, and a frame tells of its flow, its minute and what is odd about it.
        let most = FREE_ROWS + self.bytes + 16 * self.frames;
        assert!(rows <= most, "{rows} rows of {} bytes in {} frames", self.bytes, self.frames);
        told
    }
}

impl Told {
    /// The rows that a decoder has, each of them checked.
    pub fn of(decoder: &mut Decoder) -> Self {
        let frames = decoder.frame_number();
        let batches = decoder.take();
        for (name, batch) in &batches {
            let declared = tables::schemas().into_iter().find(|(table, _)| table == name);
            assert_eq!(declared.map(|(_, schema)| schema), Some(batch.schema()), "{name}");
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                column
                    .to_data()
                    .validate_full()
                    .unwrap_or_else(|error| panic!("{name}.{}: {error}", field.name()));
                if field.name().ends_with("frame") && field.data_type() == &DataType::UInt64 {
                    let numbers = column.as_primitive::<UInt64Type>();
                    assert!(numbers.iter().flatten().all(|frame| frame <= frames), "{name}.{}", field.name());
                }
            }
        }
        Self(batches)
    }

    /// Both said the same, whatever frames said it.
    pub fn assert_said(&self, other: &Self, how: &str) {
        for table in SAID {
            assert_same(table, self.without(table, &[]), other.without(table, &[]), how);
        }
    }

    /// A table without the numbers of frames and without some other columns, where it has rows.
    pub fn without(&self, table: &str, columns: &[&str]) -> Option<RecordBatch> {
        let (_, batch) = self.0.iter().find(|(name, _)| *name == table)?;
        let is_kept = |name: &str| !name.ends_with("frame") && !columns.contains(&name);
        let schema = batch.schema();
        let fields = schema.fields().iter().enumerate();
        let kept: Vec<_> = fields.filter(|(_, field)| is_kept(field.name())).map(|(at, _)| at).collect();
        Some(batch.project(&kept).expect("columns of its own"))
    }

    /// Both have the same rows in every table.
    pub fn assert_equal(&self, other: &Self, how: &str) {
        for (table, _) in tables::schemas() {
            let [one, two] = [self, other].map(|told| told.0.iter().find(|(name, _)| *name == table));
            assert_same(table, one.map(|(_, batch)| batch.clone()), two.map(|(_, batch)| batch.clone()), how);
        }
    }

    /// The words of a column of names, by row.
    pub fn words(&self, table: &str, column: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (_, batch) in self.0.iter().filter(|(name, _)| *name == table) {
            let column = batch.column_by_name(column).expect("a column of the table");
            let names = column.as_any_dictionary();
            let of = names.values().as_string::<i32>();
            words.extend(names.normalized_keys().into_iter().map(|key| of.value(key).to_owned()));
        }
        words
    }
}

/// Two batches of a table are the same; otherwise the first column that is not is told.
pub fn assert_same(table: &str, one: Option<RecordBatch>, two: Option<RecordBatch>, how: &str) {
    if one == two {
        return;
    }
    let (Some(one), Some(two)) = (&one, &two) else { panic!("{table}: {one:?} {how} {two:?}") };
    for (place, field) in one.schema().fields().iter().enumerate() {
        let (left, right) = (one.column(place), two.column(place));
        assert_eq!(left, right, "{table}.{} {how}", field.name());
    }
}
