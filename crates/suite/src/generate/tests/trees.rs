//! Trees of values shrink to the smallest batch that still fails.

use super::*;

/// Shrinks as proptest does; gives the smallest failing batch and how many requests that took.
fn shrink(
    generator: &Generator,
    shape: &Shape,
    fails: impl Fn(&[Draft]) -> bool,
) -> (Vec<Draft>, usize) {
    let seed = (0..1000).find(|s| fails(&generator.batch(*s, shape))).unwrap();
    let mut tree = generator.tree(seed, shape);
    let mut requests = 0;
    let mut more = tree.simplify();
    while more {
        requests += 1;
        let current = tree.current();
        for draft in &current {
            assert!(
                matches!(validity(generator, draft).expected_outcome(), ExpectedOutcome::Accept(_)),
                "{draft:?}"
            );
        }
        more = if fails(&current) { tree.simplify() } else { tree.complicate() };
    }
    assert!(fails(&tree.current()));
    assert!(!tree.simplify() && !tree.complicate());
    (tree.current(), requests)
}

#[test]
fn trees_shrink_to_the_fault() {
    let generator = shipped();
    let plain = Shape { items: 2..=50, style: Style::Plain };
    let (batch, requests) = shrink(&generator, &plain, |b| !b.is_empty());
    assert_eq!(batch.len(), 2);
    assert!(batch.iter().all(|d| d.fields.len() == 4), "{batch:?}");
    assert_eq!(batch[0].fields["value"], 0);
    assert!(requests < 30, "{requests}");

    let with = |b: &[Draft]| b.iter().any(|d| d.fields.contains_key("businessUnit"));
    let (batch, _) = shrink(&generator, &plain, with);
    assert_eq!(batch.iter().map(|d| d.fields.len()).sum::<usize>(), 9);

    let negatives = |b: &[Draft]| {
        b.iter().filter(|d| d.fields["value"].as_f64().is_some_and(|v| v < 0.0)).count() > 2
    };
    let boundary = Shape { items: 1..=40, style: Style::Boundary };
    let (batch, requests) = shrink(&generator, &boundary, negatives);
    assert_eq!(batch.len(), 3);
    assert!(requests < 300, "{requests}");

    let unusual = Shape { items: 1..=30, style: Style::Unusual };
    let emoji = |b: &[Draft]| {
        let in_number = |d: &Draft| match &d.number {
            NumberShape::Decorated { before, after } => {
                format!("{before}{after}").contains('\u{1f600}')
            }
            _ => false,
        };
        b.iter().any(in_number)
    };
    let (batch, _) = shrink(&generator, &unusual, emoji);
    assert_eq!(batch.len(), 1, "{batch:#?}");
    let NumberShape::Decorated { before, after } = &batch[0].number else { panic!("{batch:?}") };
    assert_eq!(format!("{before}{after}"), "\u{1f600}");

    let long = |b: &[Draft]| {
        b.iter().any(|d| d.fields["accountExtId"].as_str().is_some_and(|t| t.len() > 100))
    };
    let (batch, _) = shrink(&generator, &boundary, long);
    assert!(batch[0].fields["accountExtId"].as_str().unwrap().len() <= 110);
}

#[test]
fn a_strategy_draws_from_its_runner() {
    use proptest::strategy::Strategy as _;
    use proptest::test_runner::TestRunner;
    let generator = shipped();
    let batches = generator.batches(Shape { items: 1..=5, style: Style::Plain });
    let draw = || {
        let mut runner = TestRunner::deterministic();
        (0..5).map(|_| batches.new_tree(&mut runner).unwrap().current()).collect::<Vec<_>>()
    };
    let drawn = draw();
    assert_eq!(drawn, draw());
    assert_ne!(drawn[0], drawn[1]);
    let failure = TestRunner::deterministic().run(&batches, |b| {
        proptest::prop_assert!(b.len() < 3);
        Ok(())
    });
    let Err(proptest::test_runner::TestError::Fail(_, batch)) = failure else {
        panic!("no failure")
    };
    assert_eq!(batch.len(), 3);
}
