//! Every route as nobody and as each role.

use crate::{UTILITY, ask, get, sign_in};
use axum::http::{Method, StatusCode, header};
use operations::{Right, Role};

/// Accepting every open exception of a rule that there is not.
const ACCEPT_NONE: &str = "{\"expected_count\":0,\"reason\":\"true_use\"}";

/// A table with a reading of a meter that there is not.
const NO_READING: &str = "meter,time,value,unit\nnobody,2026-07-01T00:00:00Z,1,kWh\n";
/// Days that files are asked of.
const DAYS: &str = "from=2026-07-12&to=2026-07-13";

/// What a row of the table expects of a role: `true` for an answer, `false` for a refusal.
type May = fn(Role) -> bool;

fn fleet(role: Role) -> bool {
    role.may(Right::SeeFleet)
}

fn own(role: Role) -> bool {
    role == Role::Customer
}

fn everybody(_: Role) -> bool {
    true
}

fn any_usage(role: Role) -> bool {
    role.may(Right::SeeAnyUsage)
}

fn reads(role: Role) -> bool {
    role.may(Right::ReadMeters)
}

fn sets(role: Role) -> bool {
    role.may(Right::SetRules)
}

fn edits(role: Role) -> bool {
    role.may(Right::EditReadings)
}

fn routes() -> Vec<(&'static str, String, &'static str, May)> {
    let meter = UTILITY.meters[0];
    let at = |path: &str| path.replace("{id}", &meter.to_string());
    vec![
        ("GET", "/".to_owned(), "", everybody),
        ("GET", "/usage".to_owned(), "", own),
        ("GET", "/usage?view=month".to_owned(), "", own),
        ("GET", "/usage.csv".to_owned(), "", own),
        ("GET", "/usage/download".to_owned(), "", own),
        ("GET", format!("/usage/download/file?format=csv&{DAYS}"), "", own),
        ("GET", "/ops/imports".to_owned(), "", any_usage),
        ("POST", "/ops/imports".to_owned(), "nothing=1", edits),
        ("GET", "/api/v1/imports".to_owned(), "", any_usage),
        ("POST", "/api/v1/imports?format=csv&dry_run=1".to_owned(), NO_READING, edits),
        ("GET", format!("/api/v1/export?format=csv&service_point=SP-0001-E&{DAYS}"), "", any_usage),
        ("GET", "/ops".to_owned(), "", fleet),
        ("GET", "/ops/live".to_owned(), "", fleet),
        ("GET", "/ops/meters".to_owned(), "", fleet),
        ("GET", "/ops/meters.csv".to_owned(), "", fleet),
        ("GET", at("/ops/meters/{id}"), "", fleet),
        ("GET", at("/ops/meters/{id}/profile.csv"), "", any_usage),
        ("POST", at("/ops/meters/{id}/commands"), "do=ping", reads),
        ("GET", "/ops/reads".to_owned(), "", fleet),
        ("GET", "/ops/reads.csv".to_owned(), "", fleet),
        ("GET", "/ops/groups".to_owned(), "", fleet),
        ("GET", "/ops/groups/new".to_owned(), "", edits),
        ("GET", "/ops/groups/load?scope=system".to_owned(), "", fleet),
        ("POST", "/ops/groups".to_owned(), "name=&text=lindenweg", edits),
        ("GET", "/ops/rules".to_owned(), "", fleet),
        ("POST", "/ops/rules".to_owned(), "", sets),
        ("POST", "/ops/rules/end".to_owned(), "", sets),
        ("GET", "/ops/vee".to_owned(), "", any_usage),
        ("GET", "/ops/vee.csv".to_owned(), "", any_usage),
        ("GET", "/ops/vee/accept?rule=gap".to_owned(), "", edits),
        ("POST", "/ops/vee/accept".to_owned(), "rule=spike&count=99", edits),
        ("GET", at("/ops/vee/{id}/2026-07-13"), "", any_usage),
        ("POST", at("/ops/vee/{id}/2026-07-13"), "do=accept", edits),
        ("GET", "/ops/commands".to_owned(), "", fleet),
        ("GET", "/ops/commands/1".to_owned(), "", fleet),
        ("GET", "/ops/commands/1/live".to_owned(), "", fleet),
        ("GET", "/api/v1/overview".to_owned(), "", fleet),
        ("GET", "/api/v1/meters".to_owned(), "", fleet),
        ("GET", at("/api/v1/meters/{id}"), "", fleet),
        ("GET", at("/api/v1/meters/{id}/profile"), "", any_usage),
        ("POST", at("/api/v1/meters/{id}/commands"), "{\"do\":\"ping\"}", reads),
        ("GET", "/api/v1/commands".to_owned(), "", fleet),
        ("GET", "/api/v1/commands/1".to_owned(), "", fleet),
        ("GET", "/api/v1/exceptions".to_owned(), "", any_usage),
        ("POST", "/api/v1/exceptions/accept?rule=none".to_owned(), ACCEPT_NONE, edits),
        ("GET", "/api/v1/rebill-flags".to_owned(), "", fleet),
        ("GET", "/api/v1/channels/1/days/2026-07-01".to_owned(), "", any_usage),
        ("GET", "/api/v1/channels/1/days/2026-07-01/versions".to_owned(), "", any_usage),
        ("GET", "/api/v1/completeness".to_owned(), "", fleet),
        ("GET", "/api/v1/completeness.csv".to_owned(), "", fleet),
        ("GET", "/api/v1/completeness/meters".to_owned(), "", fleet),
        ("GET", "/api/v1/groups".to_owned(), "", fleet),
        ("GET", "/api/v1/load".to_owned(), "", any_usage),
        ("GET", "/api/v1/virtual-channels".to_owned(), "", any_usage),
    ]
}

#[tokio::test]
async fn nobody_and_every_role_get_what_is_theirs() {
    // A command for the rows that look at one.
    let operator = sign_in(UTILITY.people[&Role::MeterOperator]).await;
    let path = format!("/ops/meters/{}/commands", UTILITY.meters[0]);
    ask(Method::POST, &path, &operator, "do=ping").await;
    for (method, path, body, may) in routes() {
        let method: Method = method.parse().unwrap();
        let nobody = ask(method.clone(), &path, "", body).await;
        if path.starts_with("/api/") {
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(nobody.headers[header::CONTENT_TYPE], "application/problem+json", "{path}");
        } else {
            assert_eq!(nobody.status, StatusCode::SEE_OTHER, "{path}");
            assert!(nobody.location.starts_with("/sign-in?next="), "{path} goes to {}", nobody.location);
        }
        for (role, user) in &UTILITY.people {
            let cookie = sign_in(*user).await;
            let answer = ask(method.clone(), &path, &cookie, body).await;
            let fine = answer.status.is_success() || answer.status == StatusCode::SEE_OTHER;
            assert_eq!(fine, may(*role), "{method} {path} as {role:?}: {}", answer.status);
            if !may(*role) {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} as {role:?}");
            }
        }
    }
}

#[tokio::test]
async fn customers_see_only_their_own_service_points() {
    let (mara, jonas) = (sign_in(UTILITY.people[&Role::Customer]).await, sign_in(UTILITY.neighbour).await);
    let store = UTILITY.app.mdm.store();
    let point_of = |meter| store.read(|read| read.meter(meter)).unwrap().unwrap().service_point.unwrap();
    let (hers, his) = (point_of(UTILITY.meters[0]), point_of(UTILITY.meters[1]));
    for (cookie, point, fine) in
        [(&mara, hers, true), (&mara, his, false), (&jonas, his, true), (&jonas, hers, false)]
    {
        let file = format!("/usage/download/file?format=green-button&{DAYS}&at=");
        for path in ["/usage?", "/usage.csv?", "/api/v1/usage?", &file] {
            let answer = get(&format!("{path}&point={point}&date=2026-07-13"), cookie).await;
            let expected = if fine { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(answer.status, expected, "{path} of {point}");
        }
    }
    // Those who may see any use see it through the API; the engineer may not.
    for (role, status) in [(Role::Analyst, StatusCode::OK), (Role::Engineer, StatusCode::NOT_FOUND)] {
        let cookie = sign_in(UTILITY.people[&role]).await;
        assert_eq!(get(&format!("/api/v1/usage?point={hers}"), &cookie).await.status, status, "{role:?}");
    }
}

#[tokio::test]
async fn another_site_cannot_send_commands() {
    let cookie = sign_in(UTILITY.people[&Role::MeterOperator]).await;
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri(format!("/ops/meters/{}/commands", UTILITY.meters[0]))
        .header(header::COOKIE, cookie)
        .header(header::HOST, "localhost")
        .header(header::ORIGIN, "http://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("do=ping"))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(web::router(UTILITY.app.clone()), request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_session_ends_with_sign_out_and_forged_ones_are_nobody() {
    let cookie = sign_in(UTILITY.people[&Role::Analyst]).await;
    assert_eq!(get("/ops", &cookie).await.status, StatusCode::OK);
    assert_eq!(ask(Method::POST, "/sign-out", &cookie, "").await.location, "/sign-in");
    assert_eq!(get("/ops", &cookie).await.status, StatusCode::SEE_OTHER);
    let forged = format!("wattle_session={}", "0".repeat(64));
    assert_eq!(get("/ops", &forged).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_demo_door_is_shut_outside_the_demo() {
    let app = web::App { demo: false, ..UTILITY.app.clone() };
    let request = |path: &str, body: &str| {
        axum::http::Request::builder()
            .method(if body.is_empty() { Method::GET } else { Method::POST })
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body.to_owned()))
            .unwrap()
    };
    let site = web::router(app);
    let door = tower::ServiceExt::oneshot(site.clone(), request("/sign-in/demo", "id=1")).await.unwrap();
    assert_eq!(door.status(), StatusCode::NOT_FOUND);
    let page = tower::ServiceExt::oneshot(site, request("/sign-in", "")).await.unwrap();
    let body = axum::body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("type=\"password\"") && !body.contains("/sign-in/demo"));
}
