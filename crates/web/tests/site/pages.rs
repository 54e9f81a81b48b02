//! What pages say about flaws, dates and filters, and what no page may contain.

use crate::{UTILITY, get, sign_in};
use axum::http::{StatusCode, header};
use operations::Role;

async fn customer() -> String {
    sign_in(UTILITY.people[&Role::Customer]).await
}

async fn operator() -> String {
    sign_in(UTILITY.people[&Role::MeterOperator]).await
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[tokio::test]
async fn a_day_has_its_hours_a_table_and_its_flaws() {
    let page = get("/usage?date=2026-07-13", &customer().await).await.body;
    assert_eq!(count(&page, "class=\"bar hit\""), 24);
    assert_eq!(count(&page, "<caption"), 2, "the chart and the weeks have a table each");
    assert!(page.contains("Monday 13 July"), "the day is named");
    assert!(page.contains("Sent back"), "the roof sends energy back");
    assert!(page.contains("Outside, °C"), "there is weather");
    assert!(
        page.contains("incomplete") || page.contains("estimated"),
        "the gap of three quarter hours is named"
    );
    let empty = get("/usage?date=2020-01-01", &customer().await).await.body;
    assert!(empty.contains("No readings for Wednesday 1 January 2020 yet."));
    assert_eq!(count(&empty, "class=\"b use\""), 0);
}

#[tokio::test]
async fn today_is_under_way_and_the_future_is_not_shown() {
    let page = get("/usage?date=2026-07-14", &customer().await).await.body;
    assert!(page.contains("so far on Tuesday 14 July"), "{}", &page[..2000]);
    assert!(!page.contains("aria-label=\"Next day\""));
    let tomorrow = get("/usage?date=2026-07-15", &customer().await).await.body;
    assert!(tomorrow.contains("<h2 id=\"chart\">Monday 13 July</h2>"));
}

#[tokio::test]
async fn a_month_leads_to_its_days() {
    let page = get("/usage?view=month&date=2026-06-20", &customer().await).await.body;
    assert_eq!(count(&page, "<a class=\"bar\""), 30);
    assert!(page.contains("/usage?view=day&amp;date=2026-06-05"));
}

#[tokio::test]
async fn gas_and_water_have_their_own_units() {
    let page = get("/usage", &customer().await).await.body;
    assert!(page.contains(">Gas</a>") && page.contains(">Water</a>"));
    let link = page.split("href=\"").find(|part| part.contains(">Gas</a>")).unwrap();
    let gas = get(&link.split('"').next().unwrap().replace("&amp;", "&"), &customer().await).await.body;
    assert!(gas.contains("Used, m³"));
}

#[tokio::test]
async fn filters_live_in_the_address() {
    let cookie = operator().await;
    let silent = get("/ops/meters?state=silent", &cookie).await.body;
    assert!(silent.contains("1\u{a0}meter of this list.") && silent.contains("40200005"));
    let found = get("/ops/meters?q=lindenweg&sort=address&order=desc", &cookie).await.body;
    assert!(found.contains("aria-sort=\"descending\"") && found.contains("Lindenweg 1"));
    let nothing = get("/ops/meters?q=%3Cscript%3E", &cookie).await.body;
    assert!(nothing.contains("No meter fits") && !nothing.contains("<script>"));
    let second = get("/ops/meters?page=2", &cookie).await.body;
    assert!(second.contains("51–74 of 74"), "pages");
    let csv = get("/ops/meters.csv?state=silent", &cookie).await.body;
    assert_eq!(csv.lines().count(), 2);
}

#[tokio::test]
async fn the_meter_page_shows_all_that_hangs_on_it() {
    let page =
        get(&format!("/ops/meters/{}?date=2026-07-13", UTILITY.meters[0]), &operator().await).await.body;
    for part in [
        "Load profile",
        "Average voltage",
        "−84\u{a0}dBm",
        "MESH-01",
        "TX-12",
        "4,812.38\u{a0}kWh",
        "Power failed",
        "Ping",
        "/api/v1/meters/",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(count(&page, "<") / 2 < 1_500, "about {} nodes", count(&page, "<") / 2);
    let engineer = sign_in(UTILITY.people[&Role::Engineer]).await;
    let page = get(&format!("/ops/meters/{}?date=2026-07-13", UTILITY.meters[0]), &engineer).await.body;
    assert!(page.contains("This needs one of these roles") && page.contains("Average voltage"));
    assert!(!page.contains("Used, kWh"), "no profile for the engineer, not even as a table");
}

#[tokio::test]
async fn documents_answer_the_same_questions() {
    let cookie = operator().await;
    let meter = get(&format!("/api/v1/meters/{}", UTILITY.meters[0]), &cookie).await;
    let meter: serde_json::Value = serde_json::from_str(&meter.body).unwrap();
    assert_eq!(meter["serial"], "40200000");
    let profile =
        get(&format!("/api/v1/meters/{}/profile?date=2026-07-13", UTILITY.meters[0]), &cookie).await;
    let profile: serde_json::Value = serde_json::from_str(&profile.body).unwrap();
    assert_eq!(profile["series"]["intervals"].as_array().unwrap().len(), 96);
    for (path, status) in [
        ("/api/v1/meters/999999", 404),
        ("/api/v1/nothing", 404),
        ("/api/v1/meters/1/profile?date=soon", 400),
        ("/api/v1/meters/1/profile?kind=heat", 400),
        ("/api/v1/meters?per_page=0", 400),
    ] {
        let answer = get(path, &cookie).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["status"], status, "{path}");
    }
}

#[tokio::test]
async fn no_page_needs_what_the_policy_forbids() {
    let meter = format!("/ops/meters/{}", UTILITY.meters[0]);
    let bench = format!("/ops/vee/{}/2026-07-12?from=13:00&to=16:00", UTILITY.meters[0]);
    let pages = [
        ("", "/sign-in"),
        ("c", "/"),
        ("c", "/usage"),
        ("c", "/usage?view=month"),
        ("o", "/ops"),
        ("o", "/ops/meters"),
        ("o", meter.as_str()),
        ("o", "/ops/commands"),
        ("o", "/ops/vee"),
        ("o", "/ops/vee?rule=gap"),
        ("o", bench.as_str()),
        ("o", "/ops/reads?day=2026-07-13"),
        ("o", "/no-such-page"),
    ];
    let (customer, operator) = (customer().await, operator().await);
    for (who, path) in pages {
        let cookie = match who {
            "c" => &customer,
            "o" => &operator,
            _ => "",
        };
        let answer = get(path, cookie).await;
        assert!(!answer.body.contains("style=") && !answer.body.contains(" onclick"), "{path}");
        assert!(!answer.body.contains("<script>"), "{path} has inline script");
        assert_eq!(count(&answer.body, "<h1"), 1, "{path}");
        assert!(answer.body.contains("<html lang=\"en\""), "{path}");
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"));
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
    }
    let asset = get("/sign-in", "").await.body;
    let css =
        asset.split("href=\"").find(|part| part.starts_with("/a/") && part.contains("app.css")).unwrap();
    let css = get(css.split('"').next().unwrap(), "").await;
    assert_eq!(css.status, StatusCode::OK);
    assert!(css.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn the_theme_is_a_cookie() {
    let page = get("/sign-in", "theme=dark").await.body;
    assert!(page.contains("data-theme=\"dark\""));
    assert!(!get("/sign-in", "theme=pink").await.body.contains("data-theme"));
}

#[tokio::test]
async fn odd_addresses_are_answered_and_never_with_a_failure_of_ours() {
    let (customer, operator) = (customer().await, operator().await);
    let odd = [
        "",
        "soon",
        "0000-01-01",
        "-009999-01-01",
        "9999-12-31",
        "2026-02-30",
        "%ff%00",
        "&&=&date",
        "2026-07-13&date=x",
    ];
    let meter = UTILITY.meters[0];
    for value in odd {
        for path in ["/usage", "/usage.csv", "/api/v1/usage"] {
            for view in ["day", "month", "%00"] {
                let answer = get(&format!("{path}?view={view}&date={value}"), &customer).await;
                assert!(answer.status.as_u16() < 500, "{path} {view} {value}: {}", answer.status);
            }
        }
        let pages = [
            format!(
                "/ops/meters?page={value}&sort={value}&last_seen={value}&collector={value}&commodity={value}"
            ),
            format!("/ops/meters?page=4294967295&q={value}"),
            format!("/ops/meters/{meter}?date={value}"),
            format!("/ops/meters/{meter}/profile.csv?date={value}"),
            format!("/api/v1/meters/{meter}/profile?date={value}&kind={value}"),
            format!("/api/v1/meters?per_page={value}"),
            format!("/ops/vee?rule={value}&severity={value}&since={value}&state={value}&page={value}"),
            format!("/ops/vee/{meter}/{value}"),
            format!(
                "/ops/vee/{meter}/2026-07-12?from={value}&to={value}&do={value}&compare={value}&part={value}"
            ),
            format!("/ops/reads?date={value}&day={value}&collector={value}&page={value}"),
            "/ops/meters/99999999999999999999".to_owned(),
            "/ops/commands/-1".to_owned(),
            "/ops/commands?meter=x".to_owned(),
        ];
        for path in pages {
            let answer = get(&path, &operator).await;
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
        }
    }
}
