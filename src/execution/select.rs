//! Resolves what cases name: rules, mutations, files. Nothing is sent before all of it is known.

use std::collections::HashMap;

use crate::case::{BatchSpec, Bound, Case, Expect, Generate, Named, Step, bind};
use crate::check::{Rule, rules};
use crate::contract::FileError;
use crate::generate::{Generator, Mutation};

/// A case with all its names resolved.
#[derive(Clone)]
pub struct SelectedCase {
    /// The case.
    pub case: Case,
    /// The rule that its expectations are judged under.
    pub rule: &'static Rule,
    /// The mutations of its generated batches, in turns.
    pub mutations: Vec<Mutation>,
    /// Why it can't run under this contract or profile, where it can't.
    pub not_applicable: Option<String>,
    /// What is to be known of it beside its results.
    pub notes: Vec<String>,
    /// What its file says that is allowed, and may be a slip.
    pub warnings: Vec<FileError>,
}

/// Resolves `cases`.
///
/// # Errors
/// A [`FileError`] with file, line and column for a name that means nothing.
pub fn select(cases: Vec<Case>, generator: &Generator) -> Result<Vec<SelectedCase>, FileError> {
    cases
        .into_iter()
        .map(|case| {
            // Names keep the lines of the text that a case was read from: of what was written out, not of the file.
            let place = case.lines.is_some().then(|| case.clone());
            let located = |problem: FileError| match &place {
                Some(case) => case.locate(problem),
                None => problem,
            };
            let mut selected = resolve(case, generator).map_err(&located)?;
            selected.warnings = selected.warnings.into_iter().map(located).collect();
            Ok(selected)
        })
        .collect()
}

fn resolve(case: Case, generator: &Generator) -> Result<SelectedCase, FileError> {
    let bound = bind(case, generator.contract(), generator.profile())?;
    let Bound { case, mut not_applicable, mut notes, warnings } = bound;
    notes.extend(literal_keys(&case, &generator.contract().batch.unique));
    let rule = match &case.spec.asserts {
        Some(named) => find_rule(&case, named)?,
        None => rules::of_user_cases(),
    };
    check_expect(&case, case.spec.expect.as_ref())?;
    let contract = generator.contract();
    if not_applicable.is_none() {
        not_applicable = rules::why_not(contract, rule.id).map(str::to_owned);
    }
    if not_applicable.is_none() && case.spec.read_back.is_some() && contract.read.is_none() {
        let reason = "the contract names no request that shows one item (read)";
        not_applicable = Some(reason.to_owned());
    }
    let is_giant = case.spec.generate.as_ref().is_some_and(|g| g.items.high > Generate::STREAMED);
    if is_giant && (contract.shape.is_some() || !contract.batch.is_whole()) {
        let reason = "batches that are never whole in memory need the plain shape of a contract";
        not_applicable = Some(reason.to_owned());
    }
    let mut mutations = Vec::new();
    if let Some(mutate) = &case.spec.mutate {
        let mut lists = Vec::new();
        for named in &mutate.by {
            lists.push(spread(find_mutations(&case, named, generator)?));
        }
        // One of each name in turn, so that a few runs meet all of them.
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        for nth in 0..longest {
            mutations.extend(lists.iter().filter_map(|l| l.get(nth)).map(|m| (*m).clone()));
        }
        if mutations.is_empty() {
            not_applicable =
                Some("the contract has nothing that its mutations could change".to_owned());
        }
    }
    for step in case.spec.steps.iter().flatten() {
        if check_step(&case, step, generator)? && not_applicable.is_none() {
            not_applicable =
                Some("the contract has nothing that its mutations could change".to_owned());
        }
    }
    Ok(SelectedCase { case, rule, mutations, not_applicable, notes, warnings })
}

/// The same mutations, each next one of the place and the class that came least often before it: the first few meet
/// every place and every class.
fn spread(list: &[Mutation]) -> Vec<&Mutation> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut classes: HashMap<&str, usize> = HashMap::new();
    let mut left: Vec<&Mutation> = list.iter().collect();
    let mut spread = Vec::with_capacity(left.len());
    loop {
        let times = |m: &Mutation| -> usize {
            places.get(m.pointer.as_str()).copied().unwrap_or(0)
                + classes.get(m.class.as_str()).copied().unwrap_or(0)
        };
        let next = left.iter().enumerate().min_by_key(|(_, m)| times(m)).map(|(at, _)| at);
        let Some(next) = next else { return spread };
        let mutation = left.remove(next);
        *places.entry(mutation.pointer.as_str()).or_default() += 1;
        *classes.entry(mutation.class.as_str()).or_default() += 1;
        spread.push(mutation);
    }
}

/// Says which steps send keys that are written in a file: an earlier run may have used them.
fn literal_keys(case: &Case, unique: &str) -> Option<String> {
    case.dir.as_ref()?;
    let sends = |step: &Step| {
        let items = match &step.batch {
            Some(BatchSpec::Items(items)) => items.as_slice(),
            _ => &[],
        };
        let is_literal =
            |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.contains("${"));
        let text = [&step.body, &step.raw].into_iter().flatten().any(|t| has_literal(t, unique));
        step.batch_from.is_some() && !step.fresh_keys
            || text
            || items.iter().any(|item| item.set.get(unique).is_some_and(is_literal))
    };
    let mut steps = case.spec.steps.iter().flatten().enumerate();
    let (at, step) =
        steps.find(|(_, step)| sends(step) || step.simultaneously.iter().flatten().any(sends))?;
    let fresh = if step.batch_from.is_some() {
        "`fresh-keys: true` beside `batch-from` makes them fresh"
    } else {
        "`${fresh}` and `${key:NAME}` make fresh ones"
    };
    Some(format!(
        "step {} sends keys as they are written: one that an earlier run has used is rejected, which is not judged; {fresh}",
        at + 1
    ))
}

/// Whether a body gives the unique field a text that is no template.
fn has_literal(body: &str, unique: &str) -> bool {
    let name = serde_json::Value::from(unique).to_string();
    body.split(name.as_str()).skip(1).any(|rest| {
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        let text = value.and_then(|v| v.strip_prefix('"')).and_then(|v| v.split('"').next());
        text.is_some_and(|text| !text.contains("${"))
    })
}

fn find_rule(case: &Case, named: &Named) -> Result<&'static Rule, FileError> {
    rules::find(&named.name).ok_or_else(|| {
        FileError::new(&*case.file, format!("there is no rule `{}`", named.name))
            .at(named.line, named.column)
            .expected("a rule of `batchproof list --rules`")
            .nearest(&named.name, rules::all().iter().map(|r| r.id))
    })
}

fn find_mutations<'a>(
    case: &Case,
    named: &Named,
    generator: &'a Generator,
) -> Result<&'a [Mutation], FileError> {
    let known = Generator::names().iter().map(|(name, _)| *name);
    generator.mutations(&named.name).ok_or_else(|| {
        FileError::new(&*case.file, format!("there is no mutation `{}`", named.name))
            .at(named.line, named.column)
            .expected("a mutation of `batchproof list --mutations`")
            .nearest(&named.name, known)
    })
}

fn check_expect(case: &Case, expect: Option<&Expect>) -> Result<(), FileError> {
    match expect.and_then(|e| e.asserts.as_ref()) {
        Some(named) => find_rule(case, named).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether a mutation of the step has nothing to change.
fn check_step(case: &Case, step: &Step, generator: &Generator) -> Result<bool, FileError> {
    check_expect(case, step.expect.as_ref())?;
    let mut changes_nothing = false;
    if let Some(BatchSpec::Items(items)) = &step.batch {
        for named in items.iter().filter_map(|i| i.mutate.as_ref()) {
            changes_nothing |= find_mutations(case, named, generator)?.is_empty();
        }
    }
    for inner in step.simultaneously.iter().flatten() {
        changes_nothing |= check_step(case, inner, generator)?;
    }
    Ok(changes_nothing)
}
