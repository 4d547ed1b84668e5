//! Proofs over whole contracts: drawn items are valid, mutations keep what their names promise.

use super::*;
use crate::contract::Level;
use crate::contract::standing::{BodyStanding, Standing};
use serde_json::json;

fn shipped() -> Generator {
    Generator::new(Arc::new(Contract::shipped().unwrap()), &Profile::default()).unwrap()
}

fn item_of(generator: &Generator, draft: &Draft) -> Value {
    draft.with_number(generator.contract(), item::specimen(&draft.number))
}

/// The standing of an item as a server reads it: raw text too.
fn standing(generator: &Generator, draft: &Draft) -> Standing {
    let contract = generator.contract();
    if !draft.needs_text() {
        return contract.judge_item(&item_of(generator, draft));
    }
    let text = draft.text(contract, item::specimen(&draft.number).as_ref());
    let body = format!("{{\"{}\":[{text}]}}", contract.batch.items);
    match contract.judge_body(body.as_bytes()) {
        BodyStanding::Items { mut items, trailing: None } => items.remove(0).1,
        BodyStanding::Open(edge) => Standing { open: vec![edge], ..Standing::default() },
        other => panic!("{other:?}: {text}"),
    }
}

fn check_items(generator: &Generator) {
    for style in [Style::Plain, Style::Boundary, Style::Unusual] {
        for seed in 0..300 {
            let shape = Shape { items: 1..=10, style };
            let batch = generator.batch(seed, &shape);
            assert_eq!(batch, generator.batch(seed, &shape));
            assert!(shape.items.contains(&batch.len()));
            for draft in batch {
                let item = item_of(generator, &draft);
                assert!(generator.contract().item_validator().is_valid(&item), "{style:?} {item}");
                let due = standing(generator, &draft).due();
                let may = matches!(due, Due::Accept(Level::Must))
                    || style == Style::Unusual && matches!(due, Due::Accept(_));
                assert!(may, "{style:?} {due:?} {item}");
            }
        }
    }
}

fn check_mutations(generator: &Generator) {
    for (name, _) in Generator::names() {
        for mutation in generator.mutations(name).unwrap() {
            for seed in 0..3 {
                let mut draft = generator.item(seed, Optional::Drawn);
                let mutated = mutation.apply(&mut draft);
                assert_eq!(mutated.name, *name);
                let standing = standing(generator, &draft);
                let due = standing.due();
                let kept = match mutation.promise() {
                    Promise::Accept => matches!(due, Due::Accept(_)),
                    Promise::Refuse => matches!(due, Due::Refuse(_)),
                    Promise::Open => due == Due::Open,
                };
                assert!(kept, "{mutation:#?} gives {due:?}, {standing:#?}");
                if mutation.promise() == Promise::Refuse {
                    let exact = standing
                        .causes
                        .iter()
                        .any(|c| c.pointer == mutated.pointer && c.keyword == mutated.keyword);
                    assert!(exact, "{mutation:#?}: {:#?}", standing.causes);
                }
            }
        }
    }
}

#[test]
fn items_of_the_shipped_contract_are_valid() {
    check_items(&shipped());
}

#[test]
fn mutations_of_the_shipped_contract_keep_their_promise() {
    let generator = shipped();
    check_mutations(&generator);
    for (name, _) in Generator::names() {
        println!("{name}: {}", generator.mutations(name).unwrap().len());
    }
    let _ = json!(null);
}
