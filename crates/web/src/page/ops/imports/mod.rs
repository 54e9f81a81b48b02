//! Files of readings: sending one, what came of each, and the records that were left out.

mod view;

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::files;
use crate::fmt;
use crate::page::usage::file;
use crate::read::look;
use crate::ui::{self, Crumb};
use crate::upload;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use operations::Right;
use store::ImportedFile;
use view::{FileRow, List, One, Reason};

/// Files of the list.
const LISTED: u32 = 50;
/// Records of a page; the file has all that are kept.
const SHOWN: usize = 200;

fn list_page(ctx: &Ctx, view: &List) -> Markup {
    let mut frame = ctx.frame("Imports", "/ops/imports");
    frame.api = Some("/api/v1/imports".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Imports".to_owned() },
    ];
    ui::ops(&frame, &crumbs, &view::list(view))
}

/// `GET /ops/imports`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx.blocking(|ctx| list(ctx, None)).await?;
    Ok(list_page(&ctx, &view))
}

fn list(ctx: &Ctx, refused: Option<String>) -> Result<List, WebError> {
    let before = ctx.param("before").and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
    let files = look(ctx, |read| read.imported_files_before(before, LISTED))?;
    let full = files.len() >= usize::try_from(LISTED).unwrap_or(0);
    let older = files.last().filter(|_| full).map(|last| format!("/ops/imports?before={}", last.id));
    let row = |one: &ImportedFile| FileRow {
        href: format!("/ops/imports/{}", one.id),
        name: one.name.clone(),
        format: one.format.clone(),
        at: ctx.words().stamp(one.loaded_at),
        stored: fmt::grouped(one.stored),
        duplicates: fmt::grouped(one.duplicates),
        refused: one.refused,
    };
    Ok(List {
        files: files.iter().map(row).collect(),
        older,
        may_send: ctx.may(Right::EditReadings),
        refused,
        looked: None,
    })
}

/// `POST /ops/imports`: the file of the form; then its page, or the list again with what is wrong.
pub(crate) async fn post(ctx: Ctx, request: Request) -> Result<Response, WebError> {
    let done = match upload::receive(&ctx, request).await {
        Ok(sent) => ctx.blocking(move |ctx| files::take_in(ctx, &sent)).await,
        Err(error) => Err(error),
    };
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(WebError::Unclear(why) | WebError::TooLarge(why) | WebError::Refused(why)) => {
            let view = ctx.blocking(move |ctx| list(ctx, Some(why))).await?;
            return Ok(list_page(&ctx, &view).into_response());
        }
        Err(error) => return Err(error),
    };
    match outcome.files.as_slice() {
        [one] if !outcome.dry_run && outcome.stopped.is_none() => {
            let again = if one.report.known { "?known=1" } else { "" };
            let id = one.report.file.unwrap_or(0);
            Ok(Redirect::to(&format!("/ops/imports/{id}{again}")).into_response())
        }
        _ => {
            let mut view = ctx.blocking(|ctx| list(ctx, None)).await?;
            view.refused.clone_from(&outcome.stopped);
            view.looked = Some(view::looked(&outcome));
            Ok(list_page(&ctx, &view).into_response())
        }
    }
}

/// The file of a number in a path.
pub(crate) fn found(ctx: &Ctx, id: &str) -> Result<ImportedFile, WebError> {
    let missing = || WebError::NotFound("import".to_owned());
    let id: u32 = id.parse().map_err(|_| missing())?;
    look(ctx, |read| read.imported_file_by_id(id))?.ok_or_else(missing)
}

/// `GET /ops/imports/{id}`
pub(crate) async fn one(ctx: Ctx, Path(id): Path<String>) -> Result<Markup, WebError> {
    let (view, api) = ctx
        .blocking(move |ctx| {
            let file = found(ctx, &id)?;
            Ok((page_of(ctx, &file)?, format!("/api/v1/imports/{}", file.id)))
        })
        .await?;
    let mut frame = ctx.frame(view.name.clone(), "/ops/imports");
    frame.api = Some(api);
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/imports"), text: "Imports".to_owned() },
        Crumb { href: None, text: view.name.clone() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::one(&view)))
}

fn page_of(ctx: &Ctx, file: &ImportedFile) -> Result<One, WebError> {
    let refusals = look(ctx, |read| read.import_refusals(file.id))?;
    let by = match file.by {
        None => "the command line".to_owned(),
        Some(id) => {
            look(ctx, |read| read.user(id))?.map_or_else(|| format!("account {id}"), |user| user.name)
        }
    };
    let mut reasons: Vec<Reason> = Vec::new();
    for one in &refusals {
        match reasons.iter_mut().find(|reason| reason.name == one.reason) {
            Some(reason) => reason.count += 1,
            None => {
                let (name, remedy) = (one.reason.clone(), one.remedy.clone());
                reasons.push(Reason { name, count: 1, remedy });
            }
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    let count = |value: u64| fmt::grouped(value);
    Ok(One {
        name: file.name.clone(),
        what: format!("{}, taken in {} by {by}.", file.format, ctx.words().stamp(file.loaded_at)),
        known: ctx.param("known").is_some(),
        facts: vec![
            ("Intervals in it", count(file.offered)),
            ("Taken in", count(file.stored)),
            ("There already", count(file.duplicates)),
            ("Estimated by the sender", count(file.substituted)),
            ("Registers", count(file.registers)),
            ("Left out", count(file.refused)),
        ],
        reasons,
        rows: refusals
            .iter()
            .take(SHOWN)
            .map(|one| (one.line.to_string(), one.sentence.clone(), one.excerpt.clone()))
            .collect(),
        more: file.refused.saturating_sub(u64::try_from(refusals.len().min(SHOWN)).unwrap_or(0)),
        csv: format!("/ops/imports/{}/quarantine.csv", file.id),
    })
}

/// `GET /ops/imports/{id}/quarantine.csv`: every record that was left out and kept.
pub(crate) async fn quarantine_csv(ctx: Ctx, Path(id): Path<String>) -> Result<Response, WebError> {
    let (name, text) = ctx
        .blocking(move |ctx| {
            let found = found(ctx, &id)?;
            let mut text = "line,reason,sentence,remedy,record\r\n".to_owned();
            for one in look(ctx, |read| read.import_refusals(found.id))? {
                let cells = [&one.reason, &one.sentence, &one.remedy, &one.excerpt].map(|cell| quoted(cell));
                text.push_str(&format!("{},{}\r\n", one.line, cells.join(",")));
            }
            Ok((format!("quarantine-{}.csv", found.id), text))
        })
        .await?;
    Ok(file(&name, text))
}

/// A cell that a spreadsheet shows and never computes: the record is somebody else's text.
fn quoted(text: &str) -> String {
    let sign = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    format!("\"{sign}{}\"", text.replace('"', "\"\""))
}
