"""The endpoint on Litestar and msgspec, served by uvicorn with httptools. Refuses the whole request."""

import math
import os
import secrets
import time
from datetime import datetime
from typing import Annotated

from litestar import Litestar, Request, Response, post
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, ValidationException
from litestar.handlers import BaseRouteHandler
from msgspec import Meta, Struct

TOKEN = os.environ["BATCHPROOF_TOKEN"]

# The framework decodes leniently: a number would become an instant, and "NaN" a number. So the text is checked here.
RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"


class AccountBalance(Struct):
    communicationNumber: Annotated[str, Meta(min_length=1, max_length=255)]
    requester: Annotated[str, Meta(max_length=100)]
    accountExtId: str
    balanceAt: Annotated[str, Meta(pattern=RFC3339)]
    value: float
    equivalentValue: float | None = None
    balanceType: str | None = None
    businessUnit: str | None = None

    def __post_init__(self) -> None:
        datetime.fromisoformat(self.balanceAt)
        if not all(math.isfinite(amount) for amount in (self.value, self.equivalentValue or 0.0)):
            raise ValueError("an amount must be finite")


class Batch(Struct):
    accountBalances: list[AccountBalance]


class Result(Struct, omit_defaults=True):
    resultType: str
    communicationNumber: str
    accountExtId: str
    timeElapsedMs: int
    businessUnit: str | None = None
    errorCode: str | None = None
    errorDescription: str | None = None


class Answer(Struct):
    results: list[Result]
    timeElapsedMs: int


used: set[str] = set()


def authenticated(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(token.strip().encode(), TOKEN.encode()):
        raise NotAuthorizedException


def unauthorized(_: Request, __: NotAuthorizedException) -> Response:
    return Response({"error": {"code": "unauthorized"}}, status_code=401, headers={"WWW-Authenticate": "Bearer"})


def unreadable(_: Request, __: Exception) -> Response:
    """The framework alone answers 500 for bytes that are not UTF-8, and for thousands of nested arrays."""
    body = {"resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": "the body cannot be read"}
    return Response(body, status_code=400)


def invalid(_: Request, refused: ValidationException) -> Response:
    errors = [f"{e.get('key', 'body')}: {e['message']}" for e in (getattr(refused, "extra", None) or [])]
    description = errors[0] if errors else refused.detail
    body = {"resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": description}
    return Response(body, status_code=400)


@post("/amlyze-ws-rest/batch-account-balances", status_code=200, guards=[authenticated])
async def import_balances(data: Batch) -> Answer:
    began = time.perf_counter()
    results = []
    # One process, and no await in this loop: no other request can come between the look and the note.
    for item in data.accountBalances:
        result = Result(
            resultType="REQUEST_ACCEPTED",
            communicationNumber=item.communicationNumber,
            accountExtId=item.accountExtId,
            businessUnit=item.businessUnit,
            timeElapsedMs=0,
        )
        if item.communicationNumber in used:
            result.resultType = "REQUEST_REJECTED"
            result.errorCode = "O005"
            result.errorDescription = "CommunicationNumber already used in AMLYZE"
        used.add(item.communicationNumber)
        results.append(result)
    return Answer(results=results, timeElapsedMs=int((time.perf_counter() - began) * 1000))


app = Litestar(
    [import_balances],
    exception_handlers={
        NotAuthorizedException: unauthorized,
        ValidationException: invalid,
        UnicodeDecodeError: unreadable,
        RecursionError: unreadable,
    },
    request_max_body_size=64 * 1024 * 1024,
    openapi_config=None,
)
