use super::*;
use crate::report::sample;

fn page(summary: &Summary, colour: bool, width: usize) -> String {
    terminal(summary, TerminalStyle { colour, width }, Path::new("reports"))
}

#[test]
fn the_conclusion_comes_first_and_everything_else_follows() {
    let text = page(&sample::hostile(), false, 100);
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "NONCONFORMANT  https://staging.example.com  4 problems (3 MUST, 1 SHOULD), 1 unconfirmed, 1 waived"
    );
    assert_eq!(text.lines().nth(1).unwrap().trim(), "93 of 100 rules tested");
    for part in [
        "order/permute, order/large",
        "by the response itself; seen 17 times in 2 cases (order/permute, order/large)",
        "3 of 3 repeats; seen 2 times in 1 case (unique/twice)",
        "SHOULD (waived)  CODE-004",
        "MUST (unconfirmed)  STATUS-003",
        "INTERPRETATION-06",
        "→ 200 in 12 ms",
        "RACE is skipped: shared staging, agreed with operations",
        "1,342 accepted items on the target (keys start with bptest-261122-x7k2mq-)",
        "seed 4242424242",
        "batchproof explain",
        "batchproof run order/permute --seed 4242424242",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn hostile_strings_are_spelled_out_and_no_width_panics() {
    for summary in [sample::hostile(), sample::clean(), sample::killed(), sample::large(60)] {
        for width in [0, 1, 40, 60, 80, 100, 200] {
            let text = page(&summary, false, width);
            let hidden = |c: char| c != '\n' && super::super::text::is_hidden(c);
            assert!(!text.contains(hidden), "{text}");
            assert!(!page(&summary, true, width).contains('\u{202e}'));
        }
    }
}

#[test]
fn lines_keep_to_the_width() {
    for width in [60, 80, 100, 120] {
        for line in page(&sample::hostile(), false, width).lines() {
            let pasted = ["curl ", "printf ", "N=", "             batchproof run "]
                .iter()
                .any(|p| line.starts_with(p));
            assert!(pasted || super::super::text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn many_causes_are_counted_by_rule() {
    let text = page(&sample::large(60), false, 100);
    assert!(text.contains("40 more problems in reports/report.html"), "{text}");
}

#[test]
fn an_inconclusive_run_says_why() {
    let text = page(&sample::killed(), false, 100);
    assert!(text.starts_with("INCONCLUSIVE"), "{text}");
    assert!(text.contains("the run was killed before its end"));
}
