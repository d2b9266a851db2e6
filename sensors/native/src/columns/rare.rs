//! Columns that few rows have a value for: a batch without any costs a counter.

use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, BooleanArray, ListArray, PrimitiveArray, StringArray, TimestampNanosecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

use super::{Column, Flag, Maybe, MaybeTime, Plain, Text, TextList, U16List, Words16};

/// A column whose missing value is one of its values: nothing, false, an empty text or list.
pub trait Blank: Column {
    /// The value of a row that has none.
    fn blank<'a>() -> Self::Value<'a>;
    /// True for that value.
    fn is_blank(value: &Self::Value<'_>) -> bool;
    /// So many rows without a value, in memory that nobody touched.
    fn blanks(rows: usize) -> ArrayRef;
}

/// Keeps a column only from its first value of a batch on.
pub struct Rare<C: Blank> {
    /// Rows without a value before that.
    rows: usize,
    column: Option<C>,
}

impl<C: Blank> Default for Rare<C> {
    fn default() -> Self {
        Self { rows: 0, column: None }
    }
}

impl<C: Blank> Column for Rare<C> {
    type Value<'a> = C::Value<'a>;

    fn field(name: &str) -> Field {
        C::field(name)
    }

    #[inline]
    fn push(&mut self, value: C::Value<'_>) {
        match &mut self.column {
            None if C::is_blank(&value) => self.rows += 1,
            None => self.begin(value),
            Some(column) => column.push(value),
        }
    }

    fn take(&mut self) -> ArrayRef {
        match std::mem::take(self) {
            Self { column: Some(mut column), .. } => column.take(),
            Self { rows, .. } => C::blanks(rows),
        }
    }
}

impl<C: Blank> Rare<C> {
    #[cold]
    fn begin(&mut self, value: C::Value<'_>) {
        let mut column = C::default();
        for _ in 0..self.rows {
            column.push(C::blank());
        }
        column.push(value);
        self.column = Some(column);
    }
}

impl<T: ArrowPrimitiveType> Blank for Maybe<T> {
    fn blank<'a>() -> Self::Value<'a> {
        None
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        value.is_none()
    }

    fn blanks(rows: usize) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new_null(rows))
    }
}

impl<T: ArrowPrimitiveType> Blank for Plain<T> {
    fn blank<'a>() -> Self::Value<'a> {
        T::Native::default()
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        *value == T::Native::default()
    }

    fn blanks(rows: usize) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_value(T::Native::default(), rows))
    }
}

impl Blank for MaybeTime {
    fn blank<'a>() -> Self::Value<'a> {
        None
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        value.is_none()
    }

    fn blanks(rows: usize) -> ArrayRef {
        Arc::new(TimestampNanosecondArray::new_null(rows).with_timezone("UTC"))
    }
}

impl Blank for Flag {
    fn blank<'a>() -> Self::Value<'a> {
        false
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        !value
    }

    fn blanks(rows: usize) -> ArrayRef {
        Arc::new(BooleanArray::new(BooleanBuffer::new_unset(rows), None))
    }
}

impl Blank for Text {
    fn blank<'a>() -> Self::Value<'a> {
        ""
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        value.is_empty()
    }

    fn blanks(rows: usize) -> ArrayRef {
        Arc::new(StringArray::new(OffsetBuffer::new_zeroed(rows), Buffer::from_vec(Vec::<u8>::new()), None))
    }
}

impl Blank for TextList {
    fn blank<'a>() -> Self::Value<'a> {
        &[]
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        value.is_empty()
    }

    fn blanks(rows: usize) -> ArrayRef {
        empty_lists(rows, Text::default().take())
    }
}

impl Blank for U16List {
    fn blank<'a>() -> Self::Value<'a> {
        Words16::None
    }

    #[inline]
    fn is_blank(value: &Self::Value<'_>) -> bool {
        match value {
            Words16::None => true,
            Words16::Values(values) => values.is_empty(),
            Words16::Wire(_) | Words16::Bits(..) => false,
        }
    }

    fn blanks(rows: usize) -> ArrayRef {
        empty_lists(rows, super::U16::default().take())
    }
}

fn empty_lists(rows: usize, values: ArrayRef) -> ArrayRef {
    let kind: DataType = values.data_type().clone();
    let item = Arc::new(Field::new("item", kind, false));
    Arc::new(ListArray::new(item, OffsetBuffer::new_zeroed(rows), values, None))
}

#[cfg(test)]
mod tests {
    use super::super::{MaybeU32, U32};
    use super::*;

    /// What a plain column and a rare one make of the same values.
    fn both<C: Blank>(values: &[C::Value<'static>]) -> (ArrayRef, ArrayRef)
    where
        C::Value<'static>: Clone,
    {
        let (mut plain, mut rare) = (C::default(), Rare::<C>::default());
        for value in values {
            plain.push(value.clone());
            rare.push(value.clone());
        }
        (plain.take(), rare.take())
    }

    fn alike<C: Blank>(value: C::Value<'static>)
    where
        C::Value<'static>: Clone,
    {
        let blank = C::blank();
        for values in [vec![], vec![blank.clone(); 3], vec![blank.clone(), blank.clone(), value, blank]] {
            let (plain, rare) = both::<C>(&values);
            assert_eq!(&plain, &rare);
            assert_eq!(plain.data_type(), C::field("x").data_type());
            assert_eq!(rare.data_type(), C::field("x").data_type());
        }
    }

    #[test]
    fn a_rare_column_is_the_column_itself() {
        alike::<MaybeU32>(Some(7));
        alike::<U32>(7);
        alike::<MaybeTime>(Some(7));
        alike::<Flag>(true);
        alike::<Text>("seven");
        alike::<U16List>(Words16::Values(&[7, 8]));
        let list: &'static [String] = Box::leak(Box::new(["seven".to_owned()]));
        alike::<TextList>(list);
    }

    #[test]
    fn every_batch_begins_anew() {
        let mut column = Rare::<Text>::default();
        column.push("a");
        assert_eq!(column.take().len(), 1);
        column.push("");
        assert!(column.column.is_none());
        assert_eq!(column.take().len(), 1);
    }
}
