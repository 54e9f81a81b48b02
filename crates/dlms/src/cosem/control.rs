//! Disconnect control (70) and limiter (71): the switch, and what opens it.

use crate::{Data, Obis};

enumeration! {
    /// Where the switch stands, seen from outside.
    ControlState {
        /// Open.
        Disconnected = 0,
        /// Closed.
        Connected = 1,
        /// Open, and a person may close it.
        ReadyForReconnection = 2,
    }
}

enumeration! {
    /// Which transitions are allowed.
    ControlMode {
        /// None: always connected.
        None = 0,
        /// Disconnect remote, manual, local; reconnect remote to ready, then manual.
        Mode1 = 1,
        /// Disconnect remote, manual, local; reconnect remote.
        Mode2 = 2,
        /// Disconnect remote, local; reconnect remote to ready, then manual.
        Mode3 = 3,
        /// Disconnect remote, local; reconnect remote.
        Mode4 = 4,
        /// As 1, and local reconnection.
        Mode5 = 5,
        /// As 3, and local reconnection.
        Mode6 = 6,
    }
}

class! {
    /// The switch. Method 1 disconnects, method 2 reconnects.
    DisconnectControl = 70 version 0 {
        /// Whether the supply is on.
        2 output_state: bool,
        /// Where the control stands.
        3 control_state: ControlState,
        /// Which transitions are allowed.
        4 control_mode: ControlMode,
    }
}

structure! {
    /// An attribute that is watched.
    ValueDefinition {
        /// Interface class.
        class: u16,
        /// Logical name.
        object: Obis,
        /// Attribute number.
        attribute: i8,
    }
}

structure! {
    /// A script of a table.
    ScriptRef {
        /// The table.
        script_table: Obis,
        /// The script in it.
        script: u16,
    }
}

structure! {
    /// A lower limit for an emergency.
    EmergencyProfile {
        /// Which emergency.
        id: u16,
        /// When it begins: COSEM date-time.
        activation_time: [u8; 12],
        /// Seconds it lasts.
        duration: u32,
    }
}

structure! {
    /// What happens at the limit.
    LimiterActions {
        /// Above it for long enough.
        over_threshold: ScriptRef,
        /// Below it for long enough.
        under_threshold: ScriptRef,
    }
}

class! {
    /// Watches a value and acts when it stays above a limit.
    Limiter = 71 version 0 {
        /// What is watched.
        2 monitored_value: ValueDefinition,
        /// The limit in force.
        3 threshold_active: Data,
        /// The limit in ordinary times.
        4 threshold_normal: Data,
        /// The limit in an emergency.
        5 threshold_emergency: Data,
        /// Seconds above the limit before it acts.
        6 min_over_threshold_duration: u32,
        /// Seconds below it before it acts.
        7 min_under_threshold_duration: u32,
        /// The emergency to come.
        8 emergency_profile: EmergencyProfile,
        /// The emergencies this meter takes part in.
        9 emergency_profile_group_ids: Vec<u16>,
        /// Whether one is running.
        10 emergency_profile_active: bool,
        /// What happens at the limit.
        11 actions: LimiterActions,
    }
}
