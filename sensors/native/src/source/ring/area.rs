//! The memory that the kernel and we share: blocks of packets, each owned by one of the two at a time.
//!
//! TPACKET_V3 (Documentation/networking/packet_mmap.rst): the kernel fills a block, then sets its status to "user";
//! we read it, then set it back to "kernel". The status word is the only thing that both touch at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where a block keeps its status: after its version and the offset of its private part.
const STATUS_AT: usize = 8;

/// The mapped ring.
pub struct Area {
    base: NonNull<u8>,
    block_bytes: usize,
    blocks: usize,
}

// SAFETY: the mapping belongs to this value alone and no thread's state hangs on it. Shared references give nothing
// but atomic loads of status words; everything else needs `&mut`.
unsafe impl Send for Area {}
unsafe impl Sync for Area {}

impl Area {
    /// Maps the ring that was set up on a packet socket with these sizes.
    pub fn map(socket: BorrowedFd<'_>, block_bytes: usize, blocks: usize) -> io::Result<Self> {
        let length = block_bytes.checked_mul(blocks).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping at a place of the kernel's choice replaces nothing that anybody uses; the result is
        // checked before it is used.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, block_bytes, blocks })
    }

    /// Blocks of the ring.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// True where the kernel has handed this block over.
    #[inline]
    pub fn is_ready(&self, index: usize) -> bool {
        // Acquire: what the kernel wrote to the block before it set the status is seen after this.
        self.status(index).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// A block that the kernel has handed over; none while it still owns it.
    #[inline]
    pub fn block(&mut self, index: usize) -> Option<&mut [u8]> {
        if !self.is_ready(index) {
            return None;
        }
        // SAFETY: `status` has checked the index, so these bytes lie in the mapping. The kernel does not touch a
        // block that has the status "user" until `release` gives it back, which needs `&mut self` and therefore
        // waits for this view to end; for the same reason there is no second view.
        Some(unsafe {
            std::slice::from_raw_parts_mut(self.base.as_ptr().add(index * self.block_bytes), self.block_bytes)
        })
    }

    /// As `block`, to look at only.
    #[inline]
    pub fn look(&self, index: usize) -> Option<&[u8]> {
        if !self.is_ready(index) {
            return None;
        }
        // SAFETY: as in `block`; what could change these bytes, `block` and `release`, needs `&mut self`.
        Some(unsafe {
            std::slice::from_raw_parts(self.base.as_ptr().add(index * self.block_bytes), self.block_bytes)
        })
    }

    /// Gives a block back to the kernel. Views of it have ended: they borrow `self`.
    pub fn release(&mut self, index: usize) {
        // Release: our last look at the block, and the tags written into it, come before the kernel gets it.
        self.status(index).store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    #[inline]
    fn status(&self, index: usize) -> &AtomicU32 {
        assert!(index < self.blocks, "block {index} of {}", self.blocks);
        // SAFETY: in the mapping (a block has at least a page, the index is checked), aligned (the mapping and the
        // blocks start at pages), and written by the kernel as one 32-bit word. It is only reached as an atomic, or
        // lies in a view that `block` gave, which no call of this can overlap: that view borrows `self` mutably.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(index * self.block_bytes + STATUS_AT).cast()) }
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped; no view outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.block_bytes * self.blocks) };
    }
}
