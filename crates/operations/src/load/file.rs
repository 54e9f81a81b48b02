//! One CSV file of master data: which kind it is, and its rows with their line numbers.

use super::Fault;
use std::collections::BTreeMap;

/// What a file holds, told by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Buildings.
    Premises,
    /// People and companies.
    Customers,
    /// Distribution transformers.
    Transformers,
    /// Gateways of the field network.
    Collectors,
    /// Places where a commodity is delivered.
    ServicePoints,
    /// Devices.
    Meters,
    /// Keys of devices.
    Keys,
}

/// A column, whether it must be filled, and what it means.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) meaning: &'static str,
    pub(super) example: &'static str,
}

const fn column(name: &'static str, required: bool, meaning: &'static str, example: &'static str) -> Column {
    Column { name, required, meaning, example }
}

const PREMISES: &[Column] = &[
    column("premise", true, "the utility's number of the premise", "P-1001"),
    column("address", true, "street and number", "214 Alder Court"),
    column("city", true, "town", "Millbrook"),
    column("latitude_deg", false, "decimal degrees, north positive", "34.0922"),
    column("longitude_deg", false, "decimal degrees, east positive", "-117.4350"),
];
const CUSTOMERS: &[Column] = &[
    column("customer", true, "the utility's number of the customer", "C-2001"),
    column("name", true, "as on the bill", "Maya Torres"),
    column("email", false, "for notices", "maya@example.org"),
];
const TRANSFORMERS: &[Column] = &[
    column("transformer", true, "name of the transformer", "TX-12"),
    column("feeder", true, "name of the feeder it hangs on", "F-1204"),
    column(
        "substation",
        false,
        "substation where that feeder begins; the same on every row of a feeder",
        "S-West",
    ),
    column("rating_kva", false, "rated power in kVA, a whole number", "50"),
];
const COLLECTORS: &[Column] = &[
    column("collector", true, "name of the collector", "COL-1"),
    column("endpoint", true, "host:port where it listens for the head-end", "10.0.0.5:4059"),
    column("technology", true, "mesh, plc, cellular or broadband", "mesh"),
    column("max_concurrent", false, "meters that may be visited at once, default 8", "8"),
];
const SERVICE_POINTS: &[Column] = &[
    column("service_point", true, "the utility's number of the service point", "S-3001"),
    column("premise", true, "premise it belongs to", "P-1001"),
    column("customer", false, "customer who is served; empty when vacant", "C-2001"),
    column("commodity", true, "electricity, gas or water", "electricity"),
    column("transformer", false, "transformer that feeds it (electricity)", "TX-12"),
    column(
        "class",
        false,
        "residential, commercial, industrial, agricultural or lighting; residential without",
        "residential",
    ),
    column("amps", false, "rated current of a phase in amperes, a whole number", "100"),
    column("volts", false, "nominal voltage of a phase in volts, a whole number", "230"),
    column("phases", false, "how many phases, 1 to 3", "1"),
    column(
        "generation_w",
        false,
        "rated power of generators on file in watts; empty where there are none",
        "",
    ),
    column("rate_class", false, "class of rates, as the utility calls it", "R-1"),
];
const METERS: &[Column] = &[
    column("serial", true, "serial number on the plate", "40210455"),
    column("service_point", false, "where it is installed; empty for a spare one in store", "S-3001"),
    column("model", true, "meter model: a name of `wattle admin template --models`", "electricity"),
    column("system_title", true, "DLMS system title, 16 hexadecimal digits", "5741540002658E07"),
    column("collector", false, "collector it is behind; empty for a direct meter", "COL-1"),
    column("address", false, "address behind the collector, a whole number", "17"),
    column("endpoint", false, "host:port of a direct meter; empty behind a collector", ""),
    column("multiplier", false, "current times voltage transformer ratio, a whole number; 1 without", "1"),
    column("dials", false, "digits that the total register shows; as the model without", ""),
    column("check_of", false, "serial number of the main meter that it checks; empty for others", ""),
    column(
        "fitted",
        false,
        "instant since which it measures there, with offset; what it says of times before is refused; empty where nobody knows",
        "2026-03-01T10:30:00+01:00",
    ),
    column(
        "replaces",
        false,
        "serial number of the meter that it took the place of at `fitted`; empty for others",
        "",
    ),
];
const KEYS: &[Column] = &[
    column("serial", true, "serial number on the plate", "40210455"),
    column(
        "encryption_key",
        true,
        "global unicast encryption key, 32 hexadecimal digits",
        "000102030405060708090A0B0C0D0E0F",
    ),
    column(
        "authentication_key",
        true,
        "authentication key, 32 hexadecimal digits",
        "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
    ),
];

impl Kind {
    /// Every kind, in the order in which one refers to another.
    pub const ALL: [Self; 7] = [
        Self::Premises,
        Self::Customers,
        Self::Transformers,
        Self::Collectors,
        Self::ServicePoints,
        Self::Meters,
        Self::Keys,
    ];

    /// The name of its template file, without extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Premises => "premises",
            Self::Customers => "customers",
            Self::Transformers => "transformers",
            Self::Collectors => "collectors",
            Self::ServicePoints => "service_points",
            Self::Meters => "meters",
            Self::Keys => "keys",
        }
    }

    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Premises => PREMISES,
            Self::Customers => CUSTOMERS,
            Self::Transformers => TRANSFORMERS,
            Self::Collectors => COLLECTORS,
            Self::ServicePoints => SERVICE_POINTS,
            Self::Meters => METERS,
            Self::Keys => KEYS,
        }
    }

    /// The kind whose columns a header names: all required ones, and none that is unknown.
    fn of_header(header: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            kind.columns().iter().all(|c| !c.required || header.iter().any(|h| h == c.name))
                && header.iter().all(|h| kind.columns().iter().any(|c| c.name == h))
        })
    }

    /// A commented template to fill in: lines that start with `#` are not read.
    pub fn template(self) -> String {
        let mut text = format!("# {}: one row each. Lines that start with # are not read.\n", self.name());
        for column in self.columns() {
            let need = if column.required { "required" } else { "optional" };
            text.push_str(&format!("# {} ({need}): {}\n", column.name, column.meaning));
        }
        let join =
            |pick: fn(&Column) -> &'static str| self.columns().iter().map(pick).collect::<Vec<_>>().join(",");
        text.push_str(&format!("{}\n# {}\n", join(|c| c.name), join(|c| c.example)));
        text
    }
}

/// A row and the line it stands on.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    cells: BTreeMap<&'static str, String>,
}

impl Row {
    /// The text of a column; empty when absent.
    pub(super) fn text(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// The text of a column that may be left empty.
    pub(super) fn optional(&self, column: &str) -> Option<&str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }
}

/// A file of one kind.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) file: String,
    pub(super) kind: Kind,
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Reads a file; whatever is wrong with its form is added to `faults`.
    pub(super) fn parse(file: &str, text: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut fault = |line: u64, why: String| faults.push(Fault { file: file.to_owned(), line, why });
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_ascii_lowercase).collect(),
            Err(error) => {
                fault(1, format!("is no CSV: {error}"));
                return None;
            }
        };
        let Some(kind) = Kind::of_header(&header) else {
            let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            fault(
                1,
                format!(
                    "has a header of none of the known files ({}); `wattle admin template` prints them",
                    kinds.join(", ")
                ),
            );
            return None;
        };
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    fault(line, format!("is no CSV: {error}"));
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                fault(line, format!("has {} columns where the header has {}", record.len(), header.len()));
                continue;
            }
            let mut cells = BTreeMap::new();
            for column in kind.columns() {
                let at = header.iter().position(|name| name == column.name);
                let cell = at.and_then(|at| record.get(at)).unwrap_or_default();
                if column.required && cell.is_empty() {
                    fault(line, format!("`{}` is empty: {}", column.name, column.meaning));
                }
                cells.insert(column.name, cell.to_owned());
            }
            rows.push(Row { line, cells });
        }
        Some(Self { file: file.to_owned(), kind, rows })
    }
}
