"""Signing in elsewhere: OpenID Connect, with the operator's provider or a workspace's own.

Code flow with state, nonce and PKCE. An identity is (issuer, subject), never an e-mail address. The operator's provider may
link an account by an address that it has verified; a workspace's may not: its administrator would sign in as anybody.
"""

import json
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from runtime import account_mail, accounts, audit, egress, models, sealing
from runtime.context import Context
from runtime.models_accounts import sso_identity, sso_provider
from runtime.outgoing import Refused
from runtime.settings import Settings
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signed with the provider's own key; never "none", never with a secret that we know too."""
LEEWAY = 120
KEPT = 600.0
"""Seconds for which what a provider says of itself is remembered."""
SCOPE = "openid email profile"
FRESH = 300
SERVER = "server"


@dataclass(frozen=True)
class Provider:
    """Where people sign in, and as whom we ask. `workspace` is None for the operator's."""

    key: str
    title: str
    issuer: str
    client: str
    secret: str
    workspace: UUID | None = None
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Who somebody is there."""

    subject: str
    email: str
    verified: bool
    name: str
    at: int


def may_sign_up() -> bool:
    return Settings.read().sign_up == "open"


# -- providers -------------------------------------------------------------------------------------


def ways(conn: Connection) -> list[Provider]:
    """What the page of signing in offers to everybody."""
    own = _of_server()
    return [own] if own else []


def _of_server() -> Provider | None:
    s = Settings.read()
    return (
        Provider(SERVER, s.sso_title, s.sso_issuer, s.sso_client, s.sso_secret)
        if s.sso_issuer and s.sso_client
        else None
    )


def provider(conn: Connection, key: str) -> Provider:
    """The operator's, or that of the workspace with this short name. Raises NotFound."""
    own = _of_server()
    if key == SERVER:
        if own is None:
            raise NotFound
        return own
    p, w = sso_provider, models.workspace
    query = (
        select(p, w.c.slug).join(w, w.c.id == p.c.workspace_id).where(w.c.slug == key.strip().lower()[:60], p.c.enabled)
    )
    row = conn.execute(query).one_or_none()
    secret = sealing.opened(row.secret, "sso") if row else None
    if row is None or secret is None:
        raise NotFound
    return Provider(
        row.slug, row.title, row.issuer, row.client_id, secret, row.workspace_id, tuple(row.domains.split())
    )


def configured(ctx: Context) -> Any:
    """The workspace's provider as its administrators see it, or None."""
    return ctx.conn.execute(select(sso_provider).where(sso_provider.c.workspace_id == ctx.workspace.id)).one_or_none()


def configure(ctx: Context, title: str, issuer: str, client: str, secret: str, domains: str) -> None:
    """Set the workspace's provider, after asking it who it is; a blank issuer takes it away. Raises InvalidInput."""
    p = sso_provider
    if not issuer.strip():
        ctx.conn.execute(delete(p).where(p.c.workspace_id == ctx.workspace.id))
        audit.note(ctx, "workspace.changed", "SSO", issuer="")
        return
    before = configured(ctx)
    if not client.strip() or not (secret or before):
        raise InvalidInput({"client": [say("Give the client id and the secret that the provider has for Mortise.")]})
    sealed = sealing.seal(secret, "sso") if secret else before.secret
    tried = Provider("", title, issuer.strip().rstrip("/"), client.strip(), "")
    try:
        about(tried)
    except Denied as err:
        raise InvalidInput({"issuer": [err.reason]}) from err
    values = {
        "title": title.strip()[:60] or "SSO", "issuer": tried.issuer, "client_id": tried.client, "secret": sealed,
        "domains": " ".join(domains.lower().replace(",", " ").replace("@", " ").split())[:500], "enabled": True,
    }  # fmt: skip
    made = upsert(p).values(workspace_id=ctx.workspace.id, **values)
    ctx.conn.execute(made.on_conflict_do_update(index_elements=[p.c.workspace_id], set_=values))
    audit.note(ctx, "workspace.changed", "SSO", issuer=tried.issuer, domains=values["domains"])


# -- the way there and back ------------------------------------------------------------------------

_about: dict[str, tuple[float, dict[str, Any]]] = {}
UNUSABLE = say("The sign-in provider cannot be reached, or does not answer as it should.")


def about(of: Provider) -> dict[str, Any]:
    """What a provider says of itself. Raises Denied."""
    said = _fetched(f"{of.issuer}/.well-known/openid-configuration")
    if (
        said.get("issuer", "").rstrip("/") != of.issuer
        or not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= said.keys()
    ):
        raise Denied(UNUSABLE)
    return said


def _fetched(url: str, fresh: bool = False) -> dict[str, Any]:
    known = _about.get(url)
    if known and not fresh and time.monotonic() - known[0] < KEPT:
        return known[1]
    said = _answer("GET", url)
    _about[url] = (time.monotonic(), said)
    return said


def _answer(method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> dict[str, Any]:
    try:
        answer = egress.send(
            method, url, headers={"Accept": "application/json", **(headers or {})}, body=body, redirects=0
        )
        said = json.loads(answer.body) if answer.ok and answer.whole else None
    except (Refused, egress.Unreachable, ValueError) as err:
        raise Denied(UNUSABLE) from err
    if not isinstance(said, dict):
        raise Denied(UNUSABLE)
    return said


def begin(of: Provider, again: bool = False) -> tuple[str, dict[str, str]]:
    """Where to send the browser, and what it must bring back. `again` has the person prove anew who they are."""
    kept = {name: generate_token(43) for name in ("state", "nonce", "verifier")}
    asked = {
        "response_type": "code", "client_id": of.client, "redirect_uri": back(), "scope": SCOPE, "state": kept["state"],
        "nonce": kept["nonce"], "code_challenge": create_s256_code_challenge(kept["verifier"]), "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if again else {}),
    }  # fmt: skip
    return add_params_to_uri(about(of)["authorization_endpoint"], list(asked.items())), kept


def back() -> str:
    return account_mail.address_of("/sso/back")


def finish(of: Provider, code: str, verifier: str, nonce: str, again: bool = False) -> Identity:
    """Who came back with this code. Raises Denied for anything that is not as it should be."""
    said = about(of)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back(), "code_verifier": verifier}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if "client_secret_basic" in said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
        pair = f"{quote(of.client, safe='')}:{quote(of.secret, safe='')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": of.client, "client_secret": of.secret}
    token = _answer("POST", said["token_endpoint"], headers, urlencode(form).encode())
    return _identity(of, said, token, nonce, again)


def _identity(of: Provider, said: dict[str, Any], token: dict[str, Any], nonce: str, again: bool) -> Identity:
    try:
        claims = CodeIDToken(
            _decoded(str(token.get("id_token", "")), said["jwks_uri"]), {},
            {"iss": {"values": [said["issuer"]], "essential": True}, "aud": {"values": [of.client], "essential": True},
             "sub": {"essential": True}},
            {"nonce": nonce, "client_id": of.client, "access_token": token.get("access_token", "")},
        )  # fmt: skip
        claims.validate(now=int(time.time()), leeway=LEEWAY)
    except (JoseError, ValueError, KeyError, TypeError) as err:
        raise Denied(UNUSABLE) from err
    except Exception as err:
        if type(err).__module__.startswith("authlib."):
            raise Denied(UNUSABLE) from err
        raise
    if claims.get("nonce") != nonce or (again and time.time() - int(claims.get("auth_time") or 0) > FRESH):
        raise Denied(UNUSABLE)
    email = accounts.canonical(str(claims.get("email") or ""))
    return Identity(
        str(claims["sub"]), email, claims.get("email_verified") is True, str(claims.get("name") or email.split("@")[0]),
        int(claims.get("auth_time") or 0),
    )  # fmt: skip


def _decoded(token: str, keys: str) -> dict[str, Any]:
    """The claims of a token that the provider has signed; its keys are fetched anew once, they change."""
    try:
        return dict(jwt.decode(token, KeySet.import_key_set(_fetched(keys)), algorithms=ALGORITHMS).claims)  # type: ignore[arg-type]
    except (JoseError, ValueError):
        return dict(jwt.decode(token, KeySet.import_key_set(_fetched(keys, fresh=True)), algorithms=ALGORITHMS).claims)  # type: ignore[arg-type]


# -- whose account it is ---------------------------------------------------------------------------


def account_of(conn: Connection, of: Provider, who: Identity, language: str) -> UUID:
    """The account of an identity: linked before, linked now by a verified address, or new. Raises Denied."""
    t = sso_identity
    linked: UUID | None = conn.scalar(select(t.c.account_id).where(t.c.issuer == of.issuer, t.c.subject == who.subject))
    if linked is not None:
        return linked
    if not who.email or not who.verified:
        raise Denied(say("The provider has not verified your e-mail address. Ask your administrator."))
    present = accounts.find_account(conn, who.email)
    if present is not None and of.workspace is not None:
        raise Denied(
            say("There is an account with this address. Sign in with your password, then link it under “My account”.")
        )
    account = present or _new(conn, of, who, language)
    link(conn, of, who, account)
    return account


def _new(conn: Connection, of: Provider, who: Identity, language: str) -> UUID:
    if of.workspace is not None and not _welcome(of, who):
        raise Denied(say("Your address is not one of those that may come in by themselves. Ask for an invitation."))
    return accounts.add_without_password(conn, who.email, who.name, language, verified=of.workspace is None)


def _welcome(of: Provider, who: Identity) -> bool:
    return who.verified and who.email.rpartition("@")[2] in of.domains


def link(conn: Connection, of: Provider, who: Identity, account: UUID) -> None:
    """Raises Denied when it is somebody else's."""
    t = sso_identity
    made = upsert(t).values(issuer=of.issuer, subject=who.subject, account_id=account, title=of.title)
    conn.execute(made.on_conflict_do_nothing())
    if conn.scalar(select(t.c.account_id).where(t.c.issuer == of.issuer, t.c.subject == who.subject)) != account:
        raise Denied(say("This sign-in belongs to another account."))
    audit.note_account(conn, account, "account.linked", of.title, name=accounts.account(conn, account).name)


def linked(conn: Connection, account: UUID) -> list[tuple[str, str]]:
    """Issuer and title of what an account is linked with."""
    t = sso_identity
    rows = conn.execute(select(t.c.issuer, t.c.title).where(t.c.account_id == account).order_by(t.c.linked_at))
    return [(row.issuer, row.title) for row in rows]


def unlink(conn: Connection, account: UUID, issuer: str) -> None:
    """Raises InvalidInput when there would be no way left to sign in."""
    known, t = accounts.account(conn, account), sso_identity
    if not known.has_password and len(linked(conn, account)) < 2:
        raise InvalidInput({"": [say("Set a password first; otherwise you could no longer sign in.")]})
    if conn.execute(delete(t).where(t.c.account_id == account, t.c.issuer == issuer)).rowcount:
        audit.note_account(conn, account, "account.unlinked", issuer, name=known.name)


def joins(of: Provider, who: Identity) -> UUID | None:
    """The workspace whose member somebody becomes by signing in with its provider."""
    return of.workspace if of.workspace and _welcome(of, who) else None
