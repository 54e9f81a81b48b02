//! Customer portal, operator console and JSON API.
//!
//! Pages are rendered on the server and work without script; charts are SVG drawn here; script only enriches. One file
//! a page (or a folder where a page has more than one idea): what it reads, what it shows, how it looks. Pages see the
//! read model of `mdm` and the services of `operations`, never a register or a frame on its way.
//!
//! The way of a request: [`router`] finds the route, the guard finds out who asks and whether they may
//! (`access`), the page reads on a thread that may block, renders, and the guard compresses and adds the headers.

mod access;
mod api;
mod assets;
mod chart;
mod ctx;
mod error;
mod files;
mod fmt;
mod guard;
mod page;
mod people;
mod read;
mod series;
mod ui;
mod upload;

pub use upload::{Uploads, takes_long};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use jiff::Timestamp;
use std::fmt::{self as core_fmt, Debug};
use std::sync::Arc;

/// Tells the time: the real one, or that of a demo whose days run faster.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that pages need.
#[derive(Clone)]
pub struct App {
    /// The read model, and through it the store of accounts and commands.
    pub mdm: Arc<mdm::Mdm>,
    /// The present.
    pub clock: Clock,
    /// Whether people may sign in without a password, by choosing who to be.
    pub demo: bool,
    /// Name of the utility and the zone of its days.
    pub utility: store::Utility,
    /// Where files that people send wait while they are taken in.
    pub uploads: Uploads,
    /// Whether browsers may send the session cookie over TLS only; false on plain loopback.
    pub secure_cookies: bool,
}

impl Debug for App {
    fn fmt(&self, f: &mut core_fmt::Formatter<'_>) -> core_fmt::Result {
        f.debug_struct("App")
            .field("utility", &self.utility.name)
            .field("demo", &self.demo)
            .finish_non_exhaustive()
    }
}

/// Every page and document of the site.
pub fn router(app: App) -> Router {
    let site =
        Router::new().merge(door()).merge(portal()).merge(console()).merge(documents()).merge(readings());
    site.fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .layer(middleware::from_fn_with_state(app, guard::guard))
}

async fn nothing_here() -> error::WebError {
    error::WebError::NotFound("page".to_owned())
}

fn door() -> Router {
    Router::new()
        .route("/a/{hash}/{name}", get(assets::get))
        .route("/sign-in", get(page::sign_in::get).post(page::sign_in::post))
        .route("/sign-in/demo", post(page::sign_in::post_demo))
        .route("/sign-out", post(page::sign_in::sign_out))
        .route("/prefs/theme", post(page::theme::post))
}

fn portal() -> Router {
    Router::new()
        .route("/", get(page::home::get))
        .route("/usage", get(page::usage::get))
        .route("/usage.csv", get(page::usage::csv))
        .route("/usage/download", get(page::usage::download::get))
        .route("/usage/download/file", get(page::usage::download::file))
}

fn console() -> Router {
    let console = Router::new();
    #[cfg(debug_assertions)]
    let console = console.route("/ops/_ui", get(page::ops::gallery::get));
    console
        .route("/ops", get(page::ops::overview::get))
        .route("/ops/live", get(page::ops::live::events))
        .route("/ops/meters", get(page::ops::meters::get))
        .route("/ops/meters.csv", get(page::ops::meters::csv))
        .route("/ops/meters/{id}", get(page::ops::meter::get))
        .route("/ops/meters/{id}/profile.csv", get(page::ops::meter::csv))
        .route("/ops/meters/{id}/commands", post(page::ops::command::post))
        .route("/ops/reads", get(page::ops::reads::get))
        .route("/ops/reads.csv", get(page::ops::reads::csv))
        .route("/ops/groups", get(page::ops::groups::get).post(page::ops::groups::post))
        .route("/ops/groups/new", get(page::ops::groups::new))
        .route("/ops/groups/load", get(page::ops::groups::load))
        .route("/ops/groups/{id}/retire", post(page::ops::groups::retire))
        .route("/ops/formulas", post(page::ops::formulas::post))
        .route("/ops/formulas/new", get(page::ops::formulas::new))
        .route("/ops/formulas/{id}", get(page::ops::formulas::get))
        .route("/ops/formulas/{id}/retire", post(page::ops::formulas::retire))
        .route("/ops/rules", get(page::ops::rules::get).post(page::ops::rules::post))
        .route("/ops/rules/end", post(page::ops::rules::group::end))
        .route("/ops/vee", get(page::ops::vee::get))
        .route("/ops/vee.csv", get(page::ops::vee::csv))
        .route("/ops/vee/accept", get(page::ops::vee::accept::get).post(page::ops::vee::accept::post))
        .route("/ops/vee/{meter}/{day}", get(page::ops::bench::get).post(page::ops::bench::post))
        .route(
            "/ops/imports",
            // The bound on bodies is for forms; a file has its own.
            get(page::ops::imports::get).post(page::ops::imports::post).layer(DefaultBodyLimit::disable()),
        )
        .route("/ops/imports/{id}", get(page::ops::imports::one))
        .route("/ops/imports/{id}/quarantine.csv", get(page::ops::imports::quarantine_csv))
        .route("/ops/commands", get(page::ops::commands::get))
        .route("/ops/commands/{id}", get(page::ops::command::get))
        .route("/ops/commands/{id}/live", get(page::ops::live::command))
}

/// The meter data manager's own questions: exceptions, days and their versions, edits, sums.
fn readings() -> Router {
    use api::{aggregates, bench, definitions, exceptions, rules};
    Router::new()
        .route("/api/v1/exceptions", get(exceptions::list))
        .route("/api/v1/exceptions/accept", post(exceptions::accept))
        .route("/api/v1/exceptions/assign", post(exceptions::assign))
        .route("/api/v1/rebill-flags", get(exceptions::rebill_flags))
        .route("/api/v1/channels/{channel}/days/{date}", get(bench::day))
        .route("/api/v1/channels/{channel}/days/{date}/versions", get(bench::versions))
        .route("/api/v1/channels/{channel}/days/{date}/as-of", get(bench::as_of))
        .route("/api/v1/channels/{channel}/days/{date}/diff", get(bench::diff))
        .route("/api/v1/channels/{channel}/days/{date}/candidates", get(bench::candidates))
        .route("/api/v1/channels/{channel}/days/{date}/edits", post(bench::apply))
        .route("/api/v1/channels/{channel}/days/{date}/edits/preview", post(bench::preview))
        .route("/api/v1/completeness", get(aggregates::completeness))
        .route("/api/v1/completeness.csv", get(aggregates::completeness_csv))
        .route("/api/v1/completeness/meters", get(aggregates::completeness_meters))
        .route("/api/v1/rule-sets", get(rules::list).post(rules::activate))
        .route("/api/v1/rule-sets/what-if", post(rules::what_if))
        .route("/api/v1/groups", get(definitions::groups).post(definitions::put_group))
        .route("/api/v1/groups/{id}/retire", post(definitions::retire_group))
        .route("/api/v1/load", get(aggregates::load))
        .route("/api/v1/virtual-channels", get(definitions::virtual_channels).post(definitions::put_virtual))
        .route("/api/v1/virtual-channels/preview", post(definitions::preview))
        .route("/api/v1/virtual-channels/{id}/retire", post(definitions::retire_virtual))
        .route("/api/v1/virtual-channels/{id}/days/{date}", get(definitions::virtual_day))
}

fn documents() -> Router {
    use api::imports;
    Router::new()
        .route("/api/v1/imports", get(imports::list).post(imports::post).layer(DefaultBodyLimit::disable()))
        .route("/api/v1/imports/{id}", get(imports::one))
        .route("/api/v1/imports/{id}/quarantine", get(imports::quarantine))
        .route("/api/v1/imports/{id}/quarantine.csv", get(imports::csv))
        .route("/api/v1/export", get(imports::export))
        .route("/api/v1/overview", get(api::overview))
        .route("/api/v1/meters", get(api::meters))
        .route("/api/v1/meters/{id}", get(api::meter))
        .route("/api/v1/meters/{id}/profile", get(api::profile))
        .route("/api/v1/meters/{id}/commands", post(api::request_command))
        .route("/api/v1/commands", get(api::commands))
        .route("/api/v1/commands/{id}", get(api::command))
        .route("/api/v1/usage", get(api::usage))
}
