//! Files of readings through the site: sent, sent again, looked at, given out.

use crate::{Answer, UTILITY, ask, get, sign_in};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use operations::Role;
use serde_json::{Value, json};

/// The meter of somebody whose readings no other test looks at, and a day of which there are none.
const METER: &str = "40200060";

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}: {}", answer.status, answer.body))
}

/// Four quarter hours, a line that is no reading, and one of a meter that there is not.
fn table(serial: &str) -> String {
    format!(
        "meter,time,value,unit,channel\n{serial},2026-06-20T10:00:00Z,0.25,kWh,import\n\
         {serial},2026-06-20T10:15:00Z,0.5,kWh,import\n{serial},2026-06-20T10:30:00Z,much,kWh,import\n\
         {serial},2026-06-20T10:45:00Z,0.75,kWh,import\nnobody,2026-06-20T10:00:00Z,1,kWh,import\n"
    )
}

async fn analyst() -> String {
    sign_in(UTILITY.people[&Role::Analyst]).await
}

#[tokio::test]
async fn a_file_half_garbage_is_sent_twice_and_given_out_again() {
    let cookie = analyst().await;
    let path = "/api/v1/imports?name=june.csv&zone=Europe/Zurich";
    let looked = body(&ask(Method::POST, &format!("{path}&dry_run=1"), &cookie, &table(METER)).await);
    assert_eq!((&looked["dry_run"], &looked["files"][0]["import"]), (&json!(true), &Value::Null));
    let sent = ask(Method::POST, path, &cookie, &table(METER)).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    let file = body(&sent)["files"][0].clone();
    assert_eq!((&file["accepted"], &file["duplicates"], &file["refused"]), (&json!(3), &json!(0), &json!(2)));
    let lines: Vec<&Value> = file["refusals"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!(lines, [&json!(4), &json!(6)]);
    assert!(file["refusals"].as_array().unwrap().iter().all(|one| one["remedy"].as_str().is_some()));
    let again = ask(Method::POST, path, &cookie, &table(METER)).await;
    assert_eq!(again.status, StatusCode::OK);
    let second = body(&again)["files"][0].clone();
    assert_eq!((&second["accepted"], &second["duplicates"]), (&json!(0), &json!(3)));
    assert_eq!((&second["known"], &second["import"]), (&json!(true), &file["import"]));
    let id = file["import"].as_u64().unwrap();
    let one = body(&get(&format!("/api/v1/imports/{id}"), &cookie).await);
    assert_eq!((&one["file"], &one["stored"], &one["refused"]), (&json!("june.csv"), &json!(3), &json!(2)));
    let list = body(&get("/api/v1/imports", &cookie).await);
    assert!(list["files"].as_array().unwrap().iter().any(|other| other["import"] == id));
    let kept = body(&get(&format!("/api/v1/imports/{id}/quarantine"), &cookie).await);
    assert_eq!(kept["refusals"].as_array().unwrap().len(), 2);
    let csv = get(&format!("/api/v1/imports/{id}/quarantine.csv"), &cookie).await;
    assert!(csv.body.lines().nth(1).unwrap().starts_with("4,\"bad_field\""), "{}", csv.body);
    let page = get(&format!("/ops/imports/{id}"), &cookie).await;
    assert!(page.body.contains("june.csv") && page.body.contains("bad_field"), "{}", page.body);
    let days = "from=2026-06-20&to=2026-06-20";
    let out = get(&format!("/api/v1/export?format=csv&meter={METER}&{days}"), &cookie).await;
    assert!(out.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("readings-40200060-2026"));
    for (time, value) in [("10:00:00Z", "0.25"), ("10:15:00Z", "0.5"), ("10:45:00Z", "0.75")] {
        assert!(out.body.contains(&format!("2026-06-20T{time},{value},")), "{}", out.body);
    }
    let cmep = get(&format!("/api/v1/export?format=cmep&meter={METER}&{days}"), &cookie).await;
    assert_eq!(cmep.headers["wattle-left-out"], format!("{METER}/export"));
    for (path, status) in [
        ("/api/v1/export?format=odt&from=2026-06-20&to=2026-06-20", StatusCode::BAD_REQUEST),
        ("/api/v1/export?format=csv&from=2026-06-20&to=2026-06-19", StatusCode::BAD_REQUEST),
        ("/api/v1/export?format=csv&meter=nobody&from=2026-06-20&to=2026-06-20", StatusCode::NOT_FOUND),
        ("/api/v1/imports/999999", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(get(path, &cookie).await.status, status, "{path}");
    }
    assert_eq!(ask(Method::POST, "/api/v1/imports", &cookie, "").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        ask(Method::POST, "/api/v1/imports", &cookie, "garbage").await.status,
        StatusCode::BAD_REQUEST
    );
}

/// Sends a form with a file, as a browser does.
async fn send_form(site: web::App, cookie: &str, parts: &[(&str, &str)]) -> (StatusCode, String, String) {
    let mut text = String::new();
    for (name, value) in parts {
        let file = if *name == "file" { "; filename=\"form.csv\"" } else { "" };
        text +=
            &format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
    }
    text += "--edge--\r\n";
    let request = Request::post("/ops/imports")
        .header(header::COOKIE, cookie)
        .header(header::HOST, "localhost")
        .header(header::ORIGIN, "http://localhost")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from(text))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(web::router(site), request).await.unwrap();
    let location = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, location.unwrap_or_default(), String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_form_takes_a_file_and_says_what_is_wrong_with_others() {
    let cookie = analyst().await;
    let app = || UTILITY.app.clone();
    let good = table("40200061");
    let (status, to, _) = send_form(app(), &cookie, &[("zone", ""), ("file", &good), ("dry_run", "0")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(get(&to, &cookie).await.body.contains("form.csv"), "{to}");
    let (_, to, _) = send_form(app(), &cookie, &[("zone", ""), ("file", &good), ("dry_run", "0")]).await;
    assert!(get(&to, &cookie).await.body.contains("taken in before"), "{to}");
    let table: [(&[(&str, &str)], &str); 5] = [
        (&[("zone", "x")], "holds no file"),
        (&[("file", "")], "No file was chosen"),
        (&[("file", "garbage")], "no format that Wattle reads"),
        (&[("zone", "Mars/Olympus"), ("file", &good)], "time.zone"),
        (&[("mapping", "nonsense = 1"), ("file", &good)], "mapping cannot be read"),
    ];
    for (parts, says) in table {
        let (status, _, page) = send_form(app(), &cookie, parts).await;
        assert!(status == StatusCode::OK && page.contains(says), "{parts:?}: {page}");
    }
    let small = web::App { uploads: app().uploads.at_most(10), ..app() };
    let (_, _, page) = send_form(small, &cookie, &[("file", &good)]).await;
    assert!(page.contains("larger than"), "{page}");
    let (_, _, page) = send_form(app(), &cookie, &[("file", &good), ("dry_run", "1")]).await;
    assert!(page.contains("Nothing was kept"), "{page}");
}

#[tokio::test]
async fn a_customer_downloads_what_is_theirs() {
    let cookie = sign_in(UTILITY.people[&Role::Customer]).await;
    let page = get("/usage/download", &cookie).await;
    for word in ["Green Button", "CSV", "name=\"from\"", "Last month", "name=\"point\""] {
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
    let usage = get("/usage", &cookie).await;
    assert!(usage.body.contains("href=\"/usage/download\""));
    let days = "from=2026-07-12&to=2026-07-13";
    let xml = get(&format!("/usage/download/file?format=green-button&{days}"), &cookie).await;
    assert_eq!(xml.headers[header::CONTENT_TYPE], "application/atom+xml; charset=utf-8");
    assert!(xml.body.contains("<espi:UsagePoint>") && xml.body.trim_end().ends_with("</feed>"));
    let csv = get(&format!("/usage/download/file?format=csv&{days}"), &cookie).await;
    assert!(csv.body.lines().count() > 2 * 96, "{}", csv.body);
    assert!(!csv.body.contains("voltage"), "the street's voltage is nobody's use");
    let neighbour = "40200001";
    assert!(!csv.body.contains(neighbour));
    for wrong in [
        "format=nem12&from=2026-07-12&to=2026-07-13",
        "format=csv&from=2020-01-01&to=2026-07-13",
        "format=csv",
    ] {
        assert_eq!(
            get(&format!("/usage/download/file?{wrong}"), &cookie).await.status,
            StatusCode::BAD_REQUEST
        );
    }
}
