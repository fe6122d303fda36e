"""An OpenID provider on loopback: discovery, code with PKCE, JWKS, RS256, userinfo."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "ffapi"
CLIENT_SECRET = "between the two"


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """One for each name; to make one takes as long as most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class OpenIdProvider:
    """``email`` is who signs in there; ``claims`` and ``header`` change what its tokens say.

    Who they are was proved there at ``proved_at_s``, and is again where a site wants it younger.
    """

    email: str = "alice@example.org"
    is_verified: Any = True
    subject: str = "subject-1"
    proved_at_s: float = field(default_factory=time.time)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    signs_with: rsa.RSAPrivateKey = field(default_factory=lambda: key_of("the provider"))
    issuer: str = ""
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)
    _published: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        public = RSAAlgorithm.to_jwk(self.signs_with.public_key(), as_dict=True)
        self._published = public | {"kid": "key-1", "alg": "RS256", "use": "sig"}

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Give where a browser is sent back to, as if somebody had signed in (RFC 6749, 4.1.2)."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        if "max_age" in query and time.time() - self.proved_at_s > int(query["max_age"]):
            self.proved_at_s = time.time()
        code = secrets.token_urlsafe()
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Give the tokens for a code, once, to who can show the verifier (RFC 7636, 4.6)."""
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET)
        ):
            return None
        access = secrets.token_urlsafe()
        self._tokens.add(access)
        token = self._id_token(asked)
        return {"access_token": access, "token_type": "Bearer", "id_token": token}

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        usual: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "nonce": asked["nonce"],
        }
        # Only then it has to be told (OpenID Connect Core 1.0, section 2).
        proved_at_s = int(self.proved_at_s) if "max_age" in asked else None
        usual |= {"iat": now, "exp": now + 300, "auth_time": proved_at_s}
        claims = usual | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.signs_with, algorithm="RS256", headers={"kid": "key-1"})

    def tell(self, authorization: str) -> dict[str, Any] | None:
        if authorization.removeprefix("Bearer ") not in self._tokens:
            return None
        told = {"sub": self.subject, "email": self.email, "email_verified": self.is_verified}
        return told | self.userinfo

    def keys(self) -> dict[str, Any]:
        return {"keys": [self._published]}


@contextmanager
def serving(provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            provider.asked.append(address.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            if address.path == "/.well-known/openid-configuration":
                self._answer(provider.configuration())
            elif address.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif address.path == "/jwks":
                self._answer(provider.keys())
            else:
                self._answer(provider.tell(self.headers.get("Authorization", "")), refused=401)

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(provider.exchange(form), refused=400)

        def _answer(self, value: dict[str, Any] | None, refused: int = 400) -> None:
            body = json.dumps(value or {"error": "invalid_grant"}).encode()
            self.send_response(200 if value else refused)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
