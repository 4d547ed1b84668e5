"""Kinto in memory, with a bucket and a collection that everybody may write: python serve_kinto.py"""

import json

import waitress
from kinto import main
from waitress.server import create_server
from webob import Request

app = main(
    {},
    **{
        "kinto.storage_backend": "kinto.core.storage.memory",
        "kinto.cache_backend": "kinto.core.cache.memory",
        "kinto.permission_backend": "kinto.core.permission.memory",
        "multiauth.policies": "basicauth",
        "multiauth.policy.basicauth.use": "kinto.core.authentication.BasicAuthAuthenticationPolicy",
        "kinto.userid_hmac_secret": "any",
        "kinto.bucket_create_principals": "system.Everyone",
    },
)
writers = {"permissions": {"write": ["system.Everyone"]}}
for path in ["/v1/buckets/b", "/v1/buckets/b/collections/c"]:
    made = Request.blank(path, method="PUT", content_type="application/json", body=json.dumps(writers).encode())
    assert made.get_response(app).status_int in (200, 201), path
server = create_server(app, host="127.0.0.1", port=0, threads=8)
print(f"listening on http://127.0.0.1:{server.effective_port}", flush=True)
server.run()
