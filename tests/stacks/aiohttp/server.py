"""The endpoint on aiohttp, with validation by hand. Rejects item by item; keeps numbers in memory."""

import json
import math
import os
import re
import secrets
import time
from datetime import datetime

from aiohttp import web

TOKEN = os.environ["BATCHPROOF_TOKEN"]
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
used: set[str] = set()


def is_text(value, longest=None):
    return isinstance(value, str) and (longest is None or len(value) <= longest) and not re.search("[\ud800-\udfff]", value)


def is_number(value):
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_instant(value):
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


MANDATORY = {
    "communicationNumber": lambda value: is_text(value, 255) and value != "",
    "requester": lambda value: is_text(value, 100),
    "accountExtId": is_text,
    "balanceAt": is_instant,
    "value": is_number,
}
OPTIONAL = {"equivalentValue": is_number, "balanceType": is_text, "businessUnit": is_text}


def verdict(item) -> tuple[str, str] | None:
    """Why an item is rejected; none if it was accepted. Only an accepted item uses its number up."""
    if not isinstance(item, dict):
        return "O001", "an item must be an object"
    for name, fits in MANDATORY.items():
        if item.get(name) is None:
            return "O001", f"{name} is mandatory"
        if not fits(item[name]):
            return "O001", f"{name} is incorrect"
    for name, fits in OPTIONAL.items():
        if item.get(name) is not None and not fits(item[name]):
            return "O001", f"{name} is incorrect"
    if item["communicationNumber"] in used:
        return "O005", "CommunicationNumber already used in AMLYZE"
    used.add(item["communicationNumber"])
    return None


def echo(item) -> dict:
    """The identity of an item, as far as the schema of a result can carry it."""
    if not isinstance(item, dict):
        return {}
    names = ("communicationNumber", "accountExtId", "businessUnit")
    return {name: item[name] for name in names if is_text(item.get(name), 255)}


def refused(description: str) -> web.Response:
    body = {"resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": description}
    return web.json_response(body, status=400)


@web.middleware
async def authenticate(request: web.Request, handler):
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    good = secrets.compare_digest(token.strip().encode("utf-8", "surrogateescape"), TOKEN.encode())
    if scheme.lower() != "bearer" or not good:
        headers = {"WWW-Authenticate": "Bearer"}
        return web.json_response({"error": {"code": "unauthorized"}}, status=401, headers=headers)
    return await handler(request)


async def import_balances(request: web.Request) -> web.Response:
    try:
        batch = json.loads(await request.read())
    except (ValueError, RecursionError):
        return refused("the body is not JSON")
    items = batch.get("accountBalances") if isinstance(batch, dict) else None
    if not isinstance(items, list):
        return refused("accountBalances is mandatory")
    began = time.perf_counter()
    results = []
    for item in items:
        since = time.perf_counter()
        reason = verdict(item)
        result = echo(item) | {"resultType": "REQUEST_REJECTED" if reason else "REQUEST_ACCEPTED"}
        if reason:
            result["errorCode"], result["errorDescription"] = reason
        result["timeElapsedMs"] = int((time.perf_counter() - since) * 1000)
        results.append(result)
    return web.json_response({"results": results, "timeElapsedMs": int((time.perf_counter() - began) * 1000)})


# The default limit, 1 MB, is about 4,000 items.
app = web.Application(middlewares=[authenticate], client_max_size=64 * 1024 * 1024)
app.router.add_post("/amlyze-ws-rest/batch-account-balances", import_balances)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
