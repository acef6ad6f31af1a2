//! Files that other tools wrote, as declarations and weights: read, compiled, and compared with what the
//! tools themselves predicted; written again for them; and damaged.

mod audio;
mod declarations;
mod hostile;
mod keras;
mod memory;
