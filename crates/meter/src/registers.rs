//! Cumulative registers: a total and four rates each way.

use crate::quantity::Direction;

/// What has been measured since installation, in Wh or litres, and the thousandths on the way to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Registers {
    delivered: [u64; 5],
    received: [u64; 5],
    carry_milli: [i64; 2],
}

impl Registers {
    /// Adds thousandths at a rate, 1 to 4; whole units move on and are returned, so that the sum of the rates, the
    /// total and the intervals agree to the last unit. A stuck total stays where it is.
    pub(crate) fn add(&mut self, direction: Direction, rate: u8, milli: i64, stuck: bool) -> u64 {
        let carry = &mut self.carry_milli[usize::from(direction == Direction::Received)];
        *carry += milli.max(0);
        let whole = u64::try_from(*carry / 1000).unwrap_or(0);
        *carry %= 1000;
        let five = match direction {
            Direction::Delivered => &mut self.delivered,
            Direction::Received => &mut self.received,
        };
        if !stuck {
            five[0] += whole;
        }
        five[usize::from(rate.clamp(1, 4))] += whole;
        whole
    }

    /// What the register shows: it rolls over at ten to the power of `digits`.
    pub(crate) fn shown(&self, direction: Direction, index: usize, digits: u8) -> u32 {
        let five = match direction {
            Direction::Delivered => &self.delivered,
            Direction::Received => &self.received,
        };
        let value = five.get(index).copied().unwrap_or(0) % 10u64.pow(u32::from(digits.min(9)));
        u32::try_from(value).unwrap_or(0)
    }

    /// All ten as shown, delivered first.
    pub(crate) fn all(&self, digits: u8) -> ([u32; 5], [u32; 5]) {
        let five = |direction| core::array::from_fn(|index| self.shown(direction, index, digits));
        (five(Direction::Delivered), five(Direction::Received))
    }

    /// Puts the totals somewhere, as when a used meter is installed; the four rates share them, the first one taking what is
    /// left over.
    pub(crate) fn start_at(&mut self, delivered: u64, received: u64) {
        let five = |total: u64| [total, total - 3 * (total / 4), total / 4, total / 4, total / 4];
        (self.delivered, self.received) = (five(delivered), five(received));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_wait_for_their_unit_and_registers_roll_over() {
        let mut registers = Registers::default();
        let steps = [(1, 999, 0), (2, 1, 1), (2, 2_500, 2), (3, 499, 0), (3, 1, 1)];
        for (rate, milli, whole) in steps {
            assert_eq!(registers.add(Direction::Delivered, rate, milli, false), whole);
        }
        assert_eq!(registers.all(9).0, [4, 0, 3, 1, 0]);
        registers.start_at(998, 0);
        registers.add(Direction::Delivered, 1, 5_000, false);
        assert_eq!(registers.shown(Direction::Delivered, 0, 3), 3);
        assert_eq!(registers.shown(Direction::Delivered, 0, 9), 1003);
        registers.add(Direction::Delivered, 1, 5_000, true);
        assert_eq!(registers.shown(Direction::Delivered, 0, 9), 1003);
        assert_eq!(registers.all(9).0, [1003, 251 + 10, 249, 249, 249]);
    }
}
