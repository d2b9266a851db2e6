//! Bytes read from the front; what is not there is `None`, never a panic.

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

macro_rules! numbers {
    ($($name:ident: $type:ty = $from:ident,)+) => {
        $(
            #[inline]
            pub fn $name(&mut self) -> Option<$type> {
                let (first, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Some(<$type>::$from(*first))
            }
        )+
    };
}

impl<'a> Reader<'a> {
    numbers! {
        u16_le: u16 = from_le_bytes,
        u16_be: u16 = from_be_bytes,
        u32_le: u32 = from_le_bytes,
        u32_be: u32 = from_be_bytes,
        u64_le: u64 = from_le_bytes,
    }

    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn u24_le(&mut self) -> Option<u32> {
        let [a, b, c] = *self.chunk::<3>()?;
        Some(u32::from_le_bytes([a, b, c, 0]))
    }

    pub fn u24_be(&mut self) -> Option<u32> {
        let [a, b, c] = *self.chunk::<3>()?;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    /// The next `N` bytes.
    #[inline]
    pub fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(first)
    }

    /// The next bytes, all of them or none.
    #[inline]
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    /// The next bytes, as many of them as there are.
    pub fn up_to(&mut self, length: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        first
    }

    /// Leaves bytes out.
    #[inline]
    pub fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_both_orders_and_end_with_the_bytes() {
        let mut reader = Reader(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(reader.u16_be(), Some(0x0102));
        assert_eq!(reader.u16_le(), Some(0x0403));
        assert_eq!(reader.u24_be(), Some(0x0005_0607));
        assert_eq!(reader.u32_be(), None);
        assert_eq!(reader.take(3), None);
        assert_eq!(reader.up_to(3), [8, 9]);
        assert_eq!(reader.u8(), None);
    }
}
