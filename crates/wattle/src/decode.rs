//! `wattle decode`: captured frames as a readable tree.

use crate::keys;
use crate::talk::Talk;
use anyhow::{Context, Result, bail};
use dlms::decode::DecodeKeys;
use dlms::security::{Key, SystemTitle};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Find HDLC, wrapper, M-Bus or bare APDUs in captured hexadecimal or binary and print every message.
///
/// Example: wattle decode capture.hex --key 56664E... --auth-key 4C4D...
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The capture, or - for standard input.
    file: PathBuf,
    /// Global unicast encryption key, 32 hexadecimal digits or @FILE.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Authentication key, 32 hexadecimal digits or @FILE; without it a tag is not verified.
    #[arg(long, value_name = "HEX")]
    auth_key: Option<String>,
    /// The sender's system title, where neither message nor association names it.
    #[arg(long, value_name = "HEX")]
    title: Option<String>,
}

/// A capture larger than this is no capture of meter frames.
const MOST_BYTES: u64 = 256 << 20;

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let keys = DecodeKeys {
        encryption: arguments.key.as_deref().map(|key| keys::bytes("--key", key)).transpose()?.map(Key::new),
        authentication: arguments
            .auth_key
            .as_deref()
            .map(|key| keys::bytes("--auth-key", key))
            .transpose()?
            .map(Key::new),
        system_title: arguments
            .title
            .as_deref()
            .map(|title| keys::bytes("--title", title))
            .transpose()?
            .map(SystemTitle),
    };
    let name = arguments.file.display();
    let mut capture = Vec::new();
    let read = if arguments.file.as_os_str() == "-" {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut capture)
    } else {
        File::open(&arguments.file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut capture))
    };
    let length = read.with_context(|| format!("could not read {name}"))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MOST_BYTES {
        bail!("{name} is larger than {} MiB; cut it into pieces", MOST_BYTES >> 20);
    }
    let decoded = dlms::decode::decode(&capture, &keys);
    for message in &decoded.messages {
        talk.data(&message.to_json(), message.to_text().trim_end())?;
    }
    for refusal in &decoded.refusals {
        talk.say(format_args!("{name}: {refusal}"));
    }
    if !decoded.refusals.is_empty() {
        bail!("{name}: {} messages were decoded, {} refused", decoded.messages.len(), decoded.refusals.len());
    }
    if decoded.messages.is_empty() {
        bail!("{name} holds no message");
    }
    Ok(())
}
