//! The frame of protocols that are only named: each side's first message has a shape, and that is all that is read.

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::{Output, Parser, Role};
use crate::anomaly::At;
use crate::words::{Confidence, ObservationSource, Service};

/// Messages of a side that may have no shape while the other side is waited for.
const MESSAGES_LIMIT: u8 = 8;

/// What the first messages of a protocol look like.
pub trait Shape: Default + Send + Sync + 'static {
    const SERVICE: Service;
    const SOURCE: Option<ObservationSource> = None;

    /// Looks at a message; true where it is one of the protocol's, as this side would send it.
    fn fits(&mut self, from: Role, message: &[u8], said: &mut Introduction) -> bool;

    /// Bytes that it keeps.
    fn held_bytes(&self) -> usize {
        0
    }
}

/// A parser that names; `least` is the confidence of one side's word alone, `None` where that is not enough.
pub fn parser<S: Shape>(least: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Named::<S> { shape: S::default(), fitted: [false; 2], messages: 0 }, least)
}

struct Named<S> {
    shape: S,
    fitted: [bool; 2],
    messages: u8,
}

impl<S: Shape> Dialogue for Named<S> {
    const SOURCE: Option<ObservationSource> = S::SOURCE;
    const SERVICE: Service = S::SERVICE;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let side = usize::from(from == Role::Server);
        self.messages = self.messages.saturating_add(1);
        if self.shape.fits(from, bytes, said) {
            self.fitted[side] = true;
        } else if !self.fitted[side] {
            return Step::Wrong;
        }
        let over = self.fitted == [true; 2] || self.messages > MESSAGES_LIMIT;
        if over { Step::Done } else { Step::Read(bytes.len()) }
    }

    fn held_bytes(&self) -> usize {
        self.shape.held_bytes()
    }
}
