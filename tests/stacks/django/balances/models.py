from django.db import models


class AccountBalance(models.Model):
    communication_number = models.CharField(max_length=255, unique=True)
    requester = models.CharField(max_length=100)
    account_ext_id = models.TextField()
    balance_at = models.DateTimeField()
    value = models.DecimalField(max_digits=60, decimal_places=20)
    equivalent_value = models.DecimalField(max_digits=60, decimal_places=20, null=True)
    balance_type = models.TextField(null=True)
    business_unit = models.TextField(null=True)
