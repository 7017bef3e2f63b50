"""What happens to a client: registered, changed, approved, left. By the operator, or themselves."""

from functools import partial
from typing import Any

from lnbits.core.models import Wallet

from .. import crud_clients
from ..crud_lnbits import get_wallet
from ..helpers import ConflictError, SatMachineError, new_id, now
from ..lease import hurry
from ..models import AuditEntry
from ..models_clients import Client, ClientOut, CreateClient, Party, Register, UpdateClient
from ..models_programme import Programme
from . import terms


class RegistrationClosedError(SatMachineError):
    """Nobody can register by themselves."""


async def add(data: CreateClient, wallet: Wallet, operator: str) -> Client:
    """A client whom the operator adds; takes part at once.

    Raises:
        ValueError: naming the field. ConflictError: the wallet is another client's.
    """
    client = _new(data, wallet, data.daily_limit(data.currency), data.currency)
    await crud_clients.insert_client(client, _added(client, operator))
    return client


async def register(data: Register, wallet: Wallet) -> Client:
    """A client who joins by themselves, as the operator's programme allows it.

    Raises:
        RegistrationClosedError: the operator adds clients himself.
        ValueError: naming the field.
        ConflictError: registered already, or the wallet is another client's.
    """
    programme = await crud_clients.get_programme()
    if programme.registration == "closed":
        raise RegistrationClosedError("Registration is closed: ask the operator to add you.")
    if programme.terms and not data.accept_terms:
        raise ValueError("accept_terms: the operator's terms have to be accepted")
    currency = data.currency or (programme.currency if data.dca_mode == "fixed" else None)
    limit = data.daily_limit(currency)
    if limit is not None and currency:
        programme.check_daily_limit(limit, currency)
    client = _new(data, wallet, limit, currency)
    if programme.registration == "approval":
        client.status = "pending"
    accepted = partial(terms.keep, client=client, text=programme.terms)
    await crud_clients.insert_client(
        client,
        _added(client, wallet.user),
        only_one=True,
        also=accepted if programme.terms else None,
    )
    return client


def _new(
    data: CreateClient | Register, wallet: Wallet, limit: int | None, currency: str | None
) -> Client:
    _check_mode(data.dca_mode, limit)
    time = now()
    return Client(
        id=new_id(),
        user_id=wallet.user,
        wallet_id=wallet.id,
        username=data.username,
        dca_mode=data.dca_mode,
        fixed_mode_daily_limit=limit,
        currency=currency,
        payout_min_sats=data.payout_min_sats,
        created_at=time,
        updated_at=time,
    )


def _added(client: Client, actor: str) -> AuditEntry:
    return AuditEntry.of(actor, "client added", client.id, after=_kept(client))


def _kept(client: Client) -> ClientOut:
    """As the audit log keeps a client: without what is worked out from other rows."""
    worked_out = {"balances", "total_sats", "wallet_gone", "average_prices"}
    return ClientOut.of(client, [], {}).copy(exclude=worked_out)


async def change(client: Client, data: UpdateClient, actor: str, by: Party) -> Client:
    """Change a client's terms, state, name or wallet.

    The client themselves stay within the operator's programme, and cannot undo what the operator
    decided.

    Raises:
        ValueError: naming the field. ConflictError: it does not fit the client's state.
    """
    sent = data.dict(exclude_unset=True)
    for name in ("dca_mode", "status", "wallet_id"):
        if name in sent and sent[name] is None:
            raise ValueError(f"{name}: cannot be empty")
    programme = await crud_clients.get_programme() if by == "client" else None
    reopened = client.status == "closed" and data.status not in (None, "closed")
    if reopened or sent.get("wallet_id", client.wallet_id) != client.wallet_id:
        owner = client.user_id if by == "client" else None
        wallet = await client_wallet(sent.get("wallet_id", client.wallet_id), owner)
        sent["user_id"] = wallet.user

    def changed(current: Client) -> Client:
        if (current.user_id, current.wallet_id) != (client.user_id, client.wallet_id):
            raise ConflictError("wallet_id: it was changed meanwhile. Look again, then try again.")
        return _changed(current, data, sent, by, programme)

    after = await crud_clients.update_client(
        client.id,
        changed,
        lambda before, after: AuditEntry.of(
            actor,
            "client changed",
            after.id,
            _kept(before),
            _kept(after),
        ),
    )
    if (after.wallet_id, after.status) != (client.wallet_id, client.status):
        hurry()  # what waits for the client, or was failed for the old wallet, is paid
    return after


def _changed(
    client: Client,
    data: UpdateClient,
    sent: dict[str, Any],
    by: Party,
    programme: Programme | None,
) -> Client:
    if by == "client":
        _check_own_status(client, data)
    wants_fixed = sent.get("dca_mode", client.dca_mode) == "fixed"
    if programme and wants_fixed and not sent.get("currency", client.currency):
        sent["currency"] = programme.currency
    currency = sent.get("currency", client.currency)
    if "fixed_mode_daily_limit" in sent:
        sent["fixed_mode_daily_limit"] = data.daily_limit(currency)
    elif client.fixed_mode_daily_limit and currency != client.currency:
        raise ValueError("fixed_mode_daily_limit: give the limit in the new currency, too")
    if "status" in sent:
        sent["paused_by"] = _paused_by(client, data, by)
    time = now()
    if sent.get("wallet_id", client.wallet_id) != client.wallet_id:
        sent["payouts_due_until"] = time  # what waits does not stay behind
    changed = client.copy(update={**sent, "updated_at": time})
    limit = changed.fixed_mode_daily_limit
    _check_mode(changed.dca_mode, limit)
    asked = sent.keys() & {"dca_mode", "fixed_mode_daily_limit", "currency"}
    if programme and asked and changed.dca_mode == "fixed" and limit and changed.currency:
        programme.check_daily_limit(limit, changed.currency)
    return changed


def _paused_by(client: Client, data: UpdateClient, by: Party) -> Party | None:
    """Who has to be asked to resume; the operator's pause is not made the client's own."""
    if data.status != "paused":
        return None
    return "operator" if client.paused_by == "operator" else by


def _check_own_status(client: Client, data: UpdateClient) -> None:
    """What clients may not do to themselves.

    Raises:
        ConflictError: saying whom to ask.
    """
    if client.status == "closed":
        raise ConflictError("You have left the programme. Register again to take part.")
    if client.status == "pending" and data.status in ("active", "paused"):
        raise ConflictError("status: the operator has not approved your registration yet")
    if (client.status, client.paused_by, data.status) == ("paused", "operator", "active"):
        raise ConflictError("status: the operator has paused you; ask them to resume")


def _check_mode(mode: str, daily_limit: int | None) -> None:
    if mode == "fixed" and daily_limit is None:
        raise ValueError("fixed_mode_daily_limit: needed in fixed mode, with its currency")


async def client_wallet(wallet_id: str | None, owner: str | None = None) -> Wallet:
    """A wallet that can be a client's: it exists, may receive, and is no other client's.

    `owner`: the user whose it has to be. Of another user's wallet nothing more is said: whose
    wallet pays which client is not theirs to learn.

    Raises:
        ValueError, ConflictError: it cannot, and why.
    """
    if not wallet_id:
        raise ValueError("wallet_id: the client's LNbits wallet is needed")
    wallet = await get_wallet(wallet_id)
    if wallet is None:
        raise ValueError("wallet_id: there is no LNbits wallet with this id")
    if owner not in (None, wallet.user):
        raise ValueError("wallet_id: this is not a wallet of yours")
    if wallet.is_lightning_shared_wallet:
        raise ValueError("wallet_id: this is another user's shared wallet; give a wallet of theirs")
    if not wallet.can_receive_payments:
        raise ValueError("wallet_id: this wallet may not receive payments")
    other = await crud_clients.get_client_by_wallet(wallet_id)
    if other:
        raise ConflictError(f"wallet_id: already the wallet of client {other.username or other.id}")
    return wallet
