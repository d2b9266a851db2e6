//! A packet socket that only listens: opened without a protocol, bound to one interface, never written to.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::area::Area;

/// A block that is not full is handed over after this: how late a packet may be seen.
pub const RETIRE: Duration = Duration::from_millis(100);

/// Room that the kernel leaves before each frame, for a VLAN tag that has to be put back.
pub const RESERVED: u32 = 4;

/// How much the kernel reports for itself before each frame; V3 packs frames of any length after it.
const FRAME_BYTES: u32 = 2_048;

/// What a packet socket says of the packets since it was asked last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    pub dropped: u64,
    /// Times that the whole ring was full.
    pub freezes: u64,
}

/// What a wait has ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Readable,
    Nothing,
    /// The interface went down.
    Down,
}

/// The socket of one ring.
pub struct Socket {
    fd: OwnedFd,
    interface: CString,
    index: i32,
}

impl Socket {
    /// A socket for an interface that takes no packet yet: neither bound, nor letting any packet through.
    pub fn open(interface: &str) -> io::Result<Self> {
        let interface = CString::new(interface).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: a system call without pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a descriptor that was just made and that nobody else has.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let socket = Self { fd, interface, index: 0 };
        socket.accept(0)?;
        Ok(socket)
    }

    /// The number of the interface of our name; none while there is no such interface.
    pub fn interface_index(&self) -> Option<i32> {
        // SAFETY: a string that ends in NUL and lives through the call.
        let index = unsafe { libc::if_nametoindex(self.interface.as_ptr()) };
        i32::try_from(index).ok().filter(|index| *index > 0)
    }

    /// The interface that the socket is bound to.
    pub fn bound_index(&self) -> i32 {
        self.index
    }

    /// Sets up a ring of `blocks` blocks, with hardware timestamps wherever the interface makes them.
    pub fn ring(&self, block_bytes: usize, blocks: usize) -> io::Result<Area> {
        let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let block_size = u32::try_from(block_bytes).map_err(too_large)?;
        let block_nr = u32::try_from(blocks).map_err(too_large)?;
        self.set(libc::SOL_PACKET, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)?;
        self.set(libc::SOL_PACKET, libc::PACKET_RESERVE, &RESERVED)?;
        // Without hardware timestamps the kernel falls back to its own, packet by packet, and says so.
        let _ = self.set_hardware_timestamps(true);
        let request = libc::tpacket_req3 {
            tp_block_size: block_size,
            tp_block_nr: block_nr,
            tp_frame_size: FRAME_BYTES,
            tp_frame_nr: (block_size / FRAME_BYTES).saturating_mul(block_nr),
            tp_retire_blk_tov: RETIRE.as_millis() as u32,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        Area::map(self.fd.as_fd(), block_bytes, blocks)
    }

    /// Asks for timestamps of the interface's hardware, or no longer.
    pub fn set_hardware_timestamps(&self, wanted: bool) -> io::Result<()> {
        let flags = if wanted { libc::SOF_TIMESTAMPING_RAW_HARDWARE } else { 0 };
        self.set(libc::SOL_PACKET, libc::PACKET_TIMESTAMP, &flags)
    }

    /// Binds to the interface of our name, all protocols. Packets come once `accept` lets them.
    pub fn bind(&mut self, promiscuous: bool) -> io::Result<()> {
        let index = self.interface_index().ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
        // SAFETY: a plain structure of numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index;
        let length = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel reads `length` bytes of a structure that lives through the call.
        let failed = unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), length) } != 0;
        if failed {
            return Err(io::Error::last_os_error());
        }
        self.index = index;
        if promiscuous {
            let membership = libc::packet_mreq {
                mr_ifindex: index,
                mr_type: libc::PACKET_MR_PROMISC as u16,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            // The kernel takes this back when the socket is closed, whatever ends us.
            self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)?;
        }
        Ok(())
    }

    /// Joins the sockets that share an interface's flows; without a group, founds one. The group's number.
    pub fn join(&self, group: Option<u16>) -> io::Result<u16> {
        // The hash is of both ends alike, so that a flow's two directions come to one ring.
        let flags = if group.is_none() { libc::PACKET_FANOUT_FLAG_UNIQUEID } else { 0 };
        let kind = libc::PACKET_FANOUT_HASH | flags;
        let request = u32::from(group.unwrap_or(0)) | kind << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &request)?;
        let joined: u32 = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok((joined & 0xffff) as u16)
    }

    /// Lets packets through, `snaplen` bytes of each; none at all with 0.
    pub fn accept(&self, snaplen: u32) -> io::Result<()> {
        // A classic BPF program of one instruction: return that many bytes.
        let code = (libc::BPF_RET | libc::BPF_K) as u16;
        let mut program = [libc::sock_filter { code, jt: 0, jf: 0, k: snaplen }];
        // The kernel copies the program during the call, in which it lives.
        let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
    }

    /// What was dropped since this was asked last.
    pub fn statistics(&self) -> io::Result<Statistics> {
        let answer: libc::tpacket_stats_v3 = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(Statistics { dropped: answer.tp_drops.into(), freezes: answer.tp_freeze_q_cnt.into() })
    }

    /// The interface's kind (ARPHRD_).
    pub fn hardware_type(&self) -> io::Result<u16> {
        let request = self.ask(libc::SIOCGIFHWADDR)?;
        // SAFETY: SIOCGIFHWADDR fills this member; its family is the hardware type.
        Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
    }

    /// True where the interface is up.
    pub fn is_up(&self) -> bool {
        // SAFETY: SIOCGIFFLAGS fills this member.
        self.ask(libc::SIOCGIFFLAGS)
            .is_ok_and(|request| i32::from(unsafe { request.ifr_ifru.ifru_flags }) & libc::IFF_UP != 0)
    }

    /// Waits for a block, for so long at most.
    pub fn wait(&self, at_most: Duration) -> Waited {
        let mut asked = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let timeout_ms = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: one structure that lives through the call, and says so.
        let ready = unsafe { libc::poll(&raw mut asked, 1, timeout_ms) };
        if ready <= 0 {
            return Waited::Nothing;
        }
        if asked.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) == 0 {
            return Waited::Readable;
        }
        // Asking takes the error away, so that the next wait waits.
        match self.get::<i32>(libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(libc::ENETDOWN | libc::ENODEV | libc::ENXIO) => Waited::Down,
            _ => Waited::Nothing,
        }
    }

    fn ask(&self, request: libc::Ioctl) -> io::Result<libc::ifreq> {
        // SAFETY: a plain structure of numbers, for which zero is a value.
        let mut asked: libc::ifreq = unsafe { mem::zeroed() };
        let name = self.interface.to_bytes();
        if name.len() >= asked.ifr_name.len() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, from) in asked.ifr_name.iter_mut().zip(name) {
            *to = *from as libc::c_char;
        }
        // SAFETY: these requests read the name and write one member of a structure that lives through the call.
        let failed = unsafe { libc::ioctl(self.fd.as_raw_fd(), request, &raw mut asked) } != 0;
        if failed { Err(io::Error::last_os_error()) } else { Ok(asked) }
    }

    fn set<T: Copy>(&self, level: i32, name: i32, value: &T) -> io::Result<()> {
        let length = mem::size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads `length` bytes of a value that lives through the call.
        let failed = unsafe {
            libc::setsockopt(self.fd.as_raw_fd(), level, name, (&raw const *value).cast(), length) != 0
        };
        if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn get<T: Answer>(&self, level: i32, name: i32) -> io::Result<T> {
        // SAFETY: `Answer` is for plain numbers, for which zero is a value.
        let mut value: T = unsafe { mem::zeroed() };
        let mut length = mem::size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes, any of which make a value, to one that lives on.
        let failed = unsafe {
            libc::getsockopt(self.fd.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length) != 0
        };
        if failed { Err(io::Error::last_os_error()) } else { Ok(value) }
    }
}

/// What the kernel may be let write to: numbers of which every pattern of bits is one.
trait Answer: Copy {}
impl Answer for i32 {}
impl Answer for u32 {}
impl Answer for libc::tpacket_stats_v3 {}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
