//! MPI as what carries messages. In: an MPI world that `mpirun` or a scheduler has started; out: a
//! `Communicator`. It only sends and receives: no sum is left to MPI, whose order would depend on the number
//! of ranks.

// All calls of MPI are on one thread of its own. The others wait for it, and need not wait for ever: where a
// rank is lost, the thread is left behind with its unfinished requests, and the process ends without
// `MPI_Finalize`, which would wait for the lost one.

use std::format;
use std::string::{String, ToString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec;
use std::vec::Vec;

use mpi::environment::processor_name;
use mpi::request::Request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination, Source};

use super::watch::{Rendezvous, Watch};
use super::{CommunicationError, Communicator, Parts};

/// The most bytes of one message: MPI counts them with 32 bits.
const MESSAGE: usize = 1 << 30;
/// How often whoever waits looks whether all are still there.
const LOOK: Duration = Duration::from_millis(20);
/// How long messages are looked after without a pause where somebody waits for them.
const EAGER: Duration = Duration::from_micros(500);
/// The pause where nobody does, or has for long: whoever works has the processor meanwhile, also where there
/// are more ranks than processors.
const ASIDE: Duration = Duration::from_micros(50);
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
    jobs: Option<Sender<Job>>,
    done: Receiver<Job>,
    /// Buffers of the last exchange.
    spare: Exchange,
    /// Whether somebody waits for what is on its way.
    awaited: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
}

/// What is on its way.
enum Job {
    Bytes(Exchange),
    Numbers { send: Parts, receive: Parts },
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
        let awaited = Arc::new(AtomicBool::new(false));
        let waited = Arc::clone(&awaited);
        let handle =
            thread::Builder::new()
                .name("nn mpi".into())
                .spawn(move || serve(&todo, &tell, &begin, &waited))
                .map_err(|error| CommunicationError::Engine(format!("expected a thread for MPI, found: {error}")))?;
        let (rank, size) = begun.recv().map_err(|_| {
            let text = "expected to begin MPI, found that this process has done so before\nhelp: make one `MpiCommunicator` and \
                        nothing else of MPI";
            CommunicationError::Engine(text.into())
        })?;
        let thread = MpiThread { jobs: Some(jobs), done, spare: Exchange::default(), awaited, handle: Some(handle) };
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
        let mut exchange = std::mem::take(&mut thread.spare);
        exchange.fill(self.rank, send, receive);
        thread.begin(Job::Bytes(exchange))?;
        let Job::Bytes(exchange) = thread.finish(|since| self.lost(since))? else { return Err(ended()) };
        let others = receive.iter_mut().zip(&exchange.receive).enumerate().filter(|(from, _)| *from != self.rank);
        others.for_each(|(_, (to, from))| to.copy_from_slice(from));
        thread.spare = exchange;
        Ok(())
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

fn ended() -> CommunicationError {
    CommunicationError::Engine("expected MPI to be at work, found that it has ended".into())
}

impl MpiThread {
    /// Sends this on its way.
    fn begin(&mut self, job: Job) -> Result<(), CommunicationError> {
        self.awaited.store(false, Ordering::Release);
        self.jobs.as_ref().ok_or_else(ended)?.send(job).map_err(|_| ended())
    }

    /// Waits until it is through, or `lost` says since when it cannot be.
    fn finish(&mut self, lost: impl Fn(Instant) -> Option<CommunicationError>) -> Result<Job, CommunicationError> {
        self.awaited.store(true, Ordering::Release);
        self.handle.iter().for_each(|handle| handle.thread().unpark());
        let begun = Instant::now();
        loop {
            match self.done.recv_timeout(LOOK) {
                Ok(job) => return Ok(job),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(error) = lost(begun) {
                        self.jobs = None;
                        // It waits for messages that will not come.
                        self.handle = None;
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
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
}

impl Job {
    fn run(&mut self, world: &SimpleCommunicator, awaited: &AtomicBool) {
        match self {
            Job::Bytes(Exchange { send, which, receive }) => {
                let receive = receive.iter_mut().map(|bytes| &mut bytes[..]).collect();
                run(world, |to| &send[which[to]][..], receive, awaited);
            }
            Job::Numbers { send, receive } => {
                run(world, |to| send.bytes(to), receive.bytes_mut().collect(), awaited);
            }
        }
    }
}

/// Sends and receives to and from all other ranks. Whoever does not wait yet has the processor meanwhile.
fn run<'b>(
    world: &SimpleCommunicator,
    send: impl Fn(usize) -> &'b [u8],
    receive: Vec<&'b mut [u8]>,
    awaited: &AtomicBool,
) {
    let (rank, ranks) = (world.rank() as usize, world.size() as usize);
    mpi::request::scope(|scope| {
        let mut receiving = Vec::new();
        let mut sending = Vec::new();
        for (from, bytes) in receive.into_iter().enumerate().filter(|(from, _)| *from != rank) {
            let from = world.process_at_rank(from as i32);
            receiving.extend(bytes.chunks_mut(MESSAGE).map(|part| from.immediate_receive_into(scope, part)));
        }
        // Each rank begins with the one after it, so that not all send to the same one.
        for to in (1..ranks).map(|k| (rank + k) % ranks) {
            let process = world.process_at_rank(to as i32);
            sending.extend(send(to).chunks(MESSAGE).map(|part| process.immediate_send(scope, part)));
        }
        let mut waiting = None;
        while !(receiving.is_empty() && sending.is_empty()) {
            receiving = unfinished(receiving);
            sending = unfinished(sending);
            if awaited.load(Ordering::Acquire) && waiting.is_none() {
                waiting = Some(Instant::now());
            }
            match waiting {
                Some(since) if since.elapsed() < EAGER => thread::yield_now(),
                _ => thread::park_timeout(ASIDE),
            }
        }
    });
}

/// The requests that are not through.
fn unfinished<'a, D: ?Sized, S: mpi::request::Scope<'a>>(requests: Vec<Request<'a, D, S>>) -> Vec<Request<'a, D, S>> {
    requests.into_iter().filter_map(|request| request.test().err()).collect()
}

/// Begins MPI and exchanges messages until nobody wants any more.
fn serve(jobs: &Receiver<Job>, done: &Sender<Job>, begun: &Sender<(usize, usize)>, awaited: &AtomicBool) {
    let Some(universe) = mpi::initialize() else { return };
    let world = universe.world();
    let _ = begun.send((world.rank() as usize, world.size() as usize));
    while let Ok(mut job) = jobs.recv() {
        job.run(&world, awaited);
        if done.send(job).is_err() {
            break;
        }
    }
}
