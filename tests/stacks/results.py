"""The results of `run` as a page in Markdown: stacks down, ways across, and what was run."""

import datetime
import subprocess
from collections import namedtuple

import parts

Row = namedtuple("Row", "stack gateway tls code must should rules")


def markdown(options, rows):
    ways = list(dict.fromkeys((row.gateway, row.tls) for row in rows))
    stacks = list(dict.fromkeys(row.stack for row in rows))
    cells = {(row.stack, row.gateway, row.tls): cell(row) for row in rows}
    passed = sum(row.code == 0 for row in rows)
    demanded = "exit 0 and a certificate" if options.certify else f"exit 0 at `{options.depth}`"
    lines = [
        "# Results on real stacks",
        "",
        f"Written by `tests/stacks/run {options.words}` on {datetime.date.today()}: {version(options)}, {commit()}.",
        f"{passed} of {len(rows)} runs passed; demanded is {demanded}. `ok` is a run that passed, with the number of its SHOULD findings;",
        "another cell has the exit code and the number of confirmed MUST findings. The last column names the rules of the SHOULD findings.",
        "",
        "| stack | " + " | ".join(f"{gateway}{', TLS' if tls else ''}" for gateway, tls in ways) + " | SHOULD |",
        "|---" * (len(ways) + 2) + "|",
    ]
    for stack in stacks:
        rules = sorted({rule for row in rows if row.stack == stack for rule in row.rules})
        words = [stack, *(cells.get((stack, *way), "") for way in ways), ", ".join(rules) or "none"]
        lines.append("| " + " | ".join(words) + " |")
    lines += ["", "## Versions", "", "| stack or gateway | versions |", "|---|---|"]
    gateways = [gateway for gateway, _ in ways if gateway != "none"]
    for part in [*stacks, *dict.fromkeys(gateways)]:
        lines.append(f"| {part} | {', '.join(parts.versions(part))} |")
    return "\n".join(lines) + "\n"


def cell(row):
    if row.code == 0:
        return f"ok, {row.should}" if row.should else "ok"
    return f"exit {row.code}, {row.must} MUST"


def version(options):
    return subprocess.run([options.binary, "--version"], capture_output=True, text=True).stdout.strip()


def commit():
    """The commit of the tree around this file; outside of a repository, nothing is known."""
    found = subprocess.run(["git", "-C", parts.HERE, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    return f"commit {found.stdout.strip()}" if found.returncode == 0 else "commit unknown"
