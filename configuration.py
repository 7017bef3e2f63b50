"""The stored configuration made ready for use, and the rules for changing it.

Where it points to with its secrets in clear, what a change may carry over, who may make it, and
when its payouts are due.
"""

from datetime import datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi.exceptions import HTTPException
from lnbits.settings import settings

from . import crud
from .crud_lnbits import get_wallet
from .helpers import ConflictError, SecretError, decrypt, encrypt, now
from .models import SECRETS
from .models_config import ConfigIn, LamassuConfig, Target


async def config_or_defaults() -> LamassuConfig:
    """The configuration, or what a dry run goes by before anything is configured."""
    return await crud.get_config() or defaults()


def defaults() -> LamassuConfig:
    """A configuration of which nothing is filled in."""
    return LamassuConfig(
        host="",
        port=5432,
        database_name="",
        username="",
        source_wallet_id="",
        credit_source_wallet=False,
        use_ssh_tunnel=False,
        commission_method="markup",
        poll_interval_minutes=60,
        look_back_days=7,
        timezone="UTC",
        is_active=False,
    )


async def ready_config() -> LamassuConfig:
    """The configuration, if payments can be made from its source wallet.

    Raises:
        ConflictError: there is none, or the wallet is gone.
    """
    config = await crud.get_config()
    if config is None:
        raise ConflictError("There is no configuration yet: fill in 'Configure Database' first.")
    if await get_wallet(config.source_wallet_id) is None:
        raise ConflictError(
            f"source_wallet_id: the wallet {config.source_wallet_id} does not exist any more. "
            "Choose another source wallet in the configuration."
        )
    return config


def look_back_from(config: LamassuConfig) -> datetime:
    """From when on sales are read: the look-back window before the last poll that read them."""
    last = config.last_successful_poll or now()
    return min(last, now()) - timedelta(days=config.look_back_days)


def target_of(config: LamassuConfig) -> Target:
    """Where the configuration points to, with its secrets decrypted.

    Raises:
        SecretError: naming the secrets that have to be entered again.
    """
    lost = lost_secrets(config)
    if lost:
        raise SecretError(
            f"Enter again in the configuration: {', '.join(lost)}. LNbits' secret key "
            "(AUTH_SECRET_KEY) is not the one they were stored under."
        )
    clear = {name: getattr(config, name) for name in SECRETS}
    clear = {name: decrypt(token) if token else None for name, token in clear.items()}
    return Target(
        host=config.host,
        port=config.port,
        database=config.database_name,
        username=config.username,
        use_ssh_tunnel=config.use_ssh_tunnel,
        ssh_host=config.ssh_host,
        ssh_port=config.ssh_port,
        ssh_username=config.ssh_username,
        ssh_host_key_fingerprint=config.ssh_host_key_fingerprint,
        ssl_mode=config.ssl_mode,
        ssl_ca_certificate=config.ssl_ca_certificate,
        **clear,
    )


def lost_secrets(config: LamassuConfig) -> list[str]:
    """The stored secrets that cannot be decrypted any more."""
    lost = []
    for name in SECRETS:
        token = getattr(config, name)
        try:
            if token:
                decrypt(token)
        except SecretError:
            lost.append(name)
    return lost


def request_bodies_are_logged() -> bool:
    """Whether LNbits' own log of requests keeps what is entered here, passwords and all, in clear.

    Not where its filters pass over these requests.
    """
    return bool(settings.lnbits_audit_log_request_body) and any(
        settings.audit_http_request("POST", f"/satmachineclient/api/v1/dca/{name}")
        for name in ("config", "test-connection")
    )


def secret_key_lies_beside_the_data() -> bool:
    """Whether a copy of LNbits' data folder holds the key to the stored secrets, too."""
    return Path(settings.lnbits_data_folder, ".lnbits_auth_key").is_file()


# SECURITY.md promises: while crediting is on, only the super user decides which database is
# believed, over which link and as whom, what of it is credited, and where it goes. What is not
# named here is his then, also a field that is added one day. A secret opens the same door for the
# same user, or none.
_HARMLESS_WHILE_CREDITING = frozenset(
    {
        *SECRETS,
        "poll_interval_minutes",
        "is_active",
        "payout_schedule",
        "payout_time",
        "payout_weekday",
        "payout_min_sats",
    }
)


def check_crediting(config: LamassuConfig, stored: LamassuConfig | None, operator: str) -> None:
    """Crediting makes balance of what one database says: who decides about it may make money.

    Any admin may switch it off.

    Raises:
        HTTPException: 403, this is the super user's.
    """
    if not config.credit_source_wallet or settings.is_super_user(operator):
        return
    if not stored or not stored.credit_source_wallet:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "credit_source_wallet: makes LNbits balance out of the ATM's word, so only the super "
            "user may switch it on.",
        )
    for field in ConfigIn.__fields__:
        if field in _HARMLESS_WHILE_CREDITING:
            continue
        kept_as = "database_number" if field == "another_database" else field
        if getattr(config, kept_as) != getattr(stored, kept_as):
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                f"{field}: only the super user may change it while crediting is on.",
            )


# A stored secret goes only to the host, port and user that it was entered for.
_BELONGS_TO = {
    "password": ("host", "port", "username", "use_ssh_tunnel", "ssh_host", "ssh_port"),
    "ssh_password": ("ssh_host", "ssh_port", "ssh_username"),
    "ssh_private_key": ("ssh_host", "ssh_port", "ssh_username"),
    "ssh_private_key_passphrase": ("ssh_host", "ssh_port", "ssh_username"),
}


def merged(data: ConfigIn, stored: LamassuConfig | None) -> LamassuConfig:
    """What came in, completed by the stored secrets as far as they may be used for it.

    Raises:
        ValueError: a new place has no login of its own, or another database is named where there
            was none before.
    """
    fields = data.dict()
    for name in SECRETS:
        if fields[name] is not None:
            fields[name] = encrypt(fields[name])
        elif stored and getattr(stored, name) and not data.removes(name):
            if not (moved := _moved(name, data, stored)):
                fields[name] = getattr(stored, name)
            elif not any(getattr(data, login) for login in _logins_beside(name)):
                what = "it again" if name == "password" else "ssh_password or ssh_private_key again"
                raise ValueError(f"{name}: enter {what}, because {moved} changes")
    if data.credit_source_wallet:
        was_on = stored if stored and stored.credit_source_wallet else None
        fields["credit_since"] = was_on.credit_since if was_on else now()
    if data.another_database:
        if stored is None:
            raise ValueError("another_database: there is none yet that this could differ from")
        fields |= {"database_number": stored.database_number + 1, "database_since": now()}
    elif stored:
        fields["database_number"] = stored.database_number
    config = LamassuConfig(**fields)
    return config.succeeding(stored, now()) if stored else config


def _moved(name: str, data: ConfigIn, stored: LamassuConfig) -> str | None:
    """What changes about the place that this stored secret belongs to.

    Also while the tunnel is off: what is kept now would go to the new place when it is on again.
    """
    changes = (f for f in _BELONGS_TO[name] if getattr(data, f) != getattr(stored, f))
    return next(changes, None)


def _logins_beside(name: str) -> tuple[str, ...]:
    """The logins of which one is enough at a new place; the old place's others are dropped."""
    return () if name == "password" else ("ssh_password", "ssh_private_key")


async def check_wallets(config: LamassuConfig) -> None:
    for name in ("source_wallet_id", "commission_wallet_id"):
        wallet_id = getattr(config, name)
        if wallet_id is None:
            continue
        wallet = await get_wallet(wallet_id)
        if wallet is None:
            raise ValueError(f"{name}: there is no LNbits wallet with this id")
        if not settings.is_admin_user(wallet.user) or wallet.is_lightning_shared_wallet:
            raise ValueError(f"{name}: this wallet does not belong to an admin")
        if name == "source_wallet_id" and not wallet.can_send_payments:
            raise ValueError(f"{name}: this wallet may not send payments")
        if not wallet.can_receive_payments:
            raise ValueError(f"{name}: this wallet may not receive payments")


# ---- when payouts are due --------------------------------------------------------------------


def last_payout(config: LamassuConfig, at: datetime) -> datetime | None:
    """The latest scheduled moment that is not after `at`; None where each poll pays."""
    return _moment(config, at, step=-1)


def next_payout(config: LamassuConfig, at: datetime) -> datetime | None:
    """The first scheduled moment after `at`; None where each poll pays."""
    return _moment(config, at, step=1)


def _moment(config: LamassuConfig, at: datetime, step: int) -> datetime | None:
    """An hour that the zone's clocks leave out is taken an hour later, one that comes twice first.

    The zone's own calendar decides on the day, whatever day it is elsewhere.
    """
    if config.payout_schedule == "each_poll":
        return None
    zone = ZoneInfo(config.timezone)
    hour = time.fromisoformat(config.payout_time)
    day = at.astimezone(zone).date() - step * timedelta(days=2)
    while True:
        moment = datetime.combine(day, hour, zone).astimezone(at.tzinfo)
        wanted = config.payout_schedule == "daily" or day.weekday() == config.payout_weekday
        if wanted and (moment > at if step > 0 else moment <= at):
            return moment
        day += step * timedelta(days=1)


def due_until(config: LamassuConfig, at: datetime) -> datetime:
    """Until when something has to be planned to be due at this time, with a daily or weekly run.

    It moves on where a scheduled moment has passed since; one in the future comes from a clock
    that was set back.
    """
    until = config.payouts_due_until
    if until is None or until > at or _passed_since(config, until, at):
        return at
    return until


def payouts_begin(config: LamassuConfig, at: datetime) -> bool:
    """Whether a scheduled moment has passed since the last poll began."""
    return _passed_since(config, config.last_poll_time, at)


def _passed_since(config: LamassuConfig, before: datetime | None, at: datetime) -> bool:
    moment = last_payout(config, at)
    since = config.payout_schedule_since
    if moment is None or (since is not None and moment < since <= at):
        return False
    return before is None or before < moment
