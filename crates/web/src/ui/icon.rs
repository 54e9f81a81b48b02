//! The icon set: one path each on a 20 x 20 grid, coloured by the text around it.

use maud::{Markup, html};

/// An icon that only repeats what the words beside it say, so it is hidden from assistive technology.
pub(crate) fn icon(name: Icon) -> Markup {
    html! { svg.i viewBox="0 0 20 20" aria-hidden="true" focusable="false" { path d=(name.path()) {} } }
}

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)*) => {
        /// What is drawn.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Icon {$($(#[$doc])* $name),*}

        impl Icon {
            const fn path(self) -> &'static str {
                match self {$(Self::$name => $path),*}
            }
        }
    };
}

icons! {
    /// Home.
    Home = "M3 9.5 10 3l7 6.5V17h-5v-5H8v5H3z";
    /// Bars of a chart.
    Bars = "M4 17V9M8 17V4M12 17v-6M16 17V7";
    /// Lightning: power.
    Bolt = "M11 2 4 11.500h5L8 18l8-10h-5.500z";
    /// A person.
    User = "M10 10a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M3.500 17.500c.6-3.600 3.200-5 6.500-5s5.900 1.400 6.500 5";
    /// Overview.
    Grid = "M3 3h6v6H3zM11.500 3h5.500v6h-5.500zM3 11.500h6V17H3zM11.500 11.500H17V17h-5.500z";
    /// A meter.
    Meter = "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 10l2.800-2.800M7 13.500h6";
    /// Readings.
    Reads = "M7 5h10M7 10h10M7 15h10M3 5h.5M3 10h.5M3 15h.5";
    /// A command.
    Power = "M10 2.500V10M5.700 5.200a6.500 6.500 0 1 0 8.600 0";
    /// Voltage.
    Wave = "M2 10c1.500-6 3.500-6 5.300 0s3.700 6 5.400 0S16.500 4 18 10";
    /// Protection.
    Shield = "M10 2.500 16.500 5v5c0 4-2.800 6.600-6.500 7.800C6.300 16.600 3.500 14 3.500 10V5zM10 7v4M10 13.400v.2";
    /// Download.
    Down = "M10 3v9.500M6 9l4 4 4-4M4 16.500h12";
    /// Earlier.
    Left = "M12 4.500 6.500 10l5.500 5.500";
    /// Later.
    Right = "M8 4.500 13.500 10 8 15.500";
    /// Light theme.
    Sun = "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100";
    /// Dark theme.
    Moon = "M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500";
    /// Search.
    Search = "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12M13.500 13.500 17.500 17.500";
    /// Pause.
    Pause = "M7 4v12M13 4v12";
    /// Done.
    Check = "M4 10.500 8 14.500 16 5.500";
    /// Warning.
    Warn = "M10 3 18 16.500H2zM10 8v4M10 14.200v.2";
    /// Failed.
    Cross = "M5 5l10 10M15 5 5 15";
    /// Ascending.
    Up = "M10 16V4M5 9l5-5 5 5";
    /// Descending.
    Descend = "M10 4v12M5 11l5 5 5-5";
    /// Time.
    Clock = "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6v4l2.800 1.800";
    /// Ping.
    Ping = "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M4.300 15.700a8 8 0 0 1 0-11.400M15.700 4.300a8 8 0 0 1 0 11.400";
    /// Leave.
    Out = "M8 3.500H4v13h4M12.500 6.500 16 10l-3.500 3.500M16 10H7.500";
}
