//! Who is still there. In: a connection of every rank to rank 0; out: the first rank that has died, does not
//! answer or has left, known to all others within seconds. It carries nothing of what is learnt.

// Each rank says every second that it is alive. A process that dies closes its connection, which is known at
// once; one that hangs, or whose machine is gone, is known by its silence. Rank 0 tells the others.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::CommunicationError;

/// How often a rank says that it is alive.
const BEAT: Duration = Duration::from_millis(500);
/// After how long a silence a rank is given up.
const SILENCE: Duration = Duration::from_secs(4);
/// How long what a rank has said before it left may be on its way.
const GRACE: Duration = Duration::from_secs(2);
/// How long all ranks have to find each other.
const MEETING: Duration = Duration::from_secs(60);

const NOBODY: usize = usize::MAX;
/// Numbers that are no ranks.
const ALIVE: u32 = u32::MAX;
/// Of the rank that follows: it has left, as its program is through.
const LEFT: u32 = u32::MAX - 1;

/// What is known of the others.
pub(super) struct RanksSeen {
    /// This rank.
    own: usize,
    lost: AtomicUsize,
    left: AtomicUsize,
    ended: AtomicBool,
    /// To the other ranks, on rank 0; to rank 0 on the others.
    peers: Mutex<Vec<TcpStream>>,
}

/// One rank's view of the others.
pub(super) struct Watch(Arc<RanksSeen>);

/// Where rank 0 waits for the others.
pub(super) struct Rendezvous(TcpListener);

impl Rendezvous {
    pub(super) fn new() -> io::Result<Rendezvous> {
        TcpListener::bind(("0.0.0.0", 0)).map(Rendezvous)
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// Waits for all others of a world of so many.
    pub(super) fn wait(self, size: usize) -> io::Result<Watch> {
        let (begun, mut streams) = (Instant::now(), Vec::new());
        self.0.set_nonblocking(true)?;
        while streams.len() + 1 < size {
            match self.0.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(SILENCE))?;
                    // Whoever says nothing of a rank is somebody else.
                    match read(&mut stream) {
                        Ok(rank) if (1..size as u32).contains(&rank) => streams.push((rank as usize, stream)),
                        _ => {}
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && begun.elapsed() < MEETING => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error),
            }
        }
        Watch::over(0, streams)
    }
}

impl Watch {
    /// Joins the meeting of rank 0.
    pub(super) fn join(place: impl ToSocketAddrs, rank: usize) -> io::Result<Watch> {
        let mut stream = TcpStream::connect(place)?;
        stream.write_all(&(rank as u32).to_le_bytes())?;
        stream.set_read_timeout(Some(SILENCE))?;
        Watch::over(rank, [(0, stream)].into())
    }

    fn over(own: usize, streams: Vec<(usize, TcpStream)>) -> io::Result<Watch> {
        let mut peers = Vec::new();
        for (_, stream) in &streams {
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(SILENCE))?;
            peers.push(stream.try_clone()?);
        }
        let state = Arc::new(RanksSeen {
            own,
            lost: AtomicUsize::new(NOBODY),
            left: AtomicUsize::new(NOBODY),
            ended: AtomicBool::new(false),
            peers: Mutex::new(peers),
        });
        for (rank, stream) in streams {
            let state = Arc::clone(&state);
            thread::Builder::new().name("nn watch".into()).spawn(move || state.listen(rank, stream))?;
        }
        let beating = Arc::clone(&state);
        thread::Builder::new().name("nn alive".into()).spawn(move || {
            while !beating.ended.load(Ordering::Acquire) {
                beating.say(&[ALIVE]);
                thread::sleep(BEAT);
            }
        })?;
        Ok(Watch(state))
    }

    /// What is known of the others, which goes on as long as this.
    pub(super) fn seen(&self) -> &Arc<RanksSeen> {
        &self.0
    }

    /// Tells the others that this rank leaves on purpose.
    pub(super) fn leave(&self, rank: usize) {
        if !self.0.ended.swap(true, Ordering::AcqRel) {
            self.0.say(&[LEFT, rank as u32]);
        }
    }
}

impl RanksSeen {
    /// The first rank that has died or does not answer.
    pub(super) fn lost(&self) -> Option<usize> {
        Some(self.lost.load(Ordering::Acquire)).filter(|rank| *rank != NOBODY)
    }

    /// The first rank that has left, as its program is through.
    fn left(&self) -> Option<usize> {
        Some(self.left.load(Ordering::Acquire)).filter(|rank| *rank != NOBODY)
    }

    /// The rank without which nothing goes on that this one has waited for since then.
    pub(super) fn without(&self, since: Instant) -> Option<CommunicationError> {
        let left = self.left().filter(|_| since.elapsed() > GRACE);
        self.lost().or(left).map(CommunicationError::rank_lost)
    }

    /// Says this to all peers that can hear it.
    fn say(&self, words: &[u32]) {
        let message: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.iter_mut() {
            // One that cannot hear is found by whoever listens to it.
            let _ = peer.write_all(&message);
        }
    }

    /// Listens to a peer until it ends.
    fn listen(&self, rank: usize, mut stream: TcpStream) {
        loop {
            match read(&mut stream) {
                Ok(ALIVE) => {}
                Ok(LEFT) => {
                    let Ok(left) = read(&mut stream) else { return };
                    self.found(&self.left, left as usize, &[LEFT, left]);
                    if left as usize == rank {
                        return;
                    }
                }
                Ok(lost) => self.is_lost(lost as usize),
                Err(_) => {
                    if !self.ended.load(Ordering::Acquire) {
                        self.is_lost(rank);
                    }
                    return;
                }
            }
        }
    }

    /// Keeps the first of its kind, and tells the peers of it.
    fn found(&self, place: &AtomicUsize, rank: usize, words: &[u32]) -> bool {
        let first = place.compare_exchange(NOBODY, rank, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.say(words);
        }
        first
    }

    /// A rank is lost. It is told at once: a launcher may end this process before its program can tell.
    fn is_lost(&self, rank: usize) {
        if self.found(&self.lost, rank, &[rank as u32]) {
            // In one piece, as others write there too.
            let text = std::format!("rank {}: rank {rank} has ended or does not answer\n", self.own);
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
        let peers = self.0.peers.lock().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.iter() {
            let _ = peer.shutdown(Shutdown::Write);
        }
    }
}

fn read(stream: &mut TcpStream) -> io::Result<u32> {
    let mut word = [0; 4];
    stream.read_exact(&mut word)?;
    Ok(u32::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(size: usize) -> Vec<Watch> {
        let meeting = Rendezvous::new().unwrap();
        let port = meeting.port().unwrap();
        let others: Vec<_> =
            (1..size).map(|rank| thread::spawn(move || Watch::join(("127.0.0.1", port), rank).unwrap())).collect();
        let mut all = vec![meeting.wait(size).unwrap()];
        all.extend(others.into_iter().map(|other| other.join().unwrap()));
        all
    }

    /// What a rank knows once it knows something; none after longer than a silence.
    fn wait(known: impl Fn() -> Option<usize>) -> Option<usize> {
        let begun = Instant::now();
        while known().is_none() && begun.elapsed() < 2 * SILENCE {
            thread::sleep(Duration::from_millis(5));
        }
        known()
    }

    #[test]
    fn all_others_know_who_has_died() {
        for dead in 0..4 {
            let mut ranks = all(4);
            drop(ranks.remove(dead));
            for rank in &ranks {
                assert_eq!(wait(|| rank.0.lost()), Some(dead));
            }
        }
    }

    #[test]
    fn whoever_leaves_is_not_dead() {
        let mut ranks = all(3);
        let leaving = ranks.remove(2);
        leaving.leave(2);
        drop(leaving);
        for rank in &ranks {
            assert_eq!(wait(|| rank.0.left()), Some(2));
            assert_eq!(rank.0.lost(), None);
        }
    }

    #[test]
    fn silence_is_death() {
        let meeting = Rendezvous::new().unwrap();
        let port = meeting.port().unwrap();
        // It stays connected, and says nothing after its number.
        let mut silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
        silent.write_all(&1u32.to_le_bytes()).unwrap();
        let watch = meeting.wait(2).unwrap();
        let begun = Instant::now();
        assert_eq!(wait(|| watch.0.lost()), Some(1));
        assert!(begun.elapsed() >= SILENCE / 2, "given up too early");
    }
}
