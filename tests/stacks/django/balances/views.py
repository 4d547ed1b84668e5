"""The endpoint on Django REST framework. Refuses the whole request; keeps its numbers in PostgreSQL."""

import time

from django.db import connection, transaction
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from .models import AccountBalance
from .serializers import BatchSerializer

def first_message(detail) -> str:
    """The first of the framework's nested messages, with the path to it."""
    where = []
    while not isinstance(detail, str):
        key, detail = next(
            (key, value)
            for key, value in (detail.items() if isinstance(detail, dict) else enumerate(detail))
            if value
        )
        where.append(str(key))
    return f"{'.'.join(where)}: {detail}"


def problem(raised, context):
    if isinstance(raised, RecursionError):
        # Python's JSON parser gives up on some thousand nested arrays; the framework alone would answer 500.
        raised = exceptions.ParseError("The body is nested too deep")
    response = exception_handler(raised, context)
    if isinstance(raised, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        response.data = {"error": {"code": "unauthorized"}}
    elif isinstance(raised, (exceptions.ValidationError, exceptions.ParseError)):
        response.data = {
            "resultType": "REQUEST_REJECTED",
            "errorCode": "O001",
            "errorDescription": first_message(raised.detail),
        }
    return response


def insert(items: list[dict]) -> set[str]:
    """Inserts the items with a new number, and returns these numbers.

    One statement, in one order for all requests: two batches with the same numbers wait for each other, and never
    for ever.
    """
    if not items:
        return set()
    rows = sorted(items, key=lambda item: item["communication_number"])
    fields = [field for field in AccountBalance._meta.fields if not field.primary_key]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    marks = ", ".join(f"({', '.join(['%s'] * len(fields))})" for _ in rows)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {AccountBalance._meta.db_table} ({names}) VALUES {marks} "
            "ON CONFLICT (communication_number) DO NOTHING RETURNING communication_number",
            [row.get(field.attname) for row in rows for field in fields],
        )
        return {number for (number,) in cursor.fetchall()}


class ImportBalances(APIView):
    def post(self, request):
        began = time.perf_counter()
        batch = BatchSerializer(data=request.data)
        batch.is_valid(raise_exception=True)
        items = batch.validated_data["accountBalances"]
        first = {}
        for item in items:
            first.setdefault(item["communication_number"], item)
        inserted = insert(list(first.values()))
        total = int((time.perf_counter() - began) * 1000)
        results = []
        for item in items:
            number = item["communication_number"]
            result = {"communicationNumber": number, "accountExtId": item["account_ext_id"]}
            if item.get("business_unit") is not None:
                result["businessUnit"] = item["business_unit"]
            if number in inserted:
                inserted.remove(number)  # a second item with this number is a duplicate
                result["resultType"] = "REQUEST_ACCEPTED"
            else:
                result["resultType"] = "REQUEST_REJECTED"
                result["errorCode"] = "O005"
                result["errorDescription"] = "CommunicationNumber already used in AMLYZE"
            result["timeElapsedMs"] = total // len(items)
            results.append(result)
        return Response({"results": results, "timeElapsedMs": total})
