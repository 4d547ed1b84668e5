//! Resolves what cases name: rules, mutations, files. Nothing is sent before all of it is known.

use crate::case::{BatchSpec, Bound, Case, Expect, Named, Step, bind};
use crate::check::{Rule, rules};
use crate::contract::FileError;
use crate::generate::{Generator, Mutation};

use crate::compose;

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
}

/// Resolves `cases`.
///
/// # Errors
/// A [`FileError`] with file, line and column for a name that means nothing.
pub fn select(cases: Vec<Case>, generator: &Generator) -> Result<Vec<SelectedCase>, FileError> {
    cases.into_iter().map(|case| resolve(case, generator)).collect()
}

fn resolve(case: Case, generator: &Generator) -> Result<SelectedCase, FileError> {
    let Bound { case, mut not_applicable } = bind(case, generator.contract(), generator.profile())?;
    let rule = match &case.spec.asserts {
        Some(named) => find_rule(&case, named)?,
        None => rules::of_user_cases(),
    };
    check_expect(&case, case.spec.expect.as_ref())?;
    let mut mutations = Vec::new();
    if let Some(mutate) = &case.spec.mutate {
        let mut lists = Vec::new();
        for named in &mutate.by {
            lists.push(find_mutations(&case, named, generator)?);
        }
        // One of each name in turn, so that a few runs meet all of them.
        let longest = lists.iter().map(|l| l.len()).max().unwrap_or(0);
        for nth in 0..longest {
            mutations.extend(lists.iter().filter_map(|l| l.get(nth)).cloned());
        }
        if mutations.is_empty() {
            not_applicable =
                Some("the contract has nothing that its mutations could change".to_owned());
        }
    }
    for step in case.spec.steps.iter().flatten() {
        check_step(&case, step, generator)?;
    }
    Ok(SelectedCase { case, rule, mutations, not_applicable })
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

fn check_step(case: &Case, step: &Step, generator: &Generator) -> Result<(), FileError> {
    check_expect(case, step.expect.as_ref())?;
    if let Some(file) = &step.batch_from {
        compose::check_batch_file(case, file, step.fresh_keys)?;
    }
    if let Some(BatchSpec::Items(items)) = &step.batch {
        for named in items.iter().filter_map(|i| i.mutate.as_ref()) {
            find_mutations(case, named, generator)?;
        }
    }
    step.simultaneously.iter().flatten().try_for_each(|s| check_step(case, s, generator))
}
