//! MPI as what carries messages. In: an MPI world that `mpirun` or a scheduler has started; out: a
//! `Communicator`. It only sends and receives: no sum is left to MPI, whose order would depend on the number
//! of ranks.

// All calls of MPI are on one thread of its own. The others wait for it, and need not wait for ever: where a
// rank is lost, the thread is left behind with its unfinished requests, and the process ends without
// `MPI_Finalize`, which would wait for the lost one.

use std::format;
use std::string::{String, ToString};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec;
use std::vec::Vec;

use mpi::environment::processor_name;
use mpi::request::Request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination, Source};

use super::watch::{Rendezvous, Watch};
use super::{CommunicationError, Communicator};

/// The most bytes of one message: MPI counts them with 32 bits.
const MESSAGE: usize = 1 << 30;
/// How often whoever waits looks whether all are still there.
const LOOK: Duration = Duration::from_millis(20);
/// How long a message of a rank that has left may be on its way.
const GRACE: Duration = Duration::from_secs(2);
/// How long the others have to come to an end after this rank has.
const FINALIZE: Duration = Duration::from_secs(10);

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
}

/// The thread that calls MPI.
struct MpiThread {
    jobs: Option<Sender<Exchange>>,
    done: Receiver<Exchange>,
    /// Buffers of the last exchange.
    spare: Exchange,
    handle: Option<JoinHandle<()>>,
}

/// Messages on their way.
#[derive(Default)]
struct Exchange {
    /// What is sent, each once.
    send: Vec<Vec<u8>>,
    /// Which of them each rank gets.
    which: Vec<usize>,
    receive: Vec<Vec<u8>>,
}

impl MpiCommunicator {
    /// All processes that were started together; one alone where nothing has started it as MPI does.
    ///
    /// # Errors
    /// MPI has been begun before in this process, or cannot be.
    pub fn world() -> Result<MpiCommunicator, CommunicationError> {
        let (jobs, todo) = channel();
        let (tell, done) = channel();
        let (begin, begun) = channel();
        let handle = thread::Builder::new()
            .name("nn mpi".into())
            .spawn(move || serve(&todo, &tell, &begin))
            .map_err(|error| CommunicationError::Engine(format!("expected a thread for MPI, found: {error}")))?;
        let (rank, size) = begun.recv().map_err(|_| {
            let text = "expected to begin MPI, found that this process has done so before\nhelp: make one `MpiCommunicator` and \
                        nothing else of MPI";
            CommunicationError::Engine(text.into())
        })?;
        let thread = MpiThread { jobs: Some(jobs), done, spare: Exchange::default(), handle: Some(handle) };
        let mut world = MpiCommunicator { rank, size, thread: Mutex::new(thread), watch: None };
        world.watch = world.meet()?;
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
        let mut met = vec![0; self.size];
        let own = [u8::from(watch.is_some())];
        self.exchange(&vec![&own[..]; self.size], &mut met.chunks_mut(1).collect::<Vec<_>>())?;
        Ok(watch.filter(|_| met.iter().all(|met| *met == 1)))
    }

    /// What rank 0 has.
    fn of_first(&self, own: &[u8]) -> Result<Vec<u8>, CommunicationError> {
        let len = (own.len() as u64).to_le_bytes();
        let mut lengths = vec![0; 8 * self.size];
        self.exchange(&vec![&len[..]; self.size], &mut lengths.chunks_mut(8).collect::<Vec<_>>())?;
        let lengths: Vec<usize> = lengths.as_chunks().0.iter().map(|len| u64::from_le_bytes(*len) as usize).collect();
        let mut all: Vec<Vec<u8>> = lengths.into_iter().map(|len| vec![0; len]).collect();
        self.exchange(&vec![own; self.size], &mut all.iter_mut().map(|bytes| &mut bytes[..]).collect::<Vec<_>>())?;
        Ok(all.swap_remove(0))
    }

    /// The rank without which nothing goes on.
    fn lost(&self, since: Instant) -> Option<CommunicationError> {
        let watch = self.watch.as_ref()?;
        let left = watch.left().filter(|_| since.elapsed() > GRACE);
        watch.lost().or(left).map(CommunicationError::rank_lost)
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
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let MpiThread { jobs, done, spare, .. } = &mut *thread;
        let ended = || CommunicationError::Engine("expected MPI to be at work, found that it has ended".into());
        let jobs = jobs.as_ref().ok_or_else(ended)?;
        let mut exchange = std::mem::take(spare);
        exchange.fill(self.rank, send, receive);
        jobs.send(exchange).map_err(|_| ended())?;
        let begun = Instant::now();
        let exchange = loop {
            match done.recv_timeout(LOOK) {
                Ok(exchange) => break exchange,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(error) = self.lost(begun) {
                        thread.jobs = None;
                        // It waits for messages that will not come.
                        thread.handle = None;
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        };
        let others = receive.iter_mut().zip(&exchange.receive).enumerate().filter(|(from, _)| *from != self.rank);
        others.for_each(|(_, (to, from))| to.copy_from_slice(from));
        *spare = exchange;
        Ok(())
    }
}

impl Drop for MpiCommunicator {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.leave(self.rank);
        }
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        thread.jobs = None;
        let Some(handle) = thread.handle.take() else { return };
        let begun = Instant::now();
        while !handle.is_finished() && begun.elapsed() < FINALIZE {
            thread::sleep(Duration::from_millis(1));
        }
        if handle.is_finished() {
            let _ = handle.join();
        }
    }
}

impl Exchange {
    /// Takes what goes to other ranks, and makes room for what they send.
    fn fill(&mut self, rank: usize, send: &[&[u8]], receive: &[&mut [u8]]) {
        let mut count = 0;
        self.which.clear();
        for (i, bytes) in send.iter().enumerate() {
            let before = send[..i].iter().position(|other| std::ptr::eq(*other, *bytes)).filter(|at| *at != rank);
            let which = match before {
                _ if i == rank => 0,
                Some(before) => self.which[before],
                None => {
                    if self.send.len() == count {
                        self.send.push(Vec::new());
                    }
                    self.send[count].clear();
                    self.send[count].extend_from_slice(bytes);
                    count += 1;
                    count - 1
                }
            };
            self.which.push(which);
        }
        self.receive.resize_with(receive.len(), Vec::new);
        for (to, from) in self.receive.iter_mut().zip(receive) {
            to.resize(from.len(), 0);
        }
    }

    fn run(&mut self, world: &SimpleCommunicator) {
        let rank = world.rank() as usize;
        let Exchange { send, which, receive } = self;
        mpi::request::scope(|scope| {
            let mut receiving = Vec::new();
            let mut sending = Vec::new();
            for (from, bytes) in receive.iter_mut().enumerate().filter(|(from, _)| *from != rank) {
                let from = world.process_at_rank(from as i32);
                receiving.extend(bytes.chunks_mut(MESSAGE).map(|part| from.immediate_receive_into(scope, part)));
            }
            // Each rank begins with the one after it, so that not all send to the same one.
            let ranks = which.len();
            for to in (1..ranks).map(|k| (rank + k) % ranks) {
                let process = world.process_at_rank(to as i32);
                let parts = send[which[to]].chunks(MESSAGE);
                sending.extend(parts.map(|part| process.immediate_send(scope, part)));
            }
            while !(receiving.is_empty() && sending.is_empty()) {
                receiving = unfinished(receiving);
                sending = unfinished(sending);
                thread::yield_now();
            }
        });
    }
}

/// The requests that are not through.
fn unfinished<'a, D: ?Sized, S: mpi::request::Scope<'a>>(requests: Vec<Request<'a, D, S>>) -> Vec<Request<'a, D, S>> {
    requests.into_iter().filter_map(|request| request.test().err()).collect()
}

/// Begins MPI and exchanges messages until nobody wants any more.
fn serve(jobs: &Receiver<Exchange>, done: &Sender<Exchange>, begun: &Sender<(usize, usize)>) {
    let Some(universe) = mpi::initialize() else { return };
    let world = universe.world();
    let _ = begun.send((world.rank() as usize, world.size() as usize));
    while let Ok(mut exchange) = jobs.recv() {
        exchange.run(&world);
        if done.send(exchange).is_err() {
            break;
        }
    }
}
