//! Frames to Arrow record batches: the compiled part of Geophone's sensor.
//!
//! It knows bytes, flows and protocols; it knows no zones, no policy, no findings and no store. This file is the
//! Python seam, nothing else. Unsafe code is in `source::ring` alone, where memory is shared with the kernel.
#![deny(unsafe_code)]

pub mod anomaly;
pub mod columns;
mod coverage;
pub mod decoder;
mod der;
mod duplicates;
mod flow;
mod fragments;
mod inventory;
mod layer2;
pub mod limits;
mod link;
mod net;
mod observations;
mod protocol;
pub mod source;
mod summary;
pub mod tables;
mod tcp;
mod transport;
mod tunnel;
mod warm;
mod words;

mod python;
mod python_ring;
