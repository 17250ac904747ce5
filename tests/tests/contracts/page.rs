//! The catalogue page in Chromium: search, links, keyboard, print, accessibility.

mod shipping;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use event_schemas::{Catalogue, Service, page};
use event_sdk::Event;
use event_sdk_test_servers::programs::chromium;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shop;
use crate::tools::Tools;

#[derive(Debug, Deserialize)]
struct Completion {
    checks: Vec<String>,
    shots: Vec<PathBuf>,
}

/// </script><img src=x onerror=alert(1)> <!-- <script> {{data}}
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "mallory", entity = "trick", action = "played")]
struct TrickPlayed {
    /// <img src=x onerror=alert(3)> Ünïcödé 漢字 🦀
    #[serde(rename = "</script><b title='\"'>")]
    field: String,
}

/// The shop, beside a service that means no good.
fn catalogue() -> Catalogue {
    let mallory = Service::new("mallory").publishes::<TrickPlayed>();
    let mallory = mallory.describe(
        "</script><img src=x onerror=alert(1)> <!-- <script> `{{script}}`\n\n\
         [a link](javascript:alert(2)) and [another](https://example.com/?a=1&b=\"2\")\n\n\
         Ünïcödé 漢字 🦀 \u{2028} \u{202e}back",
    );
    let shop = shop::catalogue().service(mallory).example(TrickPlayed {
        field: "</script><script>alert(4)</script>".to_owned(),
    });
    shipping::add_to(shop)
}

#[tokio::test]
async fn people_find_their_way_in_a_browser() {
    let tools = Tools::node();
    let browser = chromium::program().unwrap_or_else(|error| panic!("{error}"));
    // They stay, to be looked at.
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalogue-page");
    fs::create_dir_all(&shots).unwrap();
    let file = shots.join("catalogue.html");
    let dates = BTreeMap::from([(
        "shipping.shipment.sent/2.0.json".to_owned(),
        "2026-11-30".to_owned(),
    )]);
    fs::write(&file, page::render_dated(&catalogue(), None, &dates)).unwrap();

    let arguments = [browser.path(), &file, &shots];
    let answer: Completion = tools.run("node/page.js", &arguments).await;
    assert!(answer.checks.len() > 10, "{answer:?}");
    for shot in &answer.shots {
        let bytes = fs::read(shot).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{}", shot.display());
    }
}

#[test]
fn the_page_is_the_same_each_time() {
    let once = page::render(&shop::catalogue(), None);
    assert_eq!(once, page::render(&shop::catalogue(), None));
}
