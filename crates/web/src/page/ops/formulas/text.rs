//! A formula as people write it, a term a line: `1 40200001 import`, `-1/2 40200001 export`, `1 formula net of the mill`.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::{failed, look};
use mdm::virtual_channel::{Formula, SeriesId, Term};
use model::{ChannelId, ChannelKind, Ratio, Serial, VirtualId};
use std::collections::BTreeMap;

/// The names of formulas, and of channels as they are asked for.
pub(crate) struct Names<'a> {
    ctx: &'a Ctx,
    formulas: BTreeMap<VirtualId, String>,
}

impl<'a> Names<'a> {
    pub(crate) fn load(ctx: &'a Ctx) -> Result<Self, WebError> {
        let all = ctx.app.mdm.virtual_channels().map_err(|error| failed(&error))?;
        Ok(Self { ctx, formulas: all.into_iter().map(|one| (one.id, one.name)).collect() })
    }

    fn channel(&self, id: ChannelId) -> String {
        let found = look(self.ctx, |store| {
            let Some(channel) = store.channel_by_id(id)? else { return Ok(None) };
            Ok(store.meter(channel.meter)?.map(|meter| format!("{} {}", meter.serial, channel.kind.name())))
        });
        found.ok().flatten().unwrap_or_else(|| format!("channel {id}"))
    }

    fn input(&self, id: SeriesId) -> String {
        match id {
            SeriesId::Channel(id) => self.channel(id),
            SeriesId::Virtual(id) => {
                format!("formula {}", self.formulas.get(&id).map_or("that is gone", String::as_str))
            }
        }
    }

    /// The terms as lines of a form.
    pub(super) fn lines(&self, formula: &Formula) -> String {
        let line = |term: &Term| format!("{} {}", term.factor, self.input(term.input));
        formula.terms.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The formula as a sentence without a stop: `import = 40200001 import − ½ · 40200001 export`.
    pub(crate) fn sentence(&self, formula: &Formula) -> String {
        const SHOWN: usize = 6;
        let mut text = format!("{} =", formula.kind.name());
        for (index, term) in formula.terms.iter().take(SHOWN).enumerate() {
            let factor = term.factor.to_string();
            let (sign, size) = factor.strip_prefix('-').map_or(("+", &*factor), |size| ("−", size));
            if index > 0 || sign == "−" {
                text.push_str(&format!(" {sign}"));
            }
            if size != "1" {
                text.push_str(&format!(" {size} ·"));
            }
            text.push_str(&format!(" {}", self.input(term.input)));
        }
        match formula.terms.len().saturating_sub(SHOWN) {
            0 => text,
            more => format!("{text} and {more} more"),
        }
    }

    /// The terms that lines mean, or what is wrong with the first that makes no sense.
    pub(super) fn terms(&self, text: &str) -> Result<Vec<Term>, String> {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(number, line)| self.term(line).map_err(|why| format!("Line {number}: {why}")))
            .collect()
    }

    fn term(&self, line: &str) -> Result<Term, String> {
        let (factor, rest) = line.split_once(char::is_whitespace).ok_or_else(|| {
            "write a factor, a serial number and what is measured, as in 1 40200001 import.".to_owned()
        })?;
        let factor: Ratio = factor
            .trim_start_matches('+')
            .parse()
            .map_err(|_| format!("`{factor}` is no factor; write 1, -1, 0.5 or 2/3."))?;
        let rest = rest.trim();
        if let Some(name) = rest.strip_prefix("formula ").map(str::trim) {
            let found = self.formulas.iter().find(|(_, known)| *known == name);
            let (id, _) = found.ok_or_else(|| format!("there is no formula {name}."))?;
            return Ok(Term { factor, input: SeriesId::Virtual(*id) });
        }
        let (serial, kind) = rest
            .split_once(char::is_whitespace)
            .ok_or_else(|| format!("say what meter {rest} measures there, as in {rest} import."))?;
        let kind = ChannelKind::from_name(kind.trim()).ok_or_else(|| {
            let names = ChannelKind::ALL.map(ChannelKind::name).join(", ");
            format!("`{}` is nothing that is measured; there are {names}.", kind.trim())
        })?;
        let found = look(self.ctx, |store| {
            let Some(meter) = store.meter_by_serial(&Serial::new(serial))? else { return Ok(None) };
            Ok(Some(store.channel(meter.id, kind)?))
        });
        match found.map_err(|_| "the registry could not be read; try again.".to_owned())? {
            None => Err(format!("no meter has the serial number {serial}.")),
            Some(None) => Err(format!("meter {serial} has no channel for {}.", kind.name())),
            Some(Some(channel)) => Ok(Term { factor, input: SeriesId::Channel(channel.id) }),
        }
    }
}
