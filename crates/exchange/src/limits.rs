//! How much of a file is believed at once: the bounds that keep memory flat.

/// The longest line that is read, bytes: a day of one-minute values with decimals takes a tenth of it.
pub const LINE: usize = 256 * 1024;

/// Characters of a refused line that are kept beside its reason.
pub const EXCERPT: usize = 200;

/// Values of one block at most; a longer run is handed out in several.
pub const BLOCK_VALUES: usize = 4096;

/// Values held back at most while series are gathered from a file that mixes them.
pub const GATHERED_VALUES: usize = 1 << 20;

/// Series held open at most while they are gathered.
pub const GATHERED_SERIES: usize = 65_536;

/// Bytes of a name: meter, register, service point.
pub const NAME: usize = 128;

/// Bytes of a Parquet file that comes as a stream and so is held.
pub const PARQUET_HELD: usize = 64 << 20;
