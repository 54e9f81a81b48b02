//! The analyst's pages over real data: the queue, the bench, an edit and its undoing, the completeness board.

use crate::{UTILITY, ask, get, sign_in};
use axum::http::{Method, StatusCode};
use operations::Role;

async fn analyst() -> String {
    sign_in(UTILITY.people[&Role::Analyst]).await
}

/// The value of a hidden field.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    page.split(&format!("name=\"{name}\" value=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test]
async fn the_queue_groups_by_rule_and_drills_down() {
    let cookie = analyst().await;
    let page = get("/ops/vee", &cookie).await.body;
    assert!(page.contains("Readings that are overdue have not arrived"), "the gap rule says what it means");
    assert!(page.contains("/ops/vee?rule=gap"));
    let list = get("/ops/vee?rule=gap", &cookie).await.body;
    assert!(list.contains(&format!("/ops/vee/{}/2026-07-12?channel=import&amp;rule=gap", UTILITY.meters[0])));
    assert!(list.contains("Accept all of these"));
    let clerk = sign_in(UTILITY.people[&Role::Clerk]).await;
    assert!(!get("/ops/vee?rule=gap", &clerk).await.body.contains("Accept all of these"));
    let nothing = get("/ops/vee?rule=multiplier", &cookie).await.body;
    assert!(nothing.contains("No exception fits these filters"));
    let csv = get("/ops/vee.csv?rule=gap", &cookie).await.body;
    assert!(csv.starts_with("day,serial,channel,rule,") && csv.lines().count() > 1);
}

#[tokio::test]
async fn the_bench_shows_what_was_read_and_what_each_method_makes_of_a_gap() {
    let cookie = analyst().await;
    let bench = format!("/ops/vee/{}/2026-07-12?channel=import", UTILITY.meters[1]);
    let page = get(&bench, &cookie).await.body;
    let chart = page.split("data-bench").nth(1).unwrap().split("The week around it").next().unwrap();
    assert_eq!(chart.matches("class=\"bar hit").count(), 96);
    assert!(page.contains("Gap") && page.contains("13:00 – 16:00"), "the rule and its intervals");
    let chosen = get(&format!("{bench}&from=13:00&to=16:00"), &cookie).await.body;
    assert_eq!(chosen.matches("class=\"bar hit sel\"").count(), 12);
    assert!(chosen.contains("Like day") && chosen.contains("do=estimate&amp;method=like_day"));
    for (query, why) in [
        ("&from=16:00&to=13:00", "There are no intervals from 16:00 until 13:00"),
        ("&do=set&value=1", "Choose the intervals first"),
        ("&from=13:00&to=16:00&do=set&value=much", "is no value in kWh"),
        ("&from=13:00&to=16:00&do=dance", "Nothing is called"),
    ] {
        assert!(get(&format!("{bench}{query}"), &cookie).await.body.contains(why), "{query}");
    }
    let engineer = sign_in(UTILITY.people[&Role::Engineer]).await;
    assert_eq!(get(&bench, &engineer).await.status, StatusCode::FORBIDDEN);
    for path in [
        "/ops/vee/1/2099-01-01",
        "/ops/vee/1/soon",
        "/ops/vee/99999/2026-07-12",
        "/ops/vee/1/2026-07-12?channel=gas",
    ] {
        assert_eq!(get(path, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn of_a_running_day_only_what_is_over_is_offered() {
    let cookie = analyst().await;
    // It is 15:37 at the utility.
    let bench = format!("/ops/vee/{}/2026-07-14?channel=import", UTILITY.meters[1]);
    let page = get(&bench, &cookie).await.body;
    assert!(page.contains("intervals up to 15:30 are over") && page.contains("max=\"15:30\""), "{page}");
    let whole = get(&format!("{bench}&from=14:00&to=24:00&do=set&value=1"), &cookie).await.body;
    assert!(whole.contains("6\u{a0}intervals would change"), "{whole}");
    assert_eq!(
        (field(&whole, "from"), field(&whole, "to")),
        ("14:00", "15:30"),
        "what is confirmed is shown"
    );
    let ahead = get(&format!("{bench}&from=16:00&to=17:00&do=set&value=1"), &cookie).await.body;
    assert!(ahead.contains("The intervals from 15:30 on are not over yet"), "{ahead}");
}

#[tokio::test]
async fn an_edit_needs_a_reason_makes_a_version_and_can_be_undone() {
    let cookie = analyst().await;
    let path = format!("/ops/vee/{}/2026-07-10", UTILITY.meters[2]);
    let asked = "channel=import&from=10:00&to=11:00&do=set&value=0.333";
    let preview = get(&format!("{path}?{asked}"), &cookie).await.body;
    assert!(preview.contains("Set to 0.333") && preview.contains("4\u{a0}intervals would change"));
    let (version, command) = (field(&preview, "version").to_owned(), field(&preview, "command").to_owned());
    let body = format!("{asked}&version={version}&command={command}");
    let bare = ask(Method::POST, &path, &cookie, &body).await;
    assert!(bare.status == StatusCode::OK && bare.body.contains("Write a note"), "no reason, no edit");
    let body = format!("{body}&code=meter_fault&note=Seen+on+site");
    let done = ask(Method::POST, &path, &cookie, &body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let after = get(&done.location, &cookie).await.body;
    assert!(after.contains("Meter fault: Seen on site") && after.contains("Set to 0.333"));
    let again = ask(Method::POST, &path, &cookie, &body).await;
    assert_eq!(again.location, done.location, "the same form sent twice does it once");
    let stale = body.replace(&command, "another");
    let stale = ask(Method::POST, &path, &cookie, &stale).await;
    assert!(stale.body.contains("The day changed meanwhile"), "somebody else was faster");
    let undo = format!("channel=import&do=undo&to_version={version}");
    let preview = get(&format!("{path}?{undo}"), &cookie).await.body;
    let body = format!(
        "{undo}&version={}&command={}&code=correction&note=It+was+right",
        field(&preview, "version"),
        field(&preview, "command")
    );
    let undone = ask(Method::POST, &path, &cookie, &body).await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER, "{}", undone.body);
    let last: u32 = undone.location.rsplit('=').next().unwrap().parse().unwrap();
    let compare = get(&format!("{path}?channel=import&compare={version}-{last}"), &cookie).await.body;
    assert!(compare.contains("They do not differ in any interval."));
}

#[tokio::test]
async fn accepting_many_names_the_count_and_holds_to_it() {
    let cookie = analyst().await;
    let page = get("/ops/vee/accept?rule=gap&commodity=electricity", &cookie).await.body;
    let count = field(&page, "count").to_owned();
    let named = page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap();
    assert!(named.replace(',', "").starts_with(&format!("Accept {count}\u{a0}exception")), "{named}");
    let body = "rule=gap&commodity=electricity&count=999999&code=true_use&note=Known+outage";
    let refused = ask(Method::POST, "/ops/vee/accept", &cookie, body).await;
    assert_eq!(refused.status, StatusCode::OK);
    assert!(refused.body.contains("role=\"alert\""), "another count than was seen is refused");
    let all = ask(Method::POST, "/ops/vee/accept", &cookie, "count=1&code=true_use&note=x").await;
    assert_eq!(all.status, StatusCode::BAD_REQUEST, "never every rule at once");
}

#[tokio::test]
async fn the_board_has_a_number_for_each_day_and_collector_and_the_meters_behind_it() {
    let cookie = analyst().await;
    let page = get("/ops/reads?date=2026-07-13", &cookie).await.body;
    for part in ["MESH-01", "PLC-02", "All", "Expected", "Estimated", "Missing"] {
        assert!(page.contains(part), "{part}");
    }
    let late = get("/ops/reads?date=2026-07-13&day=2026-07-13", &cookie).await.body;
    assert!(
        late.contains("the most incomplete first") && late.contains("40200005"),
        "the silent meter is behind the number"
    );
    let engineer = sign_in(UTILITY.people[&Role::Engineer]).await;
    let late = get("/ops/reads?date=2026-07-13&day=2026-07-13", &engineer).await.body;
    assert!(!late.contains("href=\"/ops/vee/"), "those who may not open the bench are led to the meter");
    assert!(get("/ops/reads.csv?date=2026-07-13", &cookie).await.body.lines().count() > 14);
    assert!(
        get("/ops/reads.csv?date=2026-07-13&day=2026-07-13&collector=own", &cookie).await.status.is_success()
    );
}

#[tokio::test]
async fn groups_are_made_from_a_search_or_a_list_and_show_their_load() {
    let cookie = analyst().await;
    let look = ask(Method::POST, "/ops/groups", &cookie, "name=Linden&text=lindenweg&look=1").await;
    assert!(look.body.contains("chosen one by one:") && look.body.contains(" today."), "{}", look.body);
    let wrong = ask(Method::POST, "/ops/groups", &cookie, "name=Two&serials=40200001%0A999").await;
    assert!(wrong.body.contains("Line 2: no meter has the serial number 999"));
    let done =
        ask(Method::POST, "/ops/groups", &cookie, "name=Two&serials=40200001%0A40200002&reason=trial").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let again = ask(Method::POST, "/ops/groups", &cookie, "name=Two&serials=40200001").await;
    assert!(again.body.contains("There is a group Two already"), "nothing is replaced unasked");
    let silent = ask(Method::POST, "/ops/groups", &cookie, "name=Mute&serials=40200001").await;
    assert!(silent.body.contains("Say why"), "{}", silent.body);
    let both =
        ask(Method::POST, "/ops/groups", &cookie, "name=Both&feeder=F-1204&serials=40200001&reason=x").await;
    assert!(both.body.contains("not both"));
    let list = get("/ops/groups", &cookie).await.body;
    let link =
        list.split("href=\"").find(|part| part.contains(">Two</a>")).unwrap().split('"').next().unwrap();
    let page = get(&format!("{}&date=2026-07-13", link.replace("&amp;", "&")), &cookie).await.body;
    assert!(page.contains("Highest interval") && page.contains("40200001"), "the load and its members");
    let engineer = sign_in(UTILITY.people[&Role::Engineer]).await;
    let few = get(&format!("{}&date=2026-07-13", link.replace("&amp;", "&")), &engineer).await.body;
    assert!(
        few.contains("fewer than 5 meters") && !few.contains("Highest interval"),
        "two homes are no aggregate"
    );
    let system = get("/ops/groups/load?scope=system&date=2026-07-13", &engineer).await.body;
    assert!(system.contains("System load") && system.contains("Highest interval"));
    assert_eq!(get("/ops/groups/load?scope=moon", &cookie).await.status, StatusCode::BAD_REQUEST);
    assert!(get("/ops", &cookie).await.body.contains("System load of"));
}

#[tokio::test]
async fn a_group_is_changed_from_a_day_on_and_retired_and_keeps_its_history() {
    let cookie = analyst().await;
    let made = ask(Method::POST, "/ops/groups", &cookie, "name=Feeder&feeder=F-1204&reason=for+losses").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let page = get(&made.location, &cookie).await.body;
    assert!(page.contains("Every meter of feeder F-1204 on the day") && page.contains("for losses"));
    let id = made.location.split("group%3A").nth(1).or(made.location.split("group:").nth(1)).unwrap();
    let id = id.split('&').next().unwrap().to_owned();
    let form = get(&format!("/ops/groups/new?of={id}"), &cookie).await.body;
    assert!(form.contains("Change Feeder") && form.contains("<option value=\"F-1204\" selected>"), "{form}");
    let wish = format!("of={id}&serials=40200001&from=2026-07-14&reason=only+one");
    let changed = ask(Method::POST, "/ops/groups", &cookie, &wish).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let gone =
        ask(Method::POST, &format!("/ops/groups/{id}/retire"), &cookie, "from=2026-08-01&reason=done").await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.body);
    let page = get(&gone.location, &cookie).await.body;
    for part in ["for losses", "only one", "1\u{a0}meter chosen one by one", "Retired", "For every day"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let engineer = sign_in(UTILITY.people[&Role::Engineer]).await;
    let refused =
        ask(Method::POST, &format!("/ops/groups/{id}/retire"), &engineer, "from=2026-08-01&reason=x").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_formula_is_tried_on_a_day_and_kept_and_retired() {
    let cookie = analyst().await;
    let form = get("/ops/formulas/new", &cookie).await.body;
    assert!(form.contains("Terms, one a line"));
    let wish =
        "name=Double&kind=import&terms=2+40200001+import&missing=missing&date=2026-07-13&reason=a+test";
    let tried = ask(Method::POST, "/ops/formulas", &cookie, &format!("{wish}&look=1")).await;
    assert!(tried.body.contains("What it would give") && tried.body.contains("<svg"), "{}", tried.body);
    for (terms, why) in [
        ("2+40200001", "Line 1: say what meter 40200001 measures"),
        ("x+40200001+import", "Line 1: `x` is no factor"),
        ("1+9+import", "no meter has the serial number 9"),
        ("1+40200001+steam", "`steam` is nothing that is measured"),
        ("1+formula+nothing", "there is no formula nothing"),
        ("1+40200001+import%0A1+40200001+voltage", "do not add up"),
    ] {
        let body = format!("name=Bad&kind=import&terms={terms}&reason=x");
        let answer = ask(Method::POST, "/ops/formulas", &cookie, &body).await;
        assert!(answer.status == StatusCode::OK && answer.body.contains(why), "{why}: {}", answer.body);
    }
    let made = ask(Method::POST, "/ops/formulas", &cookie, wish).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let page = get(&made.location, &cookie).await.body;
    assert!(page.contains("import = 2 · 40200001 import") && page.contains("a test"), "{page}");
    let place = made.location.split('?').next().unwrap().to_owned();
    let id = place.rsplit('/').next().unwrap().to_owned();
    assert!(get(&format!("/ops/formulas/new?of={id}"), &cookie).await.body.contains("2 40200001 import"));
    assert!(get("/ops/groups", &cookie).await.body.contains("Double"));
    let gone = ask(Method::POST, &format!("{place}/retire"), &cookie, "from=2026-07-14&reason=enough").await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.body);
    assert!(get(&format!("{place}?date=2026-07-14"), &cookie).await.body.contains("No formula was in force"));
    assert!(get(&format!("{place}?date=2026-07-13"), &cookie).await.body.contains("In all"));
}

#[tokio::test]
async fn the_meter_page_leads_to_its_exceptions_and_versions() {
    let page =
        get(&format!("/ops/meters/{}?date=2026-07-12", UTILITY.meters[0]), &analyst().await).await.body;
    assert!(
        page.contains("Versions")
            && page.contains(&format!("/ops/vee/{}/2026-07-12?channel=import", UTILITY.meters[0]))
    );
    assert!(page.contains("/ops/vee?rule=all&amp;q=40200000"));
}

#[tokio::test]
async fn the_meter_page_says_who_took_a_meter_off_and_why() {
    use mdm::fitting::{Deed, Fitting};
    let meter = UTILITY.meters[9];
    let now = (UTILITY.app.clock)();
    let fitting = Fitting {
        meter,
        deed: Deed::Retire,
        at: now - jiff::SignedDuration::from_hours(1),
        registers: Vec::new(),
        user: UTILITY.people[&Role::Administrator],
        reason: "its display was dark".to_owned(),
    };
    UTILITY.app.mdm.fit(now, &fitting).unwrap().unwrap();
    let page = get(&format!("/ops/meters/{meter}"), &analyst().await).await.body;
    for part in ["Retired", "Taken off for good 14:37", "its display was dark"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn another_threshold_is_tried_before_it_is_put_in_force() {
    let cookie = analyst().await;
    let page = get("/ops/rules", &cookie).await.body;
    assert!(page.contains("name=\"spike.percent\" value=\"180\""), "thresholds are fields");
    assert_eq!(page.matches("method=\"post\" action=\"/ops/rules\"").count(), 0, "nothing to activate yet");
    let tried = get("/ops/rules?try=1&stuck.count=2&stuck.floor=0", &cookie).await.body;
    assert!(tried.contains("In the last 30 days") && tried.contains("Standing still"));
    let wrong = get("/ops/rules?try=1&spike.percent=lots", &cookie).await.body;
    assert!(wrong.contains("is no whole number") && !wrong.contains("Put in force"));
    let senseless = get("/ops/rules?try=1&like_days=0", &cookie).await.body;
    assert!(senseless.contains("like_days") && senseless.contains("role=\"alert\""), "the rules say why");
    let today = "2026-07-14";
    let bare = ask(Method::POST, "/ops/rules", &cookie, &format!("stuck.count=30&from={today}")).await;
    assert!(bare.status == StatusCode::OK && bare.body.contains("say why"));
    let past = ask(Method::POST, "/ops/rules", &cookie, "stuck.count=30&from=2026-07-01&note=x").await;
    assert!(past.body.contains("from today on"));
    let done =
        ask(Method::POST, "/ops/rules", &cookie, &format!("stuck.count=30&from={today}&note=Fewer+remarks"))
            .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let after = get(&done.location, &cookie).await.body;
    assert!(after.contains("Fewer remarks") && after.contains("is on record"));
}

#[tokio::test]
async fn a_group_of_rules_is_begun_tried_put_in_force_and_ended() {
    let cookie = analyst().await;
    assert!(get("/ops/rules", &cookie).await.body.contains("href=\"/ops/rules?new=1\""));
    let form = get("/ops/rules?new=1", &cookie).await.body;
    assert!(form.contains("name=\"class.commercial\"") && form.contains("name=\"commodity.water\""));
    assert!(!form.contains("role=\"alert\""), "nothing is wrong before something was tried");
    for (fields, why) in [
        ("", "Give the group a name"),
        ("&name=Water", "Say for whom the group is"),
        ("&name=Water&commodity.water=1&like_days=0", "like_days"),
    ] {
        let page = get(&format!("/ops/rules?new=1&try=1{fields}"), &cookie).await.body;
        assert!(page.contains(why) && page.contains("role=\"alert\""), "{why}: {page}");
    }
    let wish = "new=1&name=Homes&class.residential=1&stuck.count=2&stuck.floor=0";
    let tried = get(&format!("/ops/rules?try=1&{wish}"), &cookie).await.body;
    assert!(
        tried.contains("In the last 30 days") && tried.contains("Standing still"),
        "it is tried on what was"
    );
    assert!(
        tried.contains("type=\"hidden\" name=\"class.residential\""),
        "what is confirmed is what was tried"
    );
    let made =
        ask(Method::POST, "/ops/rules", &cookie, &format!("{wish}&from=2026-07-14&note=A+trial")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let page = get("/ops/rules?group=Homes", &cookie).await.body;
    for part in ["Residential customers", "A trial", "name=\"stuck.count\" value=\"2\"", "End the group"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let clerk = sign_in(UTILITY.people[&Role::Clerk]).await;
    let body = "group=Homes&from=2026-08-01&note=Enough";
    assert_eq!(ask(Method::POST, "/ops/rules/end", &clerk, body).await.status, StatusCode::FORBIDDEN);
    for (body, why) in [
        ("group=Homes&from=2026-08-01", "say why"),
        ("group=Homes&from=2026-07-01&note=x", "from today on"),
        ("group=Nobody&from=2026-08-01&note=x", "There is no such group"),
    ] {
        let refused = ask(Method::POST, "/ops/rules/end", &cookie, body).await;
        assert!(refused.status == StatusCode::OK && refused.body.contains(why), "{why}: {}", refused.body);
    }
    let ended = ask(Method::POST, "/ops/rules/end", &cookie, body).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    let page = get("/ops/rules?group=Homes", &cookie).await.body;
    assert!(
        page.contains("before 2026-08-01") && page.contains("Enough"),
        "it stays until then, and on record"
    );
    let again = ask(Method::POST, "/ops/rules/end", &cookie, "group=Homes&from=2026-09-01&note=x").await;
    assert!(again.body.contains("has ended by then already"), "{}", again.body);
}
