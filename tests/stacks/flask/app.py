"""The endpoint on Flask and marshmallow, served by waitress. Rejects item by item; knows only registered accounts."""

import json
import os
import re
import secrets
import threading
import time
from pathlib import Path

from flask import Flask, jsonify, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

TOKEN = os.environ["BATCHPROOF_TOKEN"]
REGISTERED = json.loads((Path(__file__).parent.parent / "registered.json").read_text())
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Instant(fields.AwareDateTime):
    """The library alone also takes a blank for the T, and no offset."""

    def _deserialize(self, value, attr, data, **kwargs):
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="RFC 3339 date-time")
        # Digits beyond the microsecond are of no use to us.
        return super()._deserialize(re.sub(r"(\.\d{6})\d+", r"\1", value), attr, data, **kwargs)


class AccountBalance(Schema):
    class Meta:
        unknown = EXCLUDE

    communicationNumber = fields.String(required=True, validate=validate.Length(min=1, max=255))
    requester = fields.String(required=True, validate=validate.Length(max=100))
    accountExtId = fields.String(required=True)
    balanceAt = Instant(required=True, format="iso")
    value = fields.Decimal(required=True, allow_nan=False)
    equivalentValue = fields.Decimal(allow_none=True, allow_nan=False)
    balanceType = fields.String(allow_none=True)
    businessUnit = fields.String(allow_none=True)


app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024 * 1024
schema = AccountBalance()
used: set[str] = set()
lock = threading.Lock()


def refused(description: str):
    return jsonify(resultType="REQUEST_REJECTED", errorCode="O001", errorDescription=description), 400


@app.errorhandler(RecursionError)
def too_deep(_: RecursionError):
    """Python's JSON parser gives up on some thousand nested arrays; the framework alone would answer 500."""
    return refused("The body is nested too deep")


@app.before_request
def authenticate():
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(token.strip().encode(), TOKEN.encode()):
        return jsonify(error={"code": "unauthorized"}), 401, {"WWW-Authenticate": "Bearer"}


def unknown_reference(item: dict) -> tuple[str, str] | None:
    if item["accountExtId"] not in REGISTERED["accountExtId"]:
        return "A001", "Account does not exist"
    if item.get("businessUnit") not in [None, *REGISTERED["businessUnit"]]:
        return "A002", "Tenant business unit does not exist"
    if item.get("balanceType") not in [None, *REGISTERED["balanceType"]]:
        return "A003", "Balance type does not exist"
    return None


def verdict(raw: object) -> tuple[str, str] | None:
    """Why an item is rejected; none if it was accepted. Only an accepted item uses its number up."""
    try:
        item = schema.load(raw)
    except ValidationError as problem:
        name, messages = next(iter(problem.normalized_messages().items()))
        return "O001", f"{name}: {messages[0] if isinstance(messages, list) else messages}"
    if reason := unknown_reference(item):
        return reason
    with lock:
        if item["communicationNumber"] in used:
            return "O005", "CommunicationNumber already used in AMLYZE"
        used.add(item["communicationNumber"])
    return None


def echo(raw: object) -> dict:
    """The identity of an item, as far as the schema of a result can carry it."""
    if not isinstance(raw, dict):
        return {}
    names = ("communicationNumber", "accountExtId", "businessUnit")
    return {name: raw[name] for name in names if isinstance(raw.get(name), str) and len(raw[name]) <= 255}


@app.post("/amlyze-ws-rest/batch-account-balances")
def import_balances():
    began = time.perf_counter()
    batch = request.get_json(silent=True)
    if not isinstance(batch, dict):
        return refused("The body is not a JSON object")
    items = batch.get("accountBalances")
    if not isinstance(items, list):
        return refused("accountBalances is mandatory")
    results = []
    for raw in items:
        since = time.perf_counter()
        reason = verdict(raw)
        result = echo(raw) | {"resultType": "REQUEST_REJECTED" if reason else "REQUEST_ACCEPTED"}
        if reason:
            result["errorCode"], result["errorDescription"] = reason
        result["timeElapsedMs"] = int((time.perf_counter() - since) * 1000)
        results.append(result)
    return jsonify(results=results, timeElapsedMs=int((time.perf_counter() - began) * 1000))
