"""What `install` and `run` share: the stacks and gateways that are here, and what each needs.

A stack is a directory with `needs` (one requirement a line: apt, pip, npm or cargo, and a name), `start` (a program that
serves on 127.0.0.1:$PORT until it is ended) and perhaps `build` and `profile.yaml`. A gateway is a directory under
`gateways` with `needs`, `config` (a template) and `start`.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = Path(os.environ.get("STACKS_HOME", ROOT / "target" / "stacks"))
PYTHON = HOME / "venv" / "bin" / "python"


def stacks():
    return sorted(path.parent.name for path in HERE.glob("*/start"))


def gateways():
    return sorted(path.parent.name for path in HERE.glob("gateways/*/start"))


def directory(part):
    return HERE / part if (HERE / part / "start").exists() else HERE / "gateways" / part


def needs(part):
    """The requirements of a stack or gateway, as pairs: ("pip", "flask==3.1.3")."""
    return [tuple(line.split(" ", 1)) for line in (directory(part) / "needs").read_text().split("\n") if line]


def tls_only(gateway):
    """A gateway whose template has no line for plain HTTP."""
    return "@plain" not in (directory(gateway) / "config").read_text()


def missing(part):
    """The requirements that are not met on this machine."""
    return [need for need in needs(part) if not CHECKS[need[0]](need[1])]


def environment(**more):
    return os.environ | {"STACKS_HOME": str(HOME)} | more


def versions(part):
    """The versions that are installed of what a part needs: ["flask 3.1.3"]."""
    found = []
    for kind, requirement in needs(part):
        if kind == "apt":
            name, version = requirement, dpkg("${Version}", requirement)
            # Debian's epoch and revision say nothing to users of other systems.
            version = re.sub(r"^\d+:", "", version).split("-")[0].split("+")[0]
        elif kind == "cargo":
            lock = (directory(part) / "Cargo.lock").read_text()
            name, version = requirement, re.search(rf'name = "{requirement}"\nversion = "([^"]+)"', lock)[1]
        else:
            name, _, version = requirement.replace("==", "@").rpartition("@")
        found.append(f"{name} {version}")
    return found


def runtimes():
    """What runs the stacks, as it names itself: ["Python 3.11.7"]."""
    commands = [[str(PYTHON), "--version"], ["node", "--version"], ["ruby", "--version"], ["rustc", "--version"]]
    found = []
    for command in commands:
        if shutil.which(command[0]):
            said = subprocess.run(command, capture_output=True, text=True).stdout.strip()
            said = said if said[:1].isalpha() and " " in said else f"{Path(command[0]).name} {said}"
            found.append(" ".join(said.split()[:2]))
    return found


def dpkg(form, name):
    """What Debian's package manager knows of a package; nothing on other systems."""
    if shutil.which("dpkg-query") is None:
        return ""
    return subprocess.run(["dpkg-query", "-W", "-f", form, name], capture_output=True, text=True).stdout


def apt_has(name):
    return dpkg("${Status}", name).endswith(" installed")


def pip_has(requirement):
    name, _, version = requirement.partition("==")
    name = re.sub(r"[-_.]+", "_", name.partition("[")[0]).lower()
    found = HOME.glob("venv/lib/python3*/site-packages/*.dist-info")
    return any(path.name.lower() == f"{name}-{version}.dist-info" for path in found)


def npm_has(requirement):
    name, _, version = requirement.rpartition("@")
    manifest = HOME / "node" / "node_modules" / name / "package.json"
    return shutil.which("node") is not None and manifest.exists() and f'"version": "{version}"' in manifest.read_text()


def cargo_has(name):
    return shutil.which("cargo") is not None and any(HOME.glob(f"{name}/release/stack-{name}"))


CHECKS = {"apt": apt_has, "pip": pip_has, "npm": npm_has, "cargo": cargo_has}
