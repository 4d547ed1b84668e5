"""The results of `run` as a page in Markdown: stacks down, ways across, and what was run.

Each run leaves `result.json` in its report directory, so that a matrix can be continued.
"""

import datetime
import json
import subprocess

import parts

NAME = "result.json"


def of_run(options, stack, gateway, tls, code, must, should, rules):
    return {
        "stack": stack,
        "gateway": gateway,
        "tls": tls,
        "demanded": demanded(options),
        "exit": code,
        "must": must,
        "should": should,
        "rules": rules,
        "date": str(datetime.date.today()),
        "version": subprocess.run([options.binary, "--version"], capture_output=True, text=True).stdout.partition("\n")[0],
        "commit": commit(),
    }


def of_earlier_run(options, directory):
    """The result of an earlier run that demanded the same."""
    try:
        result = json.loads((directory / NAME).read_text())
    except (OSError, ValueError):
        return None
    return result if result["demanded"] == demanded(options) else None


def demanded(options):
    return "exit 0 and a certificate" if options.certify else f"exit 0 at `{options.depth}`"


def commit():
    """The commit of the tree around this file; outside of a repository, nothing is known."""
    git = ["git", "-C", parts.ROOT]
    found = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if found.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", ":!tests/stacks/RESULTS.md"]).returncode != 0
    return found.stdout.strip() + (" with changes" if changed else "")


def markdown(options, results):
    ways = sorted({(result["gateway"], result["tls"]) for result in results}, key=lambda way: (way[0] != "none", *way))
    stacks = sorted({result["stack"] for result in results})
    cells = {(result["stack"], result["gateway"], result["tls"]): cell(result) for result in results}
    passed = sum(result["exit"] == 0 for result in results)
    lines = [
        "# Results on real stacks",
        "",
        f"Written by `tests/stacks/run {options.words}`. Demanded is {demanded(options)}: {passed} of {len(results)} runs passed.",
        "",
        "`ok` is a run that passed, with the number of its SHOULD findings; another cell has the exit code and the number of confirmed MUST",
        "findings; an empty one was not run. The rules are those of the SHOULD findings, on any way; the last column says when and with what.",
        "",
        "| stack | " + " | ".join(f"{gateway}{', TLS' if tls else ''}" for gateway, tls in ways) + " | SHOULD | run |",
        "|---" * (len(ways) + 3) + "|",
    ]
    for stack in stacks:
        own = [result for result in results if result["stack"] == stack]
        rules = sorted({rule for result in own for rule in result["rules"]})
        runs = dict.fromkeys(f"{result['date']}, {result['version'].partition(chr(10))[0]}, {result['commit']}" for result in own)
        words = [stack, *(cells.get((stack, *way), "") for way in ways), ", ".join(rules) or "none", "; ".join(runs)]
        lines.append("| " + " | ".join(words) + " |")
    lines += ["", "## Versions", "", f"Runtimes: {', '.join(parts.runtimes())}.", "", "| stack or gateway | versions |", "|---|---|"]
    gateways = [gateway for gateway, _ in ways if gateway != "none"]
    for part in [*stacks, *dict.fromkeys(gateways)]:
        lines.append(f"| {part} | {', '.join(parts.versions(part))} |")
    return "\n".join(lines) + "\n"


def cell(result):
    if result["exit"] == 0:
        return f"ok, {result['should']}" if result["should"] else "ok"
    return f"exit {result['exit']}, {result['must']} MUST"
