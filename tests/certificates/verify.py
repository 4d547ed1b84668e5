#!/usr/bin/env python3
"""Verifies a certificate with code that is not batchproof's: PyPI's securesystemslib, as in-toto uses it.

verify.py CERTIFICATE KEY.pub: exit 0 verified, 1 not, 77 where the library is not installed.
"""
import json
import sys

try:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey
except ImportError as missing:
    print(f"left out: {missing}; pip install securesystemslib cryptography")
    sys.exit(77)

certificate, public = sys.argv[1:]
with open(public, "rb") as file:
    key = SSlibKey.from_crypto(load_pem_public_key(file.read()))
try:
    with open(certificate, encoding="utf-8") as file:
        envelope = Envelope.from_dict(json.load(file))
    envelope.verify([key], 1)
except (VerificationError, ValueError, KeyError) as wrong:
    print(f"not verified: {wrong}")
    sys.exit(1)
statement = json.loads(envelope.payload)
assert envelope.payload_type == "application/vnd.in-toto+json"
assert statement["_type"] == "https://in-toto.io/Statement/v1"
assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
assert all(len(subject["digest"]["sha256"]) == 64 for subject in statement["subject"])
print(f"verified: {statement['predicate']['result']}")
