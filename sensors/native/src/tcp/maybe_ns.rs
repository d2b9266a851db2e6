//! A duration that may be missing, in eight bytes: every flow keeps some of them.

/// Nanoseconds, or none; the largest number, 584 years, stands for none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaybeNs(u64);

impl MaybeNs {
    pub const NONE: Self = Self(u64::MAX);

    #[inline]
    pub fn get(self) -> Option<u64> {
        (self != Self::NONE).then_some(self.0)
    }
}

impl Default for MaybeNs {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Option<u64>> for MaybeNs {
    #[inline]
    fn from(ns: Option<u64>) -> Self {
        ns.map_or(Self::NONE, Self)
    }
}

impl std::fmt::Debug for MaybeNs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_was_made_of() {
        for ns in [None, Some(0), Some(1), Some(u64::MAX - 1)] {
            assert_eq!(MaybeNs::from(ns).get(), ns);
        }
    }
}
