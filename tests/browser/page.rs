//! What a reader may rely on.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::chromium::Page;
use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, files};

/// What a hostile target says of itself.
const HOSTILE: &str = "</pre></script><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

/// The report of a run against a server that says hostile things and errs in several ways.
static REPORT: LazyLock<(Desk, PathBuf)> = LazyLock::new(|| {
    let desk = Desk::new();
    let hand = Hand::start(|heard| {
        let further = json!({ "errorCode": HOSTILE, "businessUnit": HOSTILE });
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &further);
        said.headers.push(("Cache-Control".to_owned(), "public, max-age=3600".to_owned()));
        said
    });
    let cases = ["accept/generated", "order/shuffled", "refuse/mandatory-field-missing"];
    let mut arguments = vec!["run", "--target", &hand.url, "--seed", "7", "--depth", "quick"];
    arguments.extend(cases);
    desk.with_token(&arguments, Some("demo")).ends(1);
    let report = desk.reports().join("report.html");
    assert!(files(&desk.reports()).iter().any(|(path, _)| *path == report));
    (desk, report)
});

fn page_at(anchor: &str) -> Page {
    let mut page = Page::open();
    page.resize(1280, 900);
    page.media("screen", "light");
    page.go(&REPORT.1, anchor);
    page
}

/// The ids of the entries that can be seen.
const SHOWN: &str =
    "[...document.querySelectorAll('details[data-level]')].filter(d => !d.hidden).map(d => d.id)";

fn count(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

/// A finding of that rule in the report.
fn finding_of(rule: &str) -> String {
    let found = REPORT.0.report()["findings"].as_array().unwrap().clone();
    let mine: Vec<&Value> = found.iter().filter(|f| f["rule"] == rule).collect();
    mine.last().expect("a finding of the rule")["id"].as_str().unwrap().to_owned()
}

pub fn it_renders_and_loads_nothing() {
    let mut page = page_at("");
    assert_eq!(page.value("document.querySelector('h1').textContent"), "Nonconformant");
    let report = REPORT.0.report();
    // What a user's own file expects is not a rule of the suite.
    let of_the_suite = |rule: &&Value| rule["id"] != "CASE-001";
    let rules = report["rules"].as_array().unwrap().iter().filter(of_the_suite).count();
    assert_eq!(page.value("document.querySelectorAll('.heat .cell').length"), rules);
    assert!(count(&page.value(SHOWN)) >= 3);
    // What counts stands on the first screen: conclusion, figures, the first causes, the map of rules.
    for what in ["h1", ".figures", "details[data-level]:nth-of-type(3) > summary", ".heat"] {
        let top = format!("document.querySelector('{what}').getBoundingClientRect().bottom");
        let bottom = page.value(&top).as_f64().unwrap();
        assert!(bottom > 0.0 && bottom <= 900.0, "{what} ends at {bottom}");
    }
    // Charts are drawn, not described.
    let charts =
        "[...document.querySelectorAll('.chart svg')].filter(s => s.getBBox().width > 100).length";
    assert!(page.value(charts).as_u64().unwrap() >= 2);
    assert!(page.told("Runtime.exceptionThrown").is_empty());
    assert!(page.told("Log.entryAdded").is_empty(), "{:?}", page.told("Log.entryAdded"));
    let requests = page.told("Network.requestWillBeSent");
    let loaded = |event: &&&Value| event["params"]["type"] != "Document";
    assert_eq!(requests.iter().filter(loaded).count(), 0);
}

pub fn hostile_strings_stay_text() {
    let mut page = page_at("");
    page.value("document.querySelectorAll('details').forEach(d => { d.open = true; })");
    assert!(page.value("document.title").as_str().unwrap().starts_with("nonconformant"));
    assert_eq!(page.value("document.images.length"), 0);
    assert_eq!(page.value("document.scripts.length"), 1);
    let text = page.value("document.body.innerText");
    assert!(text.as_str().unwrap().contains("<script>document.title='owned'</script>"));
    assert!(page.told("Log.entryAdded").is_empty());
}

pub fn findings_are_filtered_from_the_keyboard() {
    let mut page = page_at("");
    let all = count(&page.value(SHOWN));
    page.press("/");
    assert_eq!(page.value("document.activeElement.id"), "filter-text");
    page.type_in("code-002");
    let rules = "[...document.querySelectorAll('details[data-level]')].filter(d => !d.hidden)\
                 .every(d => d.querySelector('.title').textContent.startsWith('CODE-002'))";
    assert_eq!(page.value(rules), true);
    let left = count(&page.value(SHOWN));
    assert!(0 < left && left < all, "{left} of {all}");
    let told = page.value("document.getElementById('filter-shown').textContent");
    assert_eq!(told, format!("{left} of {all} shown"));
    page.type_in(" nothing has this");
    assert_eq!(count(&page.value(SHOWN)), 0);
    page.value("{ const t = document.getElementById('filter-text'); t.value = ''; t.dispatchEvent(new Event('input')); }");
    assert_eq!(count(&page.value(SHOWN)), all);
    page.value("{ const l = document.getElementById('filter-level'); l.value = 'SHOULD'; l.dispatchEvent(new Event('input')); }");
    let levels = "[...new Set([...document.querySelectorAll('details[data-level]')].filter(d => !d.hidden).map(d => d.dataset.level))].join()";
    assert_eq!(page.value(levels), "SHOULD");
}

pub fn links_open_what_they_point_to() {
    // The last of its cause: it stands inside the entry of another.
    let id = finding_of("CODE-002");
    let mut page = page_at(&format!("#finding-{id}"));
    let around = format!("document.getElementById('finding-{id}').closest('details').open");
    assert_eq!(page.value(&around), true);
    let top = format!("document.getElementById('finding-{id}').getBoundingClientRect().top");
    page.until(&format!("(t => t >= 0 && t < 900)({top})"));
    // From a cell of the map to the rule's text.
    page.value("document.querySelector('.heat a[href=\"#rule-ORDER-002\"]').click()");
    page.until("document.getElementById('rule-ORDER-002').open");
}

pub fn the_keyboard_reaches_and_opens_a_finding() {
    let mut page = page_at("");
    page.press("Tab");
    assert_eq!(page.value("document.activeElement.className"), "skip");
    for _ in 0..40 {
        if page.value("document.activeElement.matches('details[data-level] > summary')") == true {
            break;
        }
        page.press("Tab");
    }
    let open = "document.activeElement.parentElement.open";
    assert_eq!(page.value(open), false);
    let outlined = "getComputedStyle(document.activeElement).outlineStyle";
    assert_ne!(page.value(outlined), "none", "where the focus is can be seen");
    page.press("Enter");
    assert_eq!(page.value(open), true);
}

pub fn without_javascript_all_is_there() {
    let mut page = Page::open();
    page.resize(1280, 900);
    page.without_javascript();
    page.go(&REPORT.1, "");
    // What needs a script does not show.
    let dead = "[...document.querySelectorAll('button, input, select')].filter(e => e.offsetParent).length";
    assert_eq!(page.value(dead), 0);
    // Entries open by themselves, and hold request, answer and command.
    let first = "document.querySelector('details[data-level]')";
    page.value(&format!("{first}.querySelector('summary').focus()"));
    if page.value(&format!("{first}.open")) == false {
        page.press("Enter");
    }
    assert_eq!(page.value(&format!("{first}.open")), true);
    let text = page.value(&format!("{first}.innerText"));
    let text = text.as_str().unwrap();
    for what in ["Expected", "Got", "POST ", "curl ", "batchproof replay"] {
        assert!(text.contains(what), "{what} in {text}");
    }
}

/// WCAG 2.2, 1.4.3: the least contrast between an element's text and what it stands on.
const CONTRAST: &str = "(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour, under) => {
    canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => {
    const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => e ? rgb(getComputedStyle(e).backgroundColor, ground(e.parentElement)) : [255, 255, 255];
  let least = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.closest('svg')) continue;
    const under = ground(e);
    const [a, b] = [light(rgb(getComputedStyle(e).color, under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least[0]) least = [ratio, e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 60)];
  }
  return least;
})()";

pub fn light_and_dark_can_be_read() {
    let mut page = page_at("");
    page.value("document.querySelectorAll('details[data-level]').forEach(d => { d.open = true; })");
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        page.media("screen", scheme);
        let least = page.value(CONTRAST);
        assert!(least[0].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
        grounds.push(page.value("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(grounds[0], grounds[1]);
    // The button overrules the system.
    page.value("document.getElementById('theme').click()");
    assert_eq!(page.value("getComputedStyle(document.body).backgroundColor"), grounds[0]);
}

pub fn nothing_sticks_out_of_a_narrow_screen() {
    let mut page = page_at("");
    page.value("document.querySelectorAll('details').forEach(d => { d.open = true; })");
    for width in [360, 400, 768, 1100, 1280] {
        page.resize(width, 800);
        let wide = page.value("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= u64::from(width), "{wide} of {width}");
        // Nor does a text stick out of its chart, or a line out of its frame.
        assert_eq!(page.value(OUTSIDE), "", "at {width}");
    }
}

/// Texts that stick out of their chart, and lines beside a request that have no room at their left.
const OUTSIDE: &str = "[...document.querySelectorAll('.chart svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1);
    });
}).concat([...document.querySelectorAll('.side > *')].filter(line => {
    const text = document.createRange();
    text.selectNodeContents(line);
    const box = text.getBoundingClientRect(), side = line.parentElement.getBoundingClientRect();
    return box.width > 0 && line.matches('p, .heads, .line') && box.left < side.left + 8;
})).map(element => element.textContent).join(' | ')";

pub fn what_is_printed_can_be_read() {
    let mut page = page_at("");
    page.media("print", "dark");
    let buttons = "[...document.querySelectorAll('button, input, select')].filter(e => e.offsetParent).length";
    assert_eq!(page.value(buttons), 0);
    // Paper is white, whatever the screen is.
    let least = page.value(CONTRAST);
    assert!(least[0].as_f64().unwrap() >= 4.5, "{least}");
    assert_eq!(page.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
}
