import re

from rest_framework import serializers

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class InstantField(serializers.DateTimeField):
    """The framework alone also takes plain dates, week dates and no offset."""

    def to_internal_value(self, value):
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            self.fail("invalid", format="RFC 3339")
        return super().to_internal_value(value)


def text(**options):
    # The framework's default cuts blanks off, which would make two numbers equal and the echo differ.
    return serializers.CharField(trim_whitespace=False, **options)


def amount(**options):
    return serializers.DecimalField(max_digits=60, decimal_places=20, **options)


class AccountBalanceSerializer(serializers.Serializer):
    communicationNumber = text(max_length=255, source="communication_number")
    requester = text(max_length=100)
    accountExtId = text(source="account_ext_id")
    balanceAt = InstantField(source="balance_at")
    value = amount()
    equivalentValue = amount(source="equivalent_value", required=False, allow_null=True)
    balanceType = text(source="balance_type", required=False, allow_null=True, allow_blank=True)
    businessUnit = text(source="business_unit", required=False, allow_null=True, allow_blank=True)


class BatchSerializer(serializers.Serializer):
    accountBalances = AccountBalanceSerializer(many=True)
