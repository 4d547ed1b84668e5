use super::*;
use crate::report::sample;
use crate::report::text::is_hidden;

#[test]
fn hostile_strings_stay_text_and_nothing_is_loaded() {
    let page = html(&sample::hostile(), Path::new("reports"));
    assert!(!page.contains("<img"), "markup of the target's");
    assert!(!page.contains(|c: char| c != '\n' && is_hidden(c)));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("default-src 'none'"));
    let markup = page.replace(STYLE, "").replace(SCRIPT, "");
    for tag in markup.split('<').skip(1).filter_map(|t| t.split('>').next()) {
        // Names of attributes only: values are quoted, and quotes in them are entities.
        let names: String = tag.split('"').step_by(2).collect();
        for loading in [" src=", " style=", " onclick=", " onerror=", " srcset="] {
            assert!(!names.contains(loading), "{tag}");
        }
        let name = names.split(' ').next().unwrap();
        assert!(!["link", "img", "iframe", "object", "embed", "base"].contains(&name), "{tag}");
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn every_link_inside_the_page_has_an_end() {
    for summary in [sample::hostile(), sample::clean(), sample::killed(), sample::large(200)] {
        let page = html(&summary, Path::new("reports"));
        for part in page.split("href=\"#").skip(1) {
            let id = part.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id stands twice");
    }
}

#[test]
fn each_finding_and_rule_can_be_linked_to() {
    let summary = sample::hostile();
    let page = html(&summary, Path::new("reports"));
    for (finding, _) in &summary.findings {
        assert!(page.contains(&format!("id=\"finding-{}\"", finding.id)), "{}", finding.id);
    }
    for rule in summary.rules_shown() {
        assert!(page.contains(&format!("id=\"rule-{}\"", rule.rule.id)));
    }
}

#[test]
fn a_thousand_findings_stay_small() {
    let page = html(&sample::large(1000), Path::new("reports"));
    assert!(page.len() < 2_000_000, "{}", page.len());
    for id in 0..1000 {
        assert!(page.contains(&format!("id=\"finding-{id:08x}\"")), "{id}");
    }
}

#[test]
fn the_policy_names_the_style_and_the_script() {
    // The example of Content Security Policy Level 3, section 2.3.1's source expressions.
    let head = crate::report::page::head("a page", "", Some("alert('Hello, world.');"));
    let named = "script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';";
    assert!(head.into_string().replace("&#39;", "'").contains(named));
}
