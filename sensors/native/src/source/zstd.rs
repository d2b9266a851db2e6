//! Zstandard frames in, one after the other; the bytes that were packed into them out (RFC 8878).

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest window that is unpacked. RFC 8878 (3.1.1.1.2) wants 8 MiB from every decoder, which is what the usual
/// levels use; a frame may ask for terabytes, and the window is memory.
const WINDOW_LIMIT: u64 = 32 << 20;

/// Unpacked at once; a block holds no more either (RFC 8878, 3.1.1.2.4).
const STEP: usize = 128 << 10;

/// The longest frame header: magic, descriptor, window, dictionary, content size.
const HEADER_LIMIT: usize = 4 + 1 + 1 + 4 + 8;

/// An empty last block and a checksum: what a frame needs to end.
const END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Unpacks every frame of a stream; frames that are to be skipped are.
pub struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
    /// Why the frame could not be unpacked further; told after what was unpacked.
    failed: Option<io::Error>,
}

impl<R: BufRead> Zstd<R> {
    pub fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false, failed: None }
    }

    /// Reads up to the first block of the next frame; false at the end of the stream.
    fn start_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            let mut header = [0; HEADER_LIMIT];
            let magic = self.take(&mut header, 0, 4)?;
            // 0x184d2a50 to 0x184d2a5f: a length and as many bytes of somebody else's.
            if magic & 0xffff_fff0 == 0x184d_2a50 {
                let mut length = [0; HEADER_LIMIT];
                let length = self.take(&mut length, 0, 4)?;
                let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
                if skipped < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            if header[..4] != MAGIC {
                return Err(damaged(format!("zstd frame expected, there is {magic:08x}")));
            }
            let length = self.read_header(&mut header)?;
            self.decoder.reset(&header[..length]).map_err(|error| damaged(error.to_string()))?;
            self.in_frame = true;
            return Ok(true);
        }
    }

    /// The frame header after its magic (RFC 8878, 3.1.1.1); refuses a window that is too large. Its whole length.
    fn read_header(&mut self, header: &mut [u8; HEADER_LIMIT]) -> io::Result<usize> {
        let descriptor = self.take(header, 4, 1)?;
        let single_segment = descriptor & 0x20 != 0;
        let window_at = 5;
        let dictionary_at = window_at + usize::from(!single_segment);
        let size_at = dictionary_at + [0, 1, 2, 4][(descriptor & 3) as usize];
        let size_length = match descriptor >> 6 {
            0 => usize::from(single_segment),
            flag => 1 << flag,
        };
        let length = size_at + size_length;
        let window_field = self.take(header, window_at, dictionary_at - window_at)?;
        self.take(header, dictionary_at, size_at - dictionary_at)?;
        let size_field = self.take(header, size_at, size_length)?;
        let window = if single_segment {
            if size_length == 2 { size_field + 256 } else { size_field }
        } else {
            let base = 1u64 << (10 + (window_field >> 3));
            base + base / 8 * (window_field & 7)
        };
        if window > WINDOW_LIMIT {
            let most = WINDOW_LIMIT >> 20;
            return Err(damaged(format!(
                "a zstd window of {window} bytes, the largest that is unpacked has {most} MiB: \
                 unpack the file first, with zstd -d --long=31"
            )));
        }
        Ok(length)
    }

    /// Reads `count` bytes (8 at most) to their place in the header; their little-endian number.
    fn take(&mut self, header: &mut [u8; HEADER_LIMIT], at: usize, count: usize) -> io::Result<u64> {
        let bytes = &mut header[at..at + count];
        self.source.read_exact(bytes)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.in_frame = false;
        match self.decoder.get_checksum_from_data() {
            Some(told) if Some(told) != self.decoder.get_calculated_checksum() => {
                Err(damaged("the checksum of a zstd frame does not hold".into()))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame && !self.start_frame()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.decoder.is_finished() {
                self.end_frame()?;
                continue;
            }
            let strategy = BlockDecodingStrategy::UptoBytes(STEP);
            if let Err(error) = self.decoder.decode_blocks(&mut self.source, strategy) {
                self.failed = Some(damaged(error.to_string()));
                // The decoder keeps back what later blocks may refer to: the frame's end sets it free.
                let _ = self.decoder.decode_blocks(&END[..], BlockDecodingStrategy::All);
            }
        }
    }
}

fn damaged(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Zstd::new(packed).read_to_end(&mut out).map(|_| out)
    }

    /// A frame of one raw block: no compressor is needed to write it.
    fn raw_frame(content: &[u8]) -> Vec<u8> {
        let mut frame = MAGIC.to_vec();
        frame.extend([0x20, content.len() as u8]);
        frame.extend(&((content.len() as u32) << 3 | 1).to_le_bytes()[..3]);
        frame.extend(content);
        frame
    }

    #[test]
    fn frames_follow_each_other_and_others_are_skipped() {
        let mut packed = raw_frame(b"geo");
        packed.extend([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        packed.extend(raw_frame(b"phone"));
        assert_eq!(unpacked(&packed).unwrap(), b"geophone");
    }

    #[test]
    fn a_window_of_terabytes_takes_no_memory() {
        // The largest that the window descriptor can say: 3.75 TiB.
        let mut packed = MAGIC.to_vec();
        packed.extend([0x00, 0xff, 0x01, 0x00, 0x00]);
        assert!(unpacked(&packed).unwrap_err().to_string().contains("32 MiB"));
        // One segment of the same size.
        let mut packed = MAGIC.to_vec();
        packed.extend([0xe0, 0, 0, 0, 0, 0, 4, 0, 0, 0x01, 0, 0]);
        assert!(unpacked(&packed).unwrap_err().to_string().contains("32 MiB"));
    }

    #[test]
    fn a_cut_anywhere_is_an_error_and_never_an_end() {
        let packed = raw_frame(b"geophone");
        for length in 1..packed.len() {
            assert!(unpacked(&packed[..length]).is_err(), "{length}");
        }
        assert_eq!(unpacked(&[]).unwrap(), b"");
    }

    #[test]
    fn what_was_unpacked_before_a_cut_is_given_before_the_error() {
        // Two raw blocks of a frame with a window; the second one is cut.
        let mut packed = MAGIC.to_vec();
        packed.extend([0x00, 0x58]);
        packed.extend([&[5 << 3, 0, 0][..], b"whole", &[5 << 3, 0, 0], b"cu"].concat());
        let mut out = Vec::new();
        assert!(Zstd::new(&packed[..]).read_to_end(&mut out).is_err());
        assert!(out.starts_with(b"whole"), "{out:?}");
    }

    #[test]
    fn what_follows_a_frame_and_is_none_is_an_error() {
        let mut packed = raw_frame(b"geophone");
        packed.extend(b"tail");
        assert!(unpacked(&packed).unwrap_err().to_string().contains("frame expected"));
    }
}
