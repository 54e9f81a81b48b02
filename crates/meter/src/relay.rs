//! The supply relay and the limiter that opens it.

/// The relay.
///
/// Standard: IEC 62056-6-2, Disconnect control (class 70): `output_state`, `control_state`, `control_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relay {
    /// Current can flow.
    pub(crate) closed: bool,
    /// What it stands in.
    pub(crate) state: RelayState,
    /// Which transitions are allowed, 0 to 6.
    pub(crate) mode: u8,
}

/// `control_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// 0: open.
    Disconnected,
    /// 1: closed.
    Connected,
    /// 2: open, and waiting for somebody to press the button.
    Ready,
}

impl RelayState {
    /// The number of the standard.
    pub const fn number(self) -> u8 {
        match self {
            Self::Disconnected => 0,
            Self::Connected => 1,
            Self::Ready => 2,
        }
    }
}

impl Relay {
    pub(crate) const fn new(mode: u8) -> Self {
        Self { closed: true, state: RelayState::Connected, mode }
    }

    /// Opens it by remote order; `false` if the mode forbids it.
    pub(crate) fn disconnect(&mut self) -> bool {
        if self.mode == 0 {
            return false;
        }
        (self.closed, self.state) = (false, RelayState::Disconnected);
        true
    }

    /// Closes it by remote order, or makes it ready where the mode wants a hand on the button; `false` if the
    /// mode forbids it.
    pub(crate) fn reconnect(&mut self) -> bool {
        match self.mode {
            0 => return false,
            2 | 4 => (self.closed, self.state) = (true, RelayState::Connected),
            _ if self.closed => {}
            _ => self.state = RelayState::Ready,
        }
        true
    }

    /// Somebody presses the button of a relay that waits for it.
    pub(crate) fn press(&mut self) -> bool {
        let ready = self.state == RelayState::Ready;
        if ready {
            (self.closed, self.state) = (true, RelayState::Connected);
        }
        ready
    }
}

/// The limiter: opens the relay when the power stays above a threshold.
///
/// Standard: IEC 62056-6-2, Limiter (class 71), threshold_normal and min_over_threshold_duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limiter {
    /// W; 0 is no limit.
    pub(crate) threshold_w: u32,
    /// How long above before it acts, seconds.
    pub(crate) over_s: u32,
    /// How long below before it would act again, seconds; kept for reading.
    pub(crate) under_s: u32,
    /// Since when above, true milliseconds.
    pub(crate) over_since_ms: Option<i64>,
}

impl Limiter {
    /// When it will act if nothing changes.
    pub(crate) fn acts_at_ms(&self) -> Option<i64> {
        self.over_since_ms.map(|since| since + i64::from(self.over_s) * 1000)
    }

    /// Takes note of the power delivered.
    pub(crate) fn watch(&mut self, power_w: i64, now_ms: i64) {
        let over = self.threshold_w > 0 && power_w > i64::from(self.threshold_w);
        self.over_since_ms = if over { self.over_since_ms.or(Some(now_ms)) } else { None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_modes() {
        // mode, disconnect allowed, state after reconnect, closed after the button
        let table = [
            (0, false, RelayState::Connected, true),
            (1, true, RelayState::Ready, true),
            (2, true, RelayState::Connected, true),
            (3, true, RelayState::Ready, true),
            (4, true, RelayState::Connected, true),
            (5, true, RelayState::Ready, true),
            (6, true, RelayState::Ready, true),
        ];
        for (mode, allowed, state, closed) in table {
            let mut relay = Relay::new(mode);
            assert_eq!(relay.disconnect(), allowed, "mode {mode}");
            assert_eq!(relay.closed, !allowed, "mode {mode}");
            relay.reconnect();
            assert_eq!(relay.state, state, "mode {mode}");
            relay.press();
            assert_eq!(relay.closed, closed, "mode {mode}");
        }
    }
}
