//! Arrow columns that rows are pushed into, one `Vec` push a value; whole batches out, zero copy.
//!
//! Rows are the budget of the whole sensor, so a column here is nothing but the vector that becomes its
//! Arrow buffer. The `table!` macro turns a list of columns into a row type, a schema and a batch.

mod bits;
mod rare;
mod values;

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, StringArray,
    TimestampNanosecondArray,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::words::Words;

use bits::Bits;
pub use rare::Rare;
use values::Values;

/// A column that is being filled.
pub trait Column: Default {
    /// What one row gives it.
    type Value<'a>;
    /// The Arrow field it becomes.
    fn field(name: &str) -> Field;
    /// Appends one row's value.
    fn push(&mut self, value: Self::Value<'_>);
    /// The values so far as an array; the column is empty afterwards.
    fn take(&mut self) -> ArrayRef;
}

/// Numbers that are always there.
pub struct Plain<T: ArrowPrimitiveType>(Values<T::Native>);

impl<T: ArrowPrimitiveType> Default for Plain<T> {
    fn default() -> Self {
        Self(Values::default())
    }
}

impl<T: ArrowPrimitiveType> Column for Plain<T> {
    type Value<'a> = T::Native;

    fn field(name: &str) -> Field {
        Field::new(name, T::DATA_TYPE, false)
    }

    #[inline]
    fn push(&mut self, value: T::Native) {
        self.0.push(value);
    }

    fn take(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(self.0.take());
        Arc::new(PrimitiveArray::<T>::new(values, None))
    }
}

/// Numbers that may be missing.
pub struct Maybe<T: ArrowPrimitiveType> {
    values: Values<T::Native>,
    valid: Bits,
}

impl<T: ArrowPrimitiveType> Default for Maybe<T> {
    fn default() -> Self {
        Self { values: Values::default(), valid: Bits::default() }
    }
}

impl<T: ArrowPrimitiveType> Column for Maybe<T> {
    type Value<'a> = Option<T::Native>;

    fn field(name: &str) -> Field {
        Field::new(name, T::DATA_TYPE, true)
    }

    #[inline(always)]
    fn push(&mut self, value: Option<T::Native>) {
        self.values.push(value.unwrap_or_default());
        self.valid.push(value.is_some());
    }

    fn take(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(self.values.take());
        Arc::new(PrimitiveArray::<T>::new(values, self.valid.take_nulls()))
    }
}

pub type U8 = Plain<UInt8Type>;
pub type U16 = Plain<UInt16Type>;
pub type U32 = Plain<UInt32Type>;
pub type U64 = Plain<UInt64Type>;
pub type F64 = Plain<Float64Type>;
pub type MaybeF64 = Maybe<Float64Type>;
pub type MaybeI64 = Maybe<Int64Type>;
pub type MaybeU8 = Maybe<UInt8Type>;
pub type MaybeU16 = Maybe<UInt16Type>;
pub type MaybeU32 = Maybe<UInt32Type>;
pub type MaybeU64 = Maybe<UInt64Type>;

/// Nanoseconds since the Unix epoch, UTC.
#[derive(Default)]
pub struct Time(Values<i64>);

impl Column for Time {
    type Value<'a> = i64;

    fn field(name: &str) -> Field {
        let utc = Some(Arc::from("UTC"));
        Field::new(name, DataType::Timestamp(TimeUnit::Nanosecond, utc), false)
    }

    #[inline]
    fn push(&mut self, value: i64) {
        self.0.push(value);
    }

    fn take(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(self.0.take());
        Arc::new(TimestampNanosecondArray::new(values, None).with_timezone("UTC"))
    }
}

/// Sixteen bytes: an IPv6 address, or an IPv4-mapped one (RFC 4291, 2.5.5.2).
#[derive(Default)]
pub struct Address(Values<u8>);

impl Column for Address {
    type Value<'a> = &'a [u8; 16];

    fn field(name: &str) -> Field {
        Field::new(name, DataType::FixedSizeBinary(16), false)
    }

    #[inline]
    fn push(&mut self, value: &[u8; 16]) {
        self.0.extend(value);
    }

    fn take(&mut self) -> ArrayRef {
        let bytes = Buffer::from_vec(self.0.take());
        Arc::new(FixedSizeBinaryArray::new(16, bytes, None))
    }
}

/// Yes or no.
#[derive(Default)]
pub struct Flag(Bits);

impl Column for Flag {
    type Value<'a> = bool;

    fn field(name: &str) -> Field {
        Field::new(name, DataType::Boolean, false)
    }

    #[inline]
    fn push(&mut self, value: bool) {
        self.0.push(value);
    }

    fn take(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.0.take(), None))
    }
}

/// One of a closed set of words, kept as its number.
pub struct Name<W: Words> {
    keys: Values<u8>,
    words: PhantomData<W>,
}

impl<W: Words> Default for Name<W> {
    fn default() -> Self {
        Self { keys: Values::default(), words: PhantomData }
    }
}

impl<W: Words> Column for Name<W> {
    type Value<'a> = W;

    fn field(name: &str) -> Field {
        let words = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        Field::new(name, words, false)
    }

    #[inline]
    fn push(&mut self, value: W) {
        self.keys.push(value.number());
    }

    fn take(&mut self) -> ArrayRef {
        let keys = ScalarBuffer::from(self.keys.take());
        let words: ArrayRef = Arc::new(StringArray::from(W::WORDS.to_vec()));
        // Every key is the number of a word of `W`, so it is inside the dictionary.
        Arc::new(DictionaryArray::<UInt8Type>::new(PrimitiveArray::new(keys, None), words))
    }
}

/// Where each value of a row ends in a growing buffer.
#[derive(Default)]
struct Ends(Values<i32>);

impl Ends {
    #[inline]
    fn push(&mut self, end: usize) {
        if self.0.is_empty() {
            self.0.push(0);
        }
        self.0.push(end_of(end));
    }

    fn take(&mut self) -> OffsetBuffer<i32> {
        if self.0.is_empty() {
            self.0.push(0);
        }
        OffsetBuffer::new(self.0.take().into())
    }
}

/// Free text.
#[derive(Default)]
pub struct Text {
    ends: Ends,
    bytes: Values<u8>,
}

impl Column for Text {
    type Value<'a> = &'a str;

    fn field(name: &str) -> Field {
        Field::new(name, DataType::Utf8, false)
    }

    #[inline]
    fn push(&mut self, value: &str) {
        self.bytes.extend(value.as_bytes());
        self.ends.push(self.bytes.len());
    }

    fn take(&mut self) -> ArrayRef {
        let bytes = Buffer::from_vec(self.bytes.take());
        Arc::new(StringArray::new(self.ends.take(), bytes, None))
    }
}

/// A list of texts.
#[derive(Default)]
pub struct TextList {
    ends: Ends,
    texts: Text,
    count: usize,
}

impl Column for TextList {
    type Value<'a> = &'a [String];

    fn field(name: &str) -> Field {
        let item = Field::new("item", DataType::Utf8, false);
        Field::new(name, DataType::List(Arc::new(item)), false)
    }

    fn push(&mut self, values: &[String]) {
        for value in values {
            self.texts.push(value);
        }
        self.count += values.len();
        self.ends.push(self.count);
    }

    fn take(&mut self) -> ArrayRef {
        let item = Arc::new(Field::new("item", DataType::Utf8, false));
        self.count = 0;
        Arc::new(ListArray::new(item, self.ends.take(), self.texts.take(), None))
    }
}

/// A time that may be missing.
#[derive(Default)]
pub struct MaybeTime(Maybe<Int64Type>);

impl Column for MaybeTime {
    type Value<'a> = Option<i64>;

    fn field(name: &str) -> Field {
        Field::new(name, Time::field(name).data_type().clone(), true)
    }

    fn push(&mut self, value: Option<i64>) {
        self.0.push(value);
    }

    fn take(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(self.0.values.take());
        let valid = self.0.valid.take_nulls();
        Arc::new(TimestampNanosecondArray::new(values, valid).with_timezone("UTC"))
    }
}

/// The values of a list of 16-bit numbers, in the form in which they are at hand.
#[derive(Clone, Copy, Debug)]
pub enum Words16<'a> {
    None,
    /// Registers as they are on the wire: big-endian pairs.
    Wire(&'a [u8]),
    /// The first `count` bits, lowest bit of each byte first.
    Bits(&'a [u8], u16),
    Values(&'a [u16]),
}

impl Words16<'_> {
    /// How many there are.
    #[inline]
    pub fn count(&self) -> usize {
        match *self {
            Words16::None => 0,
            Words16::Wire(bytes) => bytes.len() / 2,
            Words16::Bits(bytes, count) => (bytes.len() * 8).min(usize::from(count)),
            Words16::Values(values) => values.len(),
        }
    }

    /// Appends at most `most` of them to a list.
    #[inline]
    pub fn append_to(&self, list: &mut Vec<u16>, most: usize) {
        let most = most.min(self.count());
        match *self {
            Words16::None => {}
            Words16::Wire(bytes) => {
                let pairs = bytes.chunks_exact(2).take(most);
                list.extend(pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
            }
            Words16::Bits(bytes, _) => {
                list.extend((0..most).map(|at| u16::from(bytes[at / 8] >> (at % 8) & 1)));
            }
            Words16::Values(values) => list.extend_from_slice(&values[..most]),
        }
    }
}

/// How many values of a transaction are kept: enough for the largest register read (V1.1b3, 6.3: 125).
pub const VALUES_KEPT: usize = 128;

/// A list of 16-bit numbers.
#[derive(Default)]
pub struct U16List {
    ends: Ends,
    values: Values<u16>,
}

impl Column for U16List {
    type Value<'a> = Words16<'a>;

    fn field(name: &str) -> Field {
        let item = Field::new("item", DataType::UInt16, false);
        Field::new(name, DataType::List(Arc::new(item)), false)
    }

    #[inline]
    fn push(&mut self, value: Words16<'_>) {
        self.values.append(value.count().min(VALUES_KEPT), |list| value.append_to(list, VALUES_KEPT));
        self.ends.push(self.values.len());
    }

    fn take(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(self.values.take());
        Arc::new(ListArray::new(
            Arc::new(Field::new("item", DataType::UInt16, false)),
            self.ends.take(),
            Arc::new(PrimitiveArray::<UInt16Type>::new(values, None)),
            None,
        ))
    }
}

/// Arrow's 32-bit offset of the end of a growing buffer; a batch is bounded long before it is reached.
fn end_of(length: usize) -> i32 {
    i32::try_from(length).expect("a batch holds less than 2 GiB of values")
}

/// Declares a table: its columns in order, the row that is pushed, and how it becomes a batch.
macro_rules! table {
    ($(#[$doc:meta])* $rows:ident, $row:ident { $($name:ident: $column:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $rows {
            count: usize,
            $($name: $column,)+
        }

        /// One row of the table.
        #[derive(Clone)]
        pub struct $row<'a> {
            $(pub $name: <$column as $crate::columns::Column>::Value<'a>,)+
            pub _borrow: std::marker::PhantomData<&'a ()>,
        }

        impl $rows {
            /// The Arrow schema of a batch.
            pub fn schema() -> arrow_schema::SchemaRef {
                static SCHEMA: std::sync::OnceLock<arrow_schema::SchemaRef> = std::sync::OnceLock::new();
                SCHEMA
                    .get_or_init(|| {
                        std::sync::Arc::new(arrow_schema::Schema::new(vec![
                            $(<$column as $crate::columns::Column>::field(stringify!($name)),)+
                        ]))
                    })
                    .clone()
            }

            /// Appends a row.
            #[inline]
            pub fn push(&mut self, row: $row<'_>) {
                use $crate::columns::Column as _;
                self.count += 1;
                $(self.$name.push(row.$name);)+
            }

            /// Rows so far.
            pub fn len(&self) -> usize {
                self.count
            }

            /// True where no row was pushed since the last batch.
            pub fn is_empty(&self) -> bool {
                self.count == 0
            }

            /// The rows so far as a batch; the table is empty afterwards.
            pub fn take(&mut self) -> arrow_array::RecordBatch {
                use $crate::columns::Column as _;
                self.count = 0;
                let columns = vec![$(self.$name.take(),)+];
                arrow_array::RecordBatch::try_new(Self::schema(), columns)
                    .expect("every row pushes one value into every column")
            }
        }
    };
}
pub(crate) use table;
