"""The endpoint on FastAPI and pydantic, served by uvicorn. Refuses the whole request; keeps keys in memory."""

import os
import re
import secrets
import time
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

TOKEN = os.environ["BATCHPROOF_TOKEN"]
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def only_rfc3339(value: object) -> object:
    """Pydantic alone also takes epoch numbers and plain dates."""
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 date-time")
    return value


def only_unicode(value: str) -> str:
    """JSON can escape half a surrogate pair, which no answer could carry: the framework would answer 500."""
    if not value.isascii():
        value.encode()  # UnicodeEncodeError is a ValueError
    return value


Text = Annotated[str, AfterValidator(only_unicode)]
Instant = Annotated[AwareDatetime, BeforeValidator(only_rfc3339)]
Amount = Annotated[float, Field(allow_inf_nan=False)]


class AccountBalance(BaseModel):
    communicationNumber: Text = Field(min_length=1, max_length=255)
    requester: Text = Field(max_length=100)
    accountExtId: Text
    balanceAt: Instant
    value: Amount
    equivalentValue: Amount | None = None
    balanceType: Text | None = None
    businessUnit: Text | None = None


class Batch(BaseModel):
    accountBalances: list[AccountBalance]


class Result(BaseModel):
    resultType: str
    communicationNumber: str
    accountExtId: str
    businessUnit: str | None = None
    errorCode: str | None = None
    errorDescription: str | None = None
    timeElapsedMs: int


class Answer(BaseModel):
    results: list[Result]
    timeElapsedMs: int


class Unauthorized(Exception):
    """The request carries no good bearer token."""


def authenticated(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]):
    if credentials is None or not secrets.compare_digest(credentials.credentials.encode(), TOKEN.encode()):
        raise Unauthorized


app = FastAPI()
used: set[str] = set()


@app.exception_handler(Unauthorized)
async def unauthorized(_: Request, __: Unauthorized) -> JSONResponse:
    return JSONResponse({"error": {"code": "unauthorized"}}, 401, {"WWW-Authenticate": "Bearer"})


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, refused: RequestValidationError) -> JSONResponse:
    errors = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in refused.errors()[:20]]
    body = {"resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": errors[0], "errors": errors}
    return JSONResponse(body, 400)


def elapsed(since: float) -> int:
    return int((time.perf_counter() - since) * 1000)


@app.post(
    "/amlyze-ws-rest/batch-account-balances",
    response_model=Answer,
    response_model_exclude_none=True,
    dependencies=[Depends(authenticated)],
)
async def import_balances(batch: Batch) -> Answer:
    began = time.perf_counter()
    results = []
    # One process, and no await in this loop: no other request can come between the look and the note.
    for item in batch.accountBalances:
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
    return Answer(results=results, timeElapsedMs=elapsed(began))
