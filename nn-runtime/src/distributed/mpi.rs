//! MPI as what carries messages. In: an MPI world that `mpirun` or a scheduler has started; out: a
//! `Communicator`. It only sends and receives: no sum is left to MPI, whose order would depend on the number
//! of ranks.

use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use std::vec;
use std::vec::Vec;

use mpi::environment::processor_name;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
use nn_kernels::shared_memory::{SharedMemory, SharedPart};

use super::mpi_thread::{Job, MpiThread, ended};
use super::short_messages::ShortMessages;
use super::watch::{Rendezvous, Watch};
use super::{CommunicationError, Communicator, Parts, SharedParts};

/// The ranks of an MPI world, with the feature `mpi`.
///
/// ```no_run
/// use nn_runtime::distributed::MpiCommunicator;
/// # use nn_runtime::prelude::*;
/// # network! { struct Line: [1] -> [1] { Dense(1) } }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut model = Line::init(0);
/// let trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let mut trainer = trainer.distributed(MpiCommunicator::world()?)?;
/// # Ok(()) }
/// ```
///
/// A rank that dies is named on all others within five seconds, if their launcher lets them live: `mpirun
/// --enable-recovery` with Open MPI. Other launchers end all ranks as soon as one dies, and name its process.
pub struct MpiCommunicator {
    rank: usize,
    size: usize,
    thread: Mutex<MpiThread>,
    watch: Option<Watch>,
    /// Whether all ranks are on one machine.
    one_host: bool,
    /// Where they leave each other short messages there.
    short: Option<Mutex<ShortMessages>>,
}

impl MpiCommunicator {
    /// All processes that were started together; one alone where nothing has started it as MPI does.
    ///
    /// # Errors
    /// MPI has been begun before in this process, or cannot be.
    pub fn world() -> Result<MpiCommunicator, CommunicationError> {
        let (thread, rank, size) = MpiThread::begun()?;
        let thread = Mutex::new(thread);
        let mut world = MpiCommunicator { rank, size, thread, watch: None, one_host: false, short: None };
        world.watch = world.meet()?;
        world.one_host = world.has_one_host()?;
        world.short = world.shared(ShortMessages::len(size))?.map(|parts| Mutex::new(ShortMessages::new(parts)));
        Ok(world)
    }

    /// Connects all ranks to rank 0. Where one cannot be reached so, nobody watches.
    fn meet(&self) -> Result<Option<Watch>, CommunicationError> {
        if self.size == 1 {
            return Ok(None);
        }
        let host = processor_name().unwrap_or_default();
        let meeting = if self.rank == 0 { Rendezvous::new().ok() } else { None };
        let port = meeting.as_ref().and_then(|meeting| meeting.port().ok()).unwrap_or(0);
        let own = format!("{host}\n{port}");
        let place = self.of_first(own.as_bytes())?;
        let place = String::from_utf8_lossy(&place).into_owned();
        let (at, port) = place.split_once('\n').unwrap_or(("", "0"));
        let port: u16 = port.parse().unwrap_or(0);
        // The name of a machine need not be known on it.
        let name = if at == host { "127.0.0.1".to_string() } else { at.to_string() };
        let watch = match (port, meeting) {
            (0, _) => None,
            (_, Some(meeting)) => meeting.wait(self.size).ok(),
            _ => Watch::join((&name[..], port), self.rank).ok(),
        };
        let all_met = self.all_say(watch.is_some())?;
        Ok(watch.filter(|_| all_met))
    }

    /// What rank 0 has.
    fn of_first(&self, own: &[u8]) -> Result<Vec<u8>, CommunicationError> {
        Ok(self.of_all(own)?.swap_remove(0))
    }

    /// What each rank has, of any length.
    fn of_all(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, CommunicationError> {
        let len = (own.len() as u64).to_le_bytes();
        let mut lengths = vec![0; 8 * self.size];
        self.exchange(&vec![&len[..]; self.size], &mut lengths.chunks_mut(8).collect::<Vec<_>>())?;
        let lengths: Vec<usize> = lengths.as_chunks().0.iter().map(|len| u64::from_le_bytes(*len) as usize).collect();
        let mut all: Vec<Vec<u8>> = lengths.into_iter().map(|len| vec![0; len]).collect();
        self.exchange(&vec![own; self.size], &mut all.iter_mut().map(|bytes| &mut bytes[..]).collect::<Vec<_>>())?;
        Ok(all)
    }

    /// Whether all ranks say so.
    fn all_say(&self, own: bool) -> Result<bool, CommunicationError> {
        Ok(self.of_all(&[u8::from(own)])?.iter().all(|said| said == &[1]))
    }

    fn has_one_host(&self) -> Result<bool, CommunicationError> {
        let hosts = self.of_all(processor_name().unwrap_or_default().as_bytes())?;
        Ok(self.size > 1 && !hosts[0].is_empty() && hosts.iter().all(|host| *host == hosts[0]))
    }

    /// Memory that all ranks have together, so many numbers for each; none where one of them cannot have it,
    /// as in containers that do not see each other.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn share(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        let own = SharedPart::create(len).ok();
        let place = own.as_ref().and_then(SharedPart::place);
        let (place, token) = place.unwrap_or_default();
        let places = self.of_all(format!("{token:x} {place}").as_bytes())?;
        let open = |place: &Vec<u8>| {
            let (token, place) = str::from_utf8(place).ok()?.split_once(' ')?;
            SharedPart::open(place, u64::from_str_radix(token, 16).ok()?, len).ok()
        };
        let mut parts: Vec<Option<SharedPart>> =
            places.iter().enumerate().map(|(rank, place)| if rank == self.rank { None } else { open(place) }).collect();
        parts[self.rank] = own;
        let parts: Option<Vec<SharedPart>> = parts.into_iter().collect();
        if !self.all_say(parts.is_some())? {
            return Ok(None);
        }
        let memory = parts.map(|parts| SharedMemory::of_processes(self.rank, parts));
        let seen = self.watch.as_ref().map(|watch| Arc::clone(watch.seen()));
        let lost = move |_, since| seen.as_ref()?.without(since);
        Ok(memory.map(|memory| SharedParts::new(memory, lost)))
    }

    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    fn share(&self, _len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        Ok(None)
    }

    /// The rank without which nothing goes on.
    fn lost(&self, since: Instant) -> Option<CommunicationError> {
        self.watch.as_ref()?.seen().without(since)
    }

    /// By messages of MPI.
    fn exchange_by_messages(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let mut exchange = std::mem::take(&mut thread.spare);
        exchange.fill(self.rank, send, receive);
        thread.begin(Job::Bytes(exchange))?;
        let Job::Bytes(exchange) = thread.finish(|since| self.lost(since))? else { return Err(ended()) };
        let others = receive.iter_mut().zip(&exchange.receive).enumerate().filter(|(from, _)| *from != self.rank);
        others.for_each(|(_, (to, from))| to.copy_from_slice(from));
        thread.spare = exchange;
        Ok(())
    }
}

impl Communicator for MpiCommunicator {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        // What stays here needs no message.
        receive[self.rank].copy_from_slice(send[self.rank]);
        if self.size == 1 {
            return Ok(());
        }
        match &self.short {
            None => self.exchange_by_messages(send, receive),
            Some(short) => {
                let mut short = short.lock().unwrap_or_else(PoisonError::into_inner);
                short.exchange(self.rank, send, receive, |send, receive| self.exchange_by_messages(send, receive))
            }
        }
    }

    fn shared(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        match self.one_host {
            true => self.share(len),
            false => Ok(None),
        }
    }

    fn exchange_while(
        &self,
        send: &mut Parts,
        receive: &mut Parts,
        work: &mut dyn FnMut(),
    ) -> Result<(), CommunicationError> {
        if self.size == 1 {
            work();
            return Ok(());
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.begin(Job::Numbers { send: std::mem::take(send), receive: std::mem::take(receive) })?;
        work();
        let Job::Numbers { send: sent, receive: received } = thread.finish(|since| self.lost(since))? else {
            return Err(ended());
        };
        (*send, *receive) = (sent, received);
        Ok(())
    }
}

impl Drop for MpiCommunicator {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = &self.watch {
            watch.leave(self.rank);
            if watch.seen().lost().is_some() {
                return thread.leave();
            }
        }
        thread.end();
    }
}
