//! The bench through the JSON interface: the queue, a day, a preview, an edit, an undo, sums and formulas.

use crate::{Answer, UTILITY, ask, get, sign_in};
use axum::http::{Method, StatusCode};
use operations::Role;
use serde_json::{Value, json};

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}: {}", answer.status, answer.body))
}

async fn analyst() -> String {
    sign_in(UTILITY.people[&Role::Analyst]).await
}

async fn post(path: &str, cookie: &str, wish: &Value) -> Answer {
    ask(Method::POST, path, cookie, &wish.to_string()).await
}

#[tokio::test]
async fn a_day_is_edited_and_put_back() {
    let cookie = analyst().await;
    let today = UTILITY.app.mdm.day_of((UTILITY.app.clock)()).unwrap().date();
    let day = today.checked_sub(jiff::Span::new().days(5)).unwrap();
    let path = format!("/api/v1/channels/1/days/{day}");
    let before = body(&get(&path, &cookie).await);
    let version = before["series"]["version"].as_u64().unwrap();
    let was = before["series"]["intervals"][3]["value"].as_i64().unwrap();
    let mut wish = json!({
        "command": "site-test-1", "slots": "3", "op": "add", "amount": 7, "reason": "meter_fault",
        "expected_version": version,
    });
    let preview = body(&post(&format!("{path}/edits/preview"), &cookie, &wish).await);
    assert_eq!(preview["after"]["series"]["intervals"][3]["value"], was + 7);
    let done = body(&post(&format!("{path}/edits"), &cookie, &wish).await);
    assert_eq!((done["version"].as_u64(), &done["repeated"]), (Some(version + 1), &json!(false)));
    let again = body(&post(&format!("{path}/edits"), &cookie, &wish).await);
    assert_eq!((again["version"].as_u64(), &again["repeated"]), (Some(version + 1), &json!(true)));
    wish["command"] = json!("site-test-2");
    let stale = post(&format!("{path}/edits"), &cookie, &wish).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.body);
    assert!(stale.body.contains("changed meanwhile"), "{}", stale.body);
    wish["reason"] = Value::Null;
    assert_eq!(post(&format!("{path}/edits"), &cookie, &wish).await.status, StatusCode::BAD_REQUEST);
    let undo = json!({
        "command": "site-test-3", "op": "undo", "to": version, "reason": "correction",
        "expected_version": version + 1,
    });
    assert_eq!(post(&format!("{path}/edits"), &cookie, &undo).await.status, StatusCode::OK);
    let versions = body(&get(&format!("{path}/versions"), &cookie).await);
    let last = versions["versions"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["source"], &last["reason"]), (&json!("undo"), &json!("correction")));
    let then = body(&get(&format!("{path}/as-of?version={}", version + 1), &cookie).await);
    assert_eq!(then["intervals"][3]["value"], was + 7);
    let diff = body(&get(&format!("{path}/diff?before={version}&after={}", version + 2), &cookie).await);
    assert_eq!(diff["changes"], json!([]));
    let candidates = body(&get(&format!("{path}/candidates?slots=3-4"), &cookie).await);
    assert!(candidates["candidates"].as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn queues_boards_sums_and_formulas_answer() {
    let cookie = analyst().await;
    for path in [
        "/api/v1/exceptions?severity=fail,issue&sort=severity&per_page=5",
        "/api/v1/rebill-flags?all=1",
        "/api/v1/completeness",
        "/api/v1/completeness/meters?gaps=1",
        "/api/v1/load?scope=system&measure=net_energy&interval_s=3600",
        "/api/v1/groups",
        "/api/v1/virtual-channels",
    ] {
        let answer = get(path, &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    }
    let csv = get("/api/v1/completeness.csv", &cookie).await;
    assert!(csv.body.starts_with("date,collector,meters,whole,expected"), "{}", csv.body);
    for path in
        ["/api/v1/load?scope=feeder:", "/api/v1/load?measure=voltage", "/api/v1/exceptions?state=lost"]
    {
        assert_eq!(get(path, &cookie).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let net = json!({
        "name": "net of the first", "reason": "for the site's test",
        "formula": { "kind": "net", "terms": [{ "factor": "1", "channel": 1 }, { "factor": "-1", "channel": 2 }] },
    });
    let made = post("/api/v1/virtual-channels", &cookie, &net).await;
    let day = "/api/v1/virtual-channels/preview?date=2026-07-13";
    let tried =
        post(day, &cookie, &json!({ "kind": "import", "terms": [{ "factor": "2", "channel": 1 }] })).await;
    assert_eq!(body(&tried)["series"]["intervals"].as_array().unwrap().len(), 96, "{}", tried.body);
    let odd = post(day, &cookie, &json!({ "kind": "import", "terms": [] })).await;
    assert!(odd.status == StatusCode::CONFLICT && odd.body.contains("from 1 to"), "{}", odd.body);
    let mut group = json!({ "name": "everything", "rule": { "filter": { "commodity": "electricity" } } });
    let silent = post("/api/v1/groups", &cookie, &group).await;
    assert!(silent.status == StatusCode::BAD_REQUEST && silent.body.contains("Say why"), "{}", silent.body);
    group["reason"] = json!("for the site's test");
    let saved = post("/api/v1/groups", &cookie, &group).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    assert_eq!(post("/api/v1/groups", &cookie, &group).await.status, StatusCode::CONFLICT, "just so already");
    let retire = format!("/api/v1/groups/{}/retire", body(&saved)["id"]);
    let gone = post(&retire, &cookie, &json!({ "reason": "no more" })).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
    let groups = body(&get("/api/v1/groups", &cookie).await);
    let group = groups["groups"].as_array().unwrap().iter().find(|one| one["name"] == "everything").unwrap();
    assert!(group["rule"].is_null() && group["versions"].as_array().unwrap().len() == 2, "{group}");
    assert_eq!(group["versions"][0]["from"], "1970-01-01");
    let today = UTILITY.app.mdm.day_of((UTILITY.app.clock)()).unwrap().date();
    if made.status == StatusCode::OK {
        let path = format!("/api/v1/virtual-channels/{}/days/{today}", body(&made)["id"]);
        assert_eq!(get(&path, &cookie).await.status, StatusCode::OK);
    } else {
        // The first meter counts one way only, and the refusal says so.
        assert_eq!(made.status, StatusCode::CONFLICT, "{}", made.body);
    }
}
