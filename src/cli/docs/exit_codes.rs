//! The exit codes of every command.

use super::Page;
use crate::cli::USAGE;
use crate::record::Conclusion;

pub(super) fn page() -> Page {
    let [good, bad, open] =
        [Conclusion::Conformant, Conclusion::NonConformant, Conclusion::Inconclusive];
    let text = format!(
        "# Exit codes

## `run`

| exit | conclusion | when |
|--:|---|---|
| {} | {good} | nothing below; waived and SHOULD findings are shown |
| {} | {bad} | a confirmed MUST finding that is not [waived](../guides/waivers.md), also when the run was cut short; with `--strict`, a SHOULD finding or a stale waiver too |
| {USAGE} | – | wrong usage, or a case, profile, waivers or contract file that can't be used: file, line, what was expected. Nothing was sent |
| {} | {open} | no such finding, but: the target could not be reached or refused the credentials, all plain items were refused, a rule errored, a MUST rule was not tested (always masked, or never a response), over 1 % of executions got no response, the run was cut short, or no case ran |

With `--against OLD`, the exit code is that of the [comparison](../guides/comparing.md): {} no difference, {} differences, {} one of the targets
could not be compared.

A second Ctrl-C ends the process at once (130).

## Other commands

| command | exit |
|---|---|
| `report` | like the run it reports on: the merged one, the later of two, the worst of several |
| `judge`, `proxy` | like `run`; 3: nothing could be judged |
| `certify` | like `run`, and never {} where it wrote no certificate |
| `prove` | 0: the clean server gave no finding and every fault was found. 1: not |
| `verify` | 0: the certificate is what its issuer signed, and its evidence fits. 1: not |
| `cleanup` | 0: done. 3: not |
| all | {USAGE}: wrong usage, or a file that can't be used |

## `replay`

| exit | when |
|--:|---|
| 1 | a finding still fails |
| 3 | else, if one is unknown: no answer, load, refused credentials, masked by another failure, its case gone with what it expected |
| 0 | else: all are fixed |
| {USAGE} | an unknown id (the nearest is named), or an unusable record |
",
        good.exit(),
        bad.exit(),
        open.exit(),
        good.exit(),
        bad.exit(),
        open.exit(),
        good.exit(),
    );
    Page { path: "reference/exit-codes.md".to_owned(), text }
}
