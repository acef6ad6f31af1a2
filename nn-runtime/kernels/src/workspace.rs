//! The one checked split: a pass's memory opened as many slices at once, some to read and some to write. In:
//! the memory and places in it; out: slices. A place that is written may meet no other place: a wrong plan
//! stops here.

/// Whose memory a place lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    /// The planned workspace. First, so that a place of nothing is all zeros, of which tables have many.
    Work,
    /// An input of the network.
    X,
    /// An output of the network.
    Y,
    /// The gradient of an input.
    Dx,
    /// The gradient of an output.
    Dy,
}

/// `len` floats from `offset` on in one of the slices of a region.
#[derive(Clone, Copy, Debug)]
pub struct BufferRange {
    /// Whose memory.
    pub region: Region,
    /// Which of the region's slices.
    pub index: usize,
    /// In floats.
    pub offset: usize,
    /// In floats.
    pub len: usize,
}

impl BufferRange {
    /// The same, so much sooner; from the beginning on where that is all.
    #[inline(always)]
    pub fn sooner(self, by: usize) -> BufferRange {
        BufferRange { offset: self.offset.saturating_sub(by), ..self }
    }
}

/// The memory of one pass.
pub struct Workspace<'a, 'b> {
    /// The planned workspace.
    pub work: &'a mut [f32],
    /// The inputs.
    pub x: &'a [&'a [f32]],
    /// The outputs, where the pass reads them.
    pub y: &'a [&'a [f32]],
    /// The gradients of the outputs.
    pub dy: &'a [&'a [f32]],
    /// What the pass writes outside the workspace.
    pub written: &'a mut [&'b mut [f32]],
    /// Which region that is: `Y` forward, `Dx` backward.
    pub writes: Region,
}

/// Slices opened at once: `A`, `B`, `C` to read, `W` and one more to write.
pub type Opened<'s, const A: usize, const B: usize, const C: usize, const W: usize> =
    ([&'s [f32]; A], [&'s [f32]; B], [&'s [f32]; C], [&'s mut [f32]; W], &'s mut [f32]);

#[derive(Clone, Copy)]
struct Raw {
    at: *mut f32,
    len: usize,
}

impl Raw {
    const NONE: Raw = Raw { at: core::ptr::NonNull::dangling().as_ptr(), len: 0 };

    #[cfg_attr(not(feature = "small"), inline(always))]
    #[cfg_attr(feature = "small", inline(never))]
    fn meets(&self, other: &Raw) -> bool {
        let (a, b) = (self.at.addr(), other.at.addr());
        (self.len > 0) & (other.len > 0) & (a < b + 4 * other.len) & (b < a + 4 * self.len)
    }

    /// Whether it meets none of them. No way out early: that all are asked costs less than a branch for each.
    #[inline(always)]
    fn apart(&self, others: &[Raw]) -> bool {
        let mut apart = true;
        for other in others {
            apart &= !self.meets(other);
        }
        apart
    }
}

#[cold]
#[inline(never)]
fn outside(place: BufferRange, len: usize) -> ! {
    panic!("a place lies within its memory: {place:?} in {len} floats")
}

impl Workspace<'_, '_> {
    /// Where a place lies. An output or input gradient that the caller left out (an empty slice) gives an
    /// empty place.
    ///
    /// # Panics
    /// The place does not lie within its slice.
    #[cfg_attr(not(feature = "small"), inline(always))]
    #[cfg_attr(feature = "small", inline(never))]
    fn find(&mut self, place: BufferRange, write: bool) -> Raw {
        if place.len == 0 {
            return Raw::NONE;
        }
        let i = place.index;
        // Raw from the start: a reference made for one place would take the pointers of the places before it
        // out of force.
        let memory: *mut [f32] = match place.region {
            Region::Work => &raw mut *self.work,
            region if region == self.writes => &raw mut *self.written[i],
            Region::X => core::ptr::from_ref(self.x[i]).cast_mut(),
            Region::Y => core::ptr::from_ref(self.y[i]).cast_mut(),
            Region::Dy => core::ptr::from_ref(self.dy[i]).cast_mut(),
            Region::Dx => return Raw::NONE,
        };
        let len = memory.len();
        if len == 0 {
            return Raw::NONE;
        }
        let writable = place.region == Region::Work || place.region == self.writes;
        assert!(writable || !write, "a pass may write only its workspace and its results");
        if place.offset > len || place.len > len - place.offset {
            outside(place, len);
        }
        // SAFETY: offset <= len, so the pointer stays within (or one past) the slice it comes from.
        Raw { at: unsafe { memory.cast::<f32>().add(place.offset) }, len: place.len }
    }

    /// Where places lie.
    #[inline(always)]
    fn find_all<const K: usize>(&mut self, places: [BufferRange; K], write: bool) -> [Raw; K] {
        let mut all = [Raw::NONE; K];
        for (to, place) in all.iter_mut().zip(places) {
            *to = self.find(place, write);
        }
        all
    }

    /// Opens places to read (`a`, `b`, `c`) and to write (`w`, `more`).
    ///
    /// # Panics
    /// A place does not lie within its memory, or one that is written meets another one.
    #[cfg_attr(not(feature = "small"), inline(always))]
    #[cfg_attr(feature = "small", inline(never))]
    pub fn borrow_disjoint<const A: usize, const B: usize, const C: usize, const W: usize>(
        &mut self,
        a: [BufferRange; A],
        b: [BufferRange; B],
        c: [BufferRange; C],
        w: [BufferRange; W],
        more: BufferRange,
    ) -> Opened<'_, A, B, C, W> {
        let a = self.find_all(a, false);
        let b = self.find_all(b, false);
        let c = self.find_all(c, false);
        let w = self.find_all(w, true);
        let more = self.find(more, true);
        let mut alone = more.apart(&w) & more.apart(&a) & more.apart(&b) & more.apart(&c);
        for (i, one) in w.iter().enumerate() {
            alone &= one.apart(&w[i + 1..]) & one.apart(&a) & one.apart(&b) & one.apart(&c);
        }
        assert!(alone, "a place that is written meets no other place");
        // SAFETY: `find` checked that every range lies within memory borrowed by `self`, mutably for the
        // written ones; the result borrows `self`, so nobody else reaches that memory meanwhile. Ranges that
        // are written meet no other opened range (checked above), so no `&mut` has an alias; ranges only read
        // may overlap each other.
        let read = |raw: Raw| unsafe { core::slice::from_raw_parts(raw.at, raw.len) };
        // SAFETY: `find` checked that these ranges lie within memory that `self` borrows mutably; none of
        // them meets another opened range (checked above), and the result borrows `self`.
        let write = |raw: Raw| unsafe { core::slice::from_raw_parts_mut(raw.at, raw.len) };
        (a.map(read), b.map(read), c.map(read), w.map(write), write(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: Region, offset: usize, len: usize) -> BufferRange {
        BufferRange { region, index: 0, offset, len }
    }

    #[test]
    fn opens_disjoint_places() {
        let (mut work, x, mut y) = ([0.0; 8], [1.0, 2.0], [0.0; 2]);
        let mut workspace =
            Workspace { work: &mut work, x: &[&x], y: &[], dy: &[], written: &mut [&mut y], writes: Region::Y };
        let ([a], [], [], [w], more) = workspace.borrow_disjoint(
            [place(Region::X, 0, 2)],
            [],
            [],
            [place(Region::Y, 0, 2)],
            place(Region::Work, 4, 4),
        );
        w.copy_from_slice(a);
        more.fill(3.0);
        assert_eq!((y, work), ([1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 3.0, 3.0, 3.0, 3.0]));
    }

    /// As a layer's pass does: several results beside each other and their source in one workspace, written
    /// in turns.
    #[test]
    fn opens_neighbours_in_one_memory() {
        let (mut work, mut y) = ([1.0, 2.0, 0.0, 0.0, 0.0, 0.0], [0.0; 4]);
        let mut workspace =
            Workspace { work: &mut work, x: &[], y: &[], dy: &[], written: &mut [&mut y], writes: Region::Y };
        let writes = [place(Region::Work, 2, 2), place(Region::Y, 2, 2), place(Region::Y, 0, 2)];
        let reads = [place(Region::Work, 0, 2), place(Region::Work, 1, 1)];
        let (reads, [], [], [a, b, c], d) = workspace.borrow_disjoint(reads, [], [], writes, place(Region::Work, 4, 2));
        for (i, to) in [&mut *a, b, c, d].into_iter().enumerate() {
            to.copy_from_slice(reads[0]);
            to[0] += i as f32 + reads[1][0];
        }
        a[1] = 9.0;
        assert_eq!((work, y), ([1.0, 2.0, 3.0, 9.0, 6.0, 2.0], [5.0, 2.0, 4.0, 2.0]));
    }

    #[test]
    #[should_panic(expected = "meets no other place")]
    fn refuses_overlap() {
        let mut work = [0.0; 8];
        let mut workspace = Workspace { work: &mut work, x: &[], y: &[], dy: &[], written: &mut [], writes: Region::Y };
        workspace.borrow_disjoint(
            [place(Region::Work, 0, 3)],
            [],
            [],
            [place(Region::Work, 2, 3)],
            place(Region::Work, 0, 0),
        );
    }

    #[test]
    #[should_panic(expected = "lies within its memory")]
    fn refuses_what_is_outside() {
        let mut work = [0.0; 8];
        let mut workspace = Workspace { work: &mut work, x: &[], y: &[], dy: &[], written: &mut [], writes: Region::Y };
        workspace.borrow_disjoint([place(Region::Work, 6, 3)], [], [], [], place(Region::Work, 0, 0));
    }

    #[test]
    #[should_panic(expected = "may write only")]
    fn refuses_to_write_inputs() {
        let x = [0.0; 8];
        let mut workspace = Workspace { work: &mut [], x: &[&x], y: &[], dy: &[], written: &mut [], writes: Region::Y };
        workspace.borrow_disjoint([], [], [], [place(Region::X, 0, 3)], place(Region::Work, 0, 0));
    }
}
