//! The thread that calls MPI. In: messages for each rank; out: those from each, or who is lost. No other
//! thread calls MPI.

// The others wait for it, and need not wait for ever: where a rank is lost, the thread is left behind with
// its unfinished requests, and the process ends without `MPI_Finalize`, which would wait for the lost one.

use std::format;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec::Vec;

use mpi::request::Request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination, Source};

use super::{CommunicationError, Parts};

/// The most bytes of one message: MPI counts them with 32 bits.
const MESSAGE: usize = 1 << 30;
/// How often whoever waits looks whether all are still there.
const LOOK: Duration = Duration::from_millis(20);
/// How long messages are looked after without a pause where somebody waits for them.
const EAGER: Duration = Duration::from_micros(500);
/// The pause where nobody does, or has for long: whoever works has the processor meanwhile, also where there
/// are more ranks than processors.
const ASIDE: Duration = Duration::from_micros(50);
/// How long the others have to come to an end after this rank has.
const FINALIZE: Duration = Duration::from_secs(10);

/// The thread that calls MPI.
pub(super) struct MpiThread {
    jobs: Option<Sender<Job>>,
    done: Receiver<Job>,
    /// Buffers of the last exchange.
    pub(super) spare: Exchange,
    /// Whether somebody waits for what is on its way.
    awaited: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
}

/// What is on its way.
pub(super) enum Job {
    Bytes(Exchange),
    Numbers { send: Parts, receive: Parts },
}

/// Messages on their way.
#[derive(Default)]
pub(super) struct Exchange {
    /// What is sent, each once.
    send: Vec<Vec<u8>>,
    /// Which of them each rank gets.
    which: Vec<usize>,
    pub(super) receive: Vec<Vec<u8>>,
}

pub(super) fn ended() -> CommunicationError {
    CommunicationError::Engine("expected MPI to be at work, found that it has ended".into())
}

impl MpiThread {
    /// Begins MPI: the thread, the number of this process, and how many there are.
    pub(super) fn begun() -> Result<(MpiThread, usize, usize), CommunicationError> {
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
        Ok((thread, rank, size))
    }

    /// Sends this on its way.
    pub(super) fn begin(&mut self, job: Job) -> Result<(), CommunicationError> {
        self.awaited.store(false, Ordering::Release);
        self.jobs.as_ref().ok_or_else(ended)?.send(job).map_err(|_| ended())
    }

    /// Waits until it is through, or `lost` says since when it cannot be.
    pub(super) fn finish(
        &mut self,
        lost: impl Fn(Instant) -> Option<CommunicationError>,
    ) -> Result<Job, CommunicationError> {
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

    /// Leaves MPI as it is, where a rank is lost.
    pub(super) fn leave(&mut self) {
        // A thread that nobody asks any more would end MPI.
        std::mem::forget(self.jobs.take());
    }

    /// Ends MPI, where the others come to an end too.
    pub(super) fn end(&mut self) {
        self.jobs = None;
        let Some(handle) = self.handle.take() else { return };
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
    pub(super) fn fill(&mut self, rank: usize, send: &[&[u8]], receive: &[&mut [u8]]) {
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
