//! `report.html` in a browser, as its reader meets it. Where no Chromium is installed the trials are shown as
//! ignored, each by its name.

#[path = "../harness/mod.rs"]
mod harness;

mod chromium;
mod page;

use libtest_mimic::{Arguments, Trial};

type Test = fn();

const TRIALS: &[(&str, Test)] = &[
    ("it_renders_and_loads_nothing", page::it_renders_and_loads_nothing),
    ("hostile_strings_stay_text", page::hostile_strings_stay_text),
    ("findings_are_filtered_from_the_keyboard", page::findings_are_filtered_from_the_keyboard),
    ("links_open_what_they_point_to", page::links_open_what_they_point_to),
    ("the_keyboard_reaches_and_opens_a_finding", page::the_keyboard_reaches_and_opens_a_finding),
    ("without_javascript_all_is_there", page::without_javascript_all_is_there),
    ("light_and_dark_can_be_read", page::light_and_dark_can_be_read),
    ("nothing_sticks_out_of_a_narrow_screen", page::nothing_sticks_out_of_a_narrow_screen),
    ("what_is_printed_can_be_read", page::what_is_printed_can_be_read),
];

fn main() {
    let browser = chromium::installed().is_some();
    if !browser {
        println!("no Chromium on the PATH: report.html is not looked at in a browser");
    }
    let trial = |(name, test): &(&str, Test)| {
        let test = *test;
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(!browser)
    };
    libtest_mimic::run(&Arguments::from_args(), TRIALS.iter().map(trial).collect()).exit();
}
