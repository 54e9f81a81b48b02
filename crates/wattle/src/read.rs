//! `wattle read`: one meter, by hand.

use crate::keys;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use dlms::apdu::{AttributeRef, Selection};
use dlms::client::{
    Authentication, ClientConfig, ClientError, Envelope, Outcome, Protection, Request, SecurityFault,
};
use dlms::cosem::AsData;
use dlms::cosem::profile::CaptureObject;
use dlms::security::{Key, Keys, SystemTitle};
use dlms::{Data, Obis};
use jiff::Timestamp;
use serde_json::{Value, json};
use server::visit::{Link, Reach, Visit, VisitError};
use std::time::Duration;

mod show;

/// Read a meter over TCP: registers, clock, object list, load profile.
///
/// Examples:
///   wattle read 127.0.0.1:4059 --client 16 --clock
///   wattle read 127.0.0.1:4059 --client 1 --auth gmac --security both --key @guek.hex --auth-key @gak.hex
///     --counter-obis 0-0:43.1.0 --obis 1-0:1.8.0 --profile 2026-11-20T00:00:00Z..2026-11-21T00:00:00Z
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// host:port of the meter.
    address: String,
    /// Speak HDLC instead of the wrapper.
    #[arg(long)]
    hdlc: bool,
    /// Client service access point: 16 public, 1 management, 2 reader.
    #[arg(long, default_value_t = 16)]
    client: u16,
    /// Logical device of the meter.
    #[arg(long, default_value_t = 1)]
    server: u16,
    /// How to prove who we are.
    #[arg(long, value_enum, default_value_t = Auth::None)]
    auth: Auth,
    /// Password of low level security, or @FILE.
    #[arg(long)]
    password: Option<String>,
    /// How to protect what is said.
    #[arg(long, value_enum, default_value_t = Security::None)]
    security: Security,
    /// Global unicast encryption key, 32 hexadecimal digits or @FILE.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Authentication key, 32 hexadecimal digits or @FILE.
    #[arg(long, value_name = "HEX")]
    auth_key: Option<String>,
    /// Our system title, 16 hexadecimal digits.
    #[arg(long, value_name = "HEX", default_value = "5741540000000000")]
    title: String,
    /// Make a key for this association (ded-ciphering).
    #[arg(long)]
    dedicated: bool,
    /// Use general-glo-ciphering envelopes.
    #[arg(long)]
    general: bool,
    /// Our next invocation counter. It must be above every one used before under the same key.
    #[arg(long, conflicts_with = "counter_obis")]
    counter: Option<u32>,
    /// Ask the meter as the public client for the last counter it accepted, at this object, and go on from there.
    #[arg(long, value_name = "OBIS")]
    counter_obis: Option<Obis>,
    /// Objects to read: OBIS, or OBIS/CLASS, or OBIS/CLASS/ATTRIBUTE. A register is read with its unit.
    #[arg(long, value_name = "OBIS", num_args = 1..)]
    obis: Vec<String>,
    /// Read the clock.
    #[arg(long)]
    clock: bool,
    /// List the objects of the association.
    #[arg(long)]
    list: bool,
    /// Read the load profile of a range of time: FROM..TO, as RFC 3339 instants; TO is not included.
    #[arg(long, value_name = "FROM..TO")]
    profile: Option<String>,
    /// Which profile.
    #[arg(long, value_name = "OBIS", default_value = "1-0:99.1.0")]
    profile_obis: Obis,
    /// Longest APDU we take.
    #[arg(long, default_value_t = u16::MAX)]
    max_pdu: u16,
    /// How long one answer may take.
    #[arg(long, default_value_t = 10_000)]
    timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Auth {
    /// Not at all.
    None,
    /// Low level security: a password.
    Lls,
    /// High level security 5: GMAC.
    Gmac,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Security {
    None,
    Auth,
    Encrypt,
    Both,
}

const CLOCK: AttributeRef = AttributeRef { class: 8, object: Obis([0, 0, 1, 0, 0, 255]), attribute: 2 };
/// Where a meter tells the last counter it accepted, unless it is told otherwise.
const COUNTER: Obis = Obis([0, 0, 43, 1, 0, 255]);

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let range = arguments.profile.as_deref().map(range).transpose()?;
    let wanted: Vec<(Obis, Option<u16>, Option<i8>)> =
        arguments.obis.iter().map(|text| object(text)).collect::<Result<_>>()?;
    let mut config = config(arguments)?;
    if let Some(object) = arguments.counter_obis {
        config.invocation_counter = last_counter(arguments, object)?
            .checked_add(1)
            .context("the meter's counter is at its end; it needs a new key")?;
    }
    let mut visit =
        Visit::open(reach(arguments), config).map_err(|error| explain(diagnose(arguments, error)))?;
    let nothing_asked = !arguments.clock && !arguments.list && wanted.is_empty() && range.is_none();
    if arguments.clock || nothing_asked {
        let value = get(&mut visit, CLOCK, None)?;
        show::value(talk, CLOCK, &value)?;
    }
    for (object, class, attribute) in wanted {
        read_object(&mut visit, talk, object, class, attribute)?;
    }
    if arguments.list {
        let objects = AttributeRef { class: 15, object: Obis::new(0, 0, 40, 0, 0, 255), attribute: 2 };
        let list = get(&mut visit, objects, None)?;
        show::objects(talk, &list)?;
    }
    if let Some((from, to)) = range {
        read_profile(&mut visit, talk, arguments.profile_obis, from, to)?;
    }
    visit.close();
    Ok(())
}

fn config(arguments: &Arguments) -> Result<ClientConfig> {
    let needs_keys = arguments.auth == Auth::Gmac || arguments.security != Security::None;
    let keys = match (&arguments.key, &arguments.auth_key) {
        (Some(key), Some(auth)) => {
            let guek = keys::bytes("--key", key)?;
            Some(Keys::new(Key::new(guek), Key::new(keys::bytes("--auth-key", auth)?)))
        }
        (None, None) if !needs_keys => None,
        _ => bail!(WrongUsage("--auth gmac and --security need --key and --auth-key".to_owned())),
    };
    let authentication = match (arguments.auth, &arguments.password) {
        (Auth::None, _) => Authentication::None,
        (Auth::Lls, Some(password)) => Authentication::lls(keys::secret("--password", password)?),
        (Auth::Lls, None) => bail!(WrongUsage("--auth lls needs --password".to_owned())),
        (Auth::Gmac, _) => Authentication::Hls5Gmac,
    };
    Ok(ClientConfig {
        authentication,
        protection: match arguments.security {
            Security::None => Protection::None,
            Security::Auth => Protection::Authenticated,
            Security::Encrypt => Protection::Encrypted,
            Security::Both => Protection::AuthenticatedEncrypted,
        },
        envelope: match (arguments.dedicated, arguments.general) {
            (false, false) => Envelope::Glo,
            (true, false) => Envelope::Ded,
            (false, true) => Envelope::GeneralGlo,
            (true, true) => Envelope::GeneralDed,
        },
        keys,
        system_title: SystemTitle(keys::bytes("--title", &arguments.title)?),
        invocation_counter: arguments.counter.unwrap_or(1),
        max_pdu: arguments.max_pdu,
        ..ClientConfig::public(arguments.client)
    })
}

fn reach(arguments: &Arguments) -> Reach {
    Reach {
        address: arguments.address.clone(),
        link: if arguments.hdlc { Link::Hdlc } else { Link::Wrapper },
        server_sap: arguments.server,
        timeout: Duration::from_millis(arguments.timeout_ms),
    }
}

/// The last invocation counter that the meter accepted, as it tells anybody.
fn last_counter(arguments: &Arguments, object: Obis) -> Result<u32> {
    let mut visit = Visit::open(reach(arguments), ClientConfig::public(16))
        .map_err(explain)
        .context("could not ask for the invocation counter as the public client (16)")?;
    let value = get(&mut visit, AttributeRef { class: 1, object, attribute: 2 }, None)?;
    visit.close();
    match value {
        Data::DoubleLongUnsigned(counter) => Ok(counter),
        other => bail!("{object} holds no counter: {}", show::text(&other)),
    }
}

/// Finds out why a meter refused a protected association without a reason: its counter, which it tells anybody,
/// shows whether ours was used already; if not, the keys differ.
fn diagnose(arguments: &Arguments, error: VisitError) -> VisitError {
    let VisitError::Dialogue(ClientError::Security(
        fault @ SecurityFault::ProtectedAssociationRefused { .. },
    )) = &error
    else {
        return error;
    };
    match last_counter(arguments, arguments.counter_obis.unwrap_or(COUNTER)) {
        Ok(accepted) => ClientError::Security(fault.explained_by(accepted)).into(),
        Err(_) => error,
    }
}

/// Adds the remedy to the refusals that have one.
fn explain(error: VisitError) -> anyhow::Error {
    let remedy = match &error {
        VisitError::Dialogue(ClientError::Security(fault)) => match fault {
            SecurityFault::WrongPassword => Some("give the meter's own secret with --password or --key"),
            SecurityFault::ReplayedCounter { .. } | SecurityFault::CounterExhausted { .. } => {
                Some("give a higher --counter, or let --counter-obis 0-0:43.1.0 ask the meter")
            }
            SecurityFault::WrongKey | SecurityFault::PeerNotAuthentic => {
                Some("check --key and --auth-key against the shipment file")
            }
            SecurityFault::ProtectedAssociationRefused { .. } => {
                Some("check --key, and let --counter-obis 0-0:43.1.0 ask for the counter")
            }
            _ => None,
        },
        VisitError::Connect { .. } => Some("is the address right, and does the meter listen there?"),
        VisitError::Silent(_) => {
            Some("check --client, --server and the link (--hdlc), or raise --timeout-ms")
        }
        _ => None,
    };
    let failed = sentence(&error);
    match remedy {
        Some(remedy) => anyhow::anyhow!("failed to {failed}; {remedy}"),
        None => anyhow::anyhow!("failed to {failed}"),
    }
}

/// An error with those of its causes that it does not repeat already.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let text = deeper.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = deeper.source();
    }
    said
}

fn get(visit: &mut Visit, attribute: AttributeRef, selection: Option<Selection>) -> Result<Data> {
    match visit.request(Request::Get(attribute, selection)).map_err(explain)? {
        Outcome::Get(Ok(value)) => Ok(value),
        Outcome::Get(Err(refusal)) => {
            bail!(
                "the meter refused {} attribute {} (class {}): {refusal:?}",
                attribute.object,
                attribute.attribute,
                attribute.class
            )
        }
        other => bail!("the meter answered {other:?}"),
    }
}

fn read_object(
    visit: &mut Visit,
    talk: Talk,
    object: Obis,
    class: Option<u16>,
    attribute: Option<i8>,
) -> Result<()> {
    // Without a class, an electricity object (A = 1) or a gas or water one (7, 8) is taken for a register.
    let class = class.unwrap_or(if object.0[0] == 0 { 1 } else { 3 });
    let reference = AttributeRef { class, object, attribute: attribute.unwrap_or(2) };
    let value = get(visit, reference, None)?;
    if matches!(class, 3 | 4) && attribute.is_none() {
        let unit = get(visit, AttributeRef { attribute: 3, ..reference }, None)?;
        return show::register(talk, object, &value, &unit);
    }
    show::value(talk, reference, &value)
}

fn read_profile(visit: &mut Visit, talk: Talk, object: Obis, from: Timestamp, to: Timestamp) -> Result<()> {
    let columns = get(visit, AttributeRef { class: 7, object, attribute: 3 }, None)?;
    let columns =
        Vec::<CaptureObject>::from_data(&columns).context("the profile's columns cannot be read")?;
    let mut shown = Vec::new();
    for column in columns {
        let unit = column_unit(visit, &column)?;
        shown.push(show::Column { source: column.source(), unit });
    }
    let selection = show::range_selection(from, to);
    let rows = get(visit, AttributeRef { class: 7, object, attribute: 2 }, Some(selection))?;
    show::profile(talk, &shown, &rows)
}

/// Scaler and unit of a column that is a register's value. A meter that does not tell leaves the numbers bare.
fn column_unit(visit: &mut Visit, column: &CaptureObject) -> Result<Option<show::Scale>> {
    if !matches!(column.class, 3 | 4) || column.attribute != 2 {
        return Ok(None);
    }
    let unit = AttributeRef { attribute: 3, ..column.source() };
    Ok(match visit.request(Request::Get(unit, None)).map_err(explain)? {
        Outcome::Get(Ok(unit)) => show::Scale::of(&unit),
        _ => None,
    })
}

fn range(text: &str) -> Result<(Timestamp, Timestamp)> {
    let wrong = || {
        WrongUsage(format!(
            "--profile takes FROM..TO, as in 2026-11-20T00:00:00Z..2026-11-21T00:00:00Z, not `{text}`"
        ))
    };
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to): (Timestamp, Timestamp) =
        (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from >= to {
        bail!(WrongUsage(format!("--profile: {from} is not before {to}")));
    }
    Ok((from, to))
}

fn object(text: &str) -> Result<(Obis, Option<u16>, Option<i8>)> {
    let wrong = |why: &str| WrongUsage(format!("--obis `{text}`: {why}"));
    let mut parts = text.split('/');
    let object: Obis =
        parts.next().unwrap_or_default().parse().map_err(|error| wrong(&format!("{error}")))?;
    let class =
        parts.next().map(|part| part.parse().map_err(|_| wrong("the class is no number"))).transpose()?;
    let attribute =
        parts.next().map(|part| part.parse().map_err(|_| wrong("the attribute is no number"))).transpose()?;
    Ok((object, class, attribute))
}

/// A record of one attribute, as printed with `--json`.
fn record(kind: &str, object: Obis, value: Value) -> Value {
    json!({ "kind": kind, "obis": object.to_string(), "value": value })
}
