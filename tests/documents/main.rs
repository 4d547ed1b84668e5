//! Documents as they are: every version of OpenAPI, files beside each other, schemas of every form; and `sample`, which
//! shows what is drawn from them.
//!
//! `JSON_SCHEMA_TEST_SUITE` names the directory of the public test suite of JSON Schema; without it that trial is shown as
//! ignored.

#[path = "../harness/mod.rs"]
mod harness;

mod dialects;
mod samples;
mod suite;

use libtest_mimic::{Arguments, Trial};

type Test = fn();

const TRIALS: &[(&str, Test)] = &[
    (
        "dialects::every_version_of_openapi_says_the_same",
        dialects::every_version_of_openapi_says_the_same,
    ),
    ("dialects::references_lead_to_files_and_names", dialects::references_lead_to_files_and_names),
    (
        "dialects::what_is_on_another_host_is_not_fetched",
        dialects::what_is_on_another_host_is_not_fetched,
    ),
    ("dialects::items_may_be_of_several_kinds", dialects::items_may_be_of_several_kinds),
    (
        "samples::values_are_valid_and_mutations_are_not",
        samples::values_are_valid_and_mutations_are_not,
    ),
    ("samples::what_nothing_satisfies_is_named", samples::what_nothing_satisfies_is_named),
    ("samples::a_case_shows_its_requests", samples::a_case_shows_its_requests),
];

fn main() {
    let suite = suite::installed();
    if suite.is_none() {
        println!("JSON_SCHEMA_TEST_SUITE is not set: the public suite of JSON Schema is left out");
    }
    let mut trials: Vec<Trial> = TRIALS
        .iter()
        .map(|(name, test)| {
            let test = *test;
            Trial::test(*name, move || {
                test();
                Ok(())
            })
        })
        .collect();
    let run = || {
        suite::almost_everything_can_be_drawn();
        Ok(())
    };
    trials.push(
        Trial::test("suite::almost_everything_can_be_drawn", run)
            .with_ignored_flag(suite.is_none()),
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
