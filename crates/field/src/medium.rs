//! What carries the bytes: how far, how fast, how reliably.

use crate::chance;
use crate::place::Position;
use serde::{Deserialize, Serialize};

/// How a meter is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Technology {
    /// Sub-GHz radio mesh: meters relay for each other towards a collector.
    Mesh,
    /// Power line carrier towards a concentrator in the substation; meters repeat.
    Plc,
    /// The meter has its own cellular modem.
    Cellular,
    /// The meter hangs on somebody's broadband.
    Broadband,
    /// No delay and no loss, for measuring everything else.
    Ideal,
}

impl Technology {
    /// Whether meters of this kind stand behind a collector.
    pub const fn has_collector(self) -> bool {
        matches!(self, Self::Mesh | Self::Plc | Self::Ideal)
    }

    /// Whether meters of this kind relay for each other.
    pub const fn relays(self) -> bool {
        matches!(self, Self::Mesh | Self::Plc)
    }

    /// A short name, as in tables and scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Plc => "plc",
            Self::Cellular => "cellular",
            Self::Broadband => "broadband",
            Self::Ideal => "ideal",
        }
    }

    /// The rates and limits of this kind.
    pub(crate) const fn timing(self) -> Timing {
        match self {
            Self::Mesh => {
                Timing { bits_per_s: 50_000, payload: 200, overhead: 22, hop_ms: 12, spread_ms: 25, tries: 4 }
            }
            Self::Plc => {
                Timing { bits_per_s: 16_000, payload: 120, overhead: 16, hop_ms: 20, spread_ms: 40, tries: 5 }
            }
            Self::Cellular => Timing {
                bits_per_s: 400_000,
                payload: 1400,
                overhead: 60,
                hop_ms: 90,
                spread_ms: 400,
                tries: 6,
            },
            Self::Broadband => Timing {
                bits_per_s: 10_000_000,
                payload: 1400,
                overhead: 60,
                hop_ms: 8,
                spread_ms: 12,
                tries: 6,
            },
            Self::Ideal => {
                Timing { bits_per_s: 0, payload: 65_535, overhead: 0, hop_ms: 0, spread_ms: 0, tries: 1 }
            }
        }
    }
}

/// Rates and limits of a technology.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Bits a second on the medium; 0 for none to wait for.
    pub(crate) bits_per_s: u64,
    /// Most bytes of a message in one fragment.
    pub(crate) payload: usize,
    /// Bytes added to each fragment.
    pub(crate) overhead: usize,
    /// Fixed time of a hop: turn-around and processing.
    pub(crate) hop_ms: u64,
    /// Random time on top, drawn anew for each hop and each repeat.
    pub(crate) spread_ms: u64,
    /// How often a fragment is sent over a hop before the message is given up.
    pub(crate) tries: u32,
}

impl Timing {
    /// Microseconds on the medium for one fragment of `bytes`.
    pub(crate) const fn airtime_us(self, bytes: usize) -> u64 {
        if self.bits_per_s == 0 {
            return 0;
        }
        (bytes as u64 + self.overhead as u64) * 8 * 1_000_000 / self.bits_per_s
    }
}

/// Beyond this distance no radio link is considered, m.
pub(crate) const MESH_REACH_M: i32 = 320;
/// Beyond this distance no power-line link is considered, m.
pub(crate) const PLC_REACH_M: i32 = 900;
/// A link that loses more than this share of its fragments is not used.
const WORST_SUCCESS: f64 = 0.25;

/// The level at which `from` hears `to`, dBm; the same both ways.
///
/// Radio: 20 dBm sent, 46 dB over the first metre, 35 dB a decade beyond it, 6 dB of shadowing that a
/// pair keeps for life. Power line: 70 dB a kilometre of cable and 4 dB of branches.
pub(crate) fn signal_dbm(
    technology: Technology,
    seed: u64,
    from: (u32, Position),
    to: (u32, Position),
) -> f64 {
    let distance = from.1.distance_m(to.1).max(1.0);
    let luck = chance::normal_of_pair(seed, from.0, to.0);
    match technology {
        Technology::Mesh => 20.0 - 46.0 - 35.0 * distance.log10() + 6.0 * luck,
        Technology::Plc => -0.07 * distance + 4.0 * luck,
        Technology::Cellular => -85.0 + 10.0 * luck,
        Technology::Broadband | Technology::Ideal => 0.0,
    }
}

/// The chance that one fragment gets over a link of this level, under `noise_db` of noise above the
/// usual.
pub(crate) fn success(technology: Technology, signal_dbm: f64, noise_db: f64) -> f64 {
    let (middle, slope) = match technology {
        Technology::Mesh => (-99.0, 1.8),
        Technology::Plc => (-42.0, 3.0),
        Technology::Cellular => (-112.0, 3.0),
        Technology::Broadband | Technology::Ideal => return 1.0,
    };
    1.0 / (1.0 + (-(signal_dbm - noise_db - middle) / slope).exp())
}

/// The cost of a link to routing: expected transmissions, or `None` for one too poor to use.
pub(crate) fn cost(technology: Technology, signal_dbm: f64) -> Option<f64> {
    let success = success(technology, signal_dbm, 0.0);
    (success >= WORST_SUCCESS).then(|| 1.0 / (success * success))
}
