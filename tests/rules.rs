//! What every rule promises: it is complete, it depends on rules that exist, and none is hidden by a weaker one.

use std::path::Path;

use batchproof::check::{By, Symptom, rules};

#[test]
fn every_rule_is_complete() {
    for rule in rules::all() {
        assert!(rule.doc.len() > 60, "{} says too little", rule.id);
        assert!(!rule.cite.is_empty(), "{} cites nothing", rule.id);
        let first = rule.title.chars().next().unwrap();
        assert!(!first.is_lowercase(), "{}: a title is a sentence", rule.id);
        let families = rules::FAMILIES.iter().filter(|(name, _)| *name == rule.family());
        assert_eq!(families.count(), 1, "{} is of no family", rule.id);
        let same = rules::all().iter().filter(|other| other.id == rule.id).count();
        assert_eq!(same, 1, "{} stands twice", rule.id);
    }
}

#[test]
fn no_rule_is_masked_by_one_of_a_lower_level() {
    for rule in rules::all() {
        for needed in rule.needs {
            let Some(other) = rules::find(needed) else {
                panic!("{} needs {needed}, which does not exist", rule.id)
            };
            assert!(other.level <= rule.level, "{} needs {needed}, of a lower level", rule.id);
            assert!(!rules::relies_on(other, rule.id), "{} and {needed} need each other", rule.id);
        }
        let symptoms = rules::all().iter().flat_map(|r| r.explains).filter_map(|e| e.symptom);
        for symptom in symptoms.chain([Symptom::OfItsOwn]) {
            for other in rules::explaining(rule, symptom) {
                assert!(other.level <= rule.level, "{} hides {}", other.id, rule.id);
            }
        }
    }
}

#[test]
fn rules_explain_rules_that_exist() {
    for rule in rules::all() {
        for explains in rule.explains {
            if let By::Rules(ids) = explains.by {
                for id in ids {
                    assert!(rules::find(id).is_some(), "{} explains the unknown {id}", rule.id);
                }
            }
        }
    }
}

/// Where rules may be named: the rules themselves, what a fault must and may fire, and tests.
fn may_name_rules(file: &str) -> bool {
    file.starts_with("crates/check/src/rules/")
        || file.starts_with("crates/server/src/faults/")
        || file.ends_with("/tests.rs")
        // The made-up run that report tests show.
        || file == "crates/report/src/report/sample.rs"
}

#[test]
fn no_other_code_names_a_rule() {
    let mut named = Vec::new();
    for root in ["src", "crates"] {
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &mut named);
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
}

fn look(directory: &Path, named: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let file = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
        if path.is_dir() {
            look(&path, named);
        } else if path.extension().is_some_and(|e| e == "rs") && !may_name_rules(&file) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (line, text) in code.lines().enumerate() {
                let quoted = |rule: &str| text.contains(&format!("\"{rule}\""));
                for rule in rules::all().iter().filter(|rule| quoted(rule.id)) {
                    named.push(format!("{file}:{}: {}", line + 1, rule.id));
                }
            }
        }
    }
}

#[test]
fn every_rule_has_a_fault_that_it_must_find_and_faults_name_known_rules() {
    use batchproof::server::faults;
    let mut provoked = std::collections::BTreeSet::new();
    for fault in faults::all() {
        for rule in fault.must.iter().chain(fault.may) {
            assert!(rules::find(rule).is_some(), "{} names the unknown {rule}", fault.name);
        }
        provoked.extend(fault.must.iter().copied());
    }
    let unprovoked: Vec<&str> = rules::all()
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !provoked.contains(id) && *id != rules::of_user_cases().id)
        .collect();
    assert!(unprovoked.is_empty(), "no fault must provoke {unprovoked:?}");
}
