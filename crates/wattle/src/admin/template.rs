//! `wattle admin template`.

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result};
use meter::MeterModel;
use operations::load::Kind;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// Print commented CSV templates, or write them to a directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which one: premises, customers, transformers, collectors, service_points, meters or keys; all if not given.
    kind: Option<String>,
    /// Write them to this directory instead; files that are there already are left alone.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// List the meter models that the column `model` takes.
    #[arg(long)]
    models: bool,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if arguments.models {
        for model in MeterModel::builtin_names().filter_map(MeterModel::builtin) {
            let record = json!({ "model": model.name, "title": model.title });
            talk.data(&record, format_args!("{:<18} {}", model.name, model.title))?;
        }
        return Ok(());
    }
    let wanted: Vec<Kind> = match &arguments.kind {
        None => Kind::ALL.to_vec(),
        Some(name) => {
            let found = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim_end_matches(".csv"));
            let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            vec![found.ok_or_else(|| WrongUsage(format!("`{name}` is none of {}", names.join(", "))))?]
        }
    };
    for kind in wanted {
        let text = kind.template();
        let name = format!("{}.csv", kind.name());
        match &arguments.out {
            None => talk.data(&json!({ "file": name, "text": text }), &text)?,
            Some(directory) => {
                fs::create_dir_all(directory)
                    .with_context(|| format!("could not create {}", directory.display()))?;
                let file = directory.join(&name);
                if file.exists() {
                    talk.say(format_args!("{} is there already; left alone", file.display()));
                    continue;
                }
                fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
                talk.data(&json!({ "file": file }), file.display())?;
            }
        }
    }
    Ok(())
}
