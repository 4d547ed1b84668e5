//! Mutations of the values that a schema lists or bounds: enum, const, pattern, ranges, steps, arrays.

use serde_json::{Value, json};

use super::site::SchemaSite;
use super::{Catalogue, Change, KeyShape};
use crate::generate::plan::numbers::{to_float, to_whole};

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        listed(catalogue, &site);
        pattern(catalogue, &site);
        if site.is_number() {
            range(catalogue, &site);
            step(catalogue, &site);
        }
        if site.flat.types() == ["array"] {
            array(catalogue, &site);
        }
    }
}

fn listed(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let (keyword, values) = match (site.flat.keywords.get("const"), site.flat.list("enum")) {
        (Some(value), _) => ("const", vec![value.clone()]),
        (None, Some(values)) => ("enum", values.to_vec()),
        (None, None) => return,
    };
    for value in values.iter().take(2) {
        match value {
            Value::String(text) => {
                let half: String = text.chars().take(text.chars().count() / 2).collect();
                for (class, other) in [
                    ("in lower case", text.to_lowercase()),
                    ("in upper case", text.to_uppercase()),
                    ("with a space behind", format!("{text} ")),
                    ("with a space before", format!(" {text}")),
                    ("cut in half", half),
                    ("doubled", format!("{text}{text}")),
                ] {
                    catalogue.add(
                        "break-enum",
                        site,
                        keyword,
                        &format!("{text} {class}"),
                        json!(other),
                    );
                }
            }
            Value::Number(number) => {
                let next = number.as_i64().map_or(json!(0.5), |n| json!(n.wrapping_add(1)));
                catalogue.add("break-enum", site, keyword, "the next number", next);
            }
            _ => {}
        }
    }
    let text = values.iter().any(Value::is_string);
    if text {
        catalogue.add("break-enum", site, keyword, "empty", json!(""));
        catalogue.add("break-enum", site, keyword, "another word", json!("batchproof-other"));
    }
}

fn pattern(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    if !site.is_text() || site.flat.text("pattern").is_none() {
        return;
    }
    if site.unique {
        for (class, before, after) in
            [("something before it", "!", ""), ("something behind it", "", "!")]
        {
            let shape = KeyShape::Decorated { before: before.to_owned(), after: after.to_owned() };
            catalogue.add_change("break-pattern", site, "pattern", class, Change::Number(shape));
        }
        return;
    }
    let usual = site.usual.as_str().unwrap_or_default();
    let shorter: String = usual.chars().skip(1).collect();
    for (class, text) in [
        ("empty", String::new()),
        ("foreign", "!\u{e9}!".to_owned()),
        ("something before it", format!("!{usual}")),
        ("something behind it", format!("{usual}!")),
        ("a line behind it", format!("{usual}\nx")),
        ("in lower case", usual.to_lowercase()),
        ("in upper case", usual.to_uppercase()),
        ("first character missing", shorter),
        (
            "digits of another script",
            usual.chars().map(|c| if c.is_ascii_digit() { '\u{663}' } else { c }).collect(),
        ),
    ] {
        catalogue.add("break-pattern", site, "pattern", class, Value::String(text));
    }
}

/// Which bound, where it stands, and which way is out.
fn range(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let magnitude = catalogue.limits().magnitude;
    for (keyword, outward, exclusive) in [
        ("minimum", -1.0, false),
        ("exclusiveMinimum", -1.0, true),
        ("maximum", 1.0, false),
        ("exclusiveMaximum", 1.0, true),
    ] {
        let Some(bound) = site.flat.number(keyword) else { continue };
        let step = site.flat.number("multipleOf").filter(|s| *s > 0.0);
        let smallest = step.unwrap_or(if site.is_whole() { 1.0 } else { 0.01 });
        // Beyond 2^53 the next double is further away than one.
        let unit = smallest.max(bound.abs() * 4.0 * f64::EPSILON);
        let out = number(bound + outward * unit, site.is_whole());
        let inside = number(bound - outward * unit, site.is_whole());
        let at = site.flat.keywords.get(keyword).cloned().unwrap_or_else(|| json!(bound));
        let near = bound.abs() + unit < magnitude;
        if exclusive {
            catalogue.add("out-of-range", site, keyword, "at the excluded bound", at);
        } else if near {
            catalogue.add("at-bound", site, keyword, "at the bound", at);
        }
        catalogue.add("out-of-range", site, keyword, "just outside", out);
        let far = bound + outward * (bound.abs() + 1000.0);
        catalogue.add("out-of-range", site, keyword, "far outside", number(far, site.is_whole()));
        if near {
            catalogue.add("at-bound", site, keyword, "just inside", inside);
        }
    }
}

fn step(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let Some(step) = site.flat.number("multipleOf").filter(|s| *s > 0.0) else { return };
    let usual = site.usual.as_f64().unwrap_or(0.0);
    let whole = site.is_whole();
    for (class, other) in [
        ("half a step further", usual + step / 2.0),
        ("one further", usual + 1.0),
        ("one less", usual - 1.0),
        ("a thousandth of a step further", usual + step / 1000.0),
    ] {
        if !whole || other.fract() == 0.0 {
            catalogue.add("break-multiple", site, "multipleOf", class, number(other, whole));
        }
    }
}

/// Without the noise of binary fractions: six digits are more than any step here has.
fn number(value: f64, whole: bool) -> Value {
    if (whole || value.fract() == 0.0)
        && value.abs() < 9.0e15
        && let Some(exact) = to_whole(value)
    {
        return json!(exact);
    }
    if value.abs() < 1.0e9
        && let Some(units) = to_whole((value * 1.0e6).round())
    {
        return json!(to_float(units) / 1.0e6);
    }
    json!(value)
}

fn array(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let Value::Array(usual) = &site.usual else { return };
    let element = usual.first().cloned().unwrap_or_else(|| json!("x"));
    if let Some(max) = site.flat.count("maxItems") {
        for (class, length) in [("one too many", max + 1), ("far too many", max + 1000)] {
            let list = vec![element.clone(); length];
            catalogue.add("too-many-items", site, "maxItems", class, Value::Array(list));
        }
        if let Some(list) = of_length(catalogue, site, max) {
            catalogue.add("at-array-bound", site, "maxItems", "at the bound", list);
        }
    }
    if let Some(min) = site.flat.count("minItems").filter(|m| *m > 0) {
        let list: Vec<Value> = usual.iter().take(min - 1).cloned().collect();
        catalogue.add("too-few-items", site, "minItems", "one too few", Value::Array(list));
        if let Some(list) = of_length(catalogue, site, min) {
            catalogue.add("at-array-bound", site, "minItems", "at the bound", list);
        }
    }
    if site.flat.keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
        let mut list = usual.clone();
        list.insert(0, element.clone());
        list.push(element);
        catalogue.add(
            "repeat-element",
            site,
            "uniqueItems",
            "an element again",
            Value::Array(list),
        );
    }
}

/// A valid array of exactly that length.
fn of_length(catalogue: &Catalogue<'_>, site: &SchemaSite, length: usize) -> Option<Value> {
    let exactly = json!({ "minItems": length, "maxItems": length });
    let schema = json!({ "allOf": [Value::Object(site.flat.keywords.clone()), exactly] });
    Some(catalogue.compiler().plan(&site.pointer, &schema).ok()?.simplest())
}
