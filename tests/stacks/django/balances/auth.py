import os
import secrets

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission

TOKEN = os.environ["BATCHPROOF_TOKEN"].encode()


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() == b"bearer" and secrets.compare_digest(token.strip(), TOKEN):
            return None, "service"
        raise exceptions.NotAuthenticated

    def authenticate_header(self, request):
        return "Bearer"


class IsService(BasePermission):
    def has_permission(self, request, view):
        return request.auth == "service"
