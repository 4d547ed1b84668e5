from balances.views import ImportBalances
from django.urls import path

urlpatterns = [path("amlyze-ws-rest/batch-account-balances", ImportBalances.as_view())]
