"""A sentence that is stored or answered in English, as its code and values.

What is written down stays plain English for whoever reads a log, a file or the REST answer; the
code is found from the sentence again, so that it need not be stored, also with what an earlier
release has written. The page's languages have a text for each code.
"""

import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, validator

from .checked import CHECKED
from .found import FOUND
from .refused import REFUSED

SENTENCES = {
    # wallets and payments
    "source_wallet_gone": "The source wallet {wallet} is gone: choose another.",
    "source_wallet_is_gone": "The source wallet {wallet} is gone: nothing can be paid. Choose "
    "another in the configuration.",
    "commission_wallet_is_gone": "The commission wallet {wallet} is gone: the commission cannot be "
    "paid. Choose another in the configuration.",
    "client_wallet_is_gone": "The wallet of {name}, or its user, is gone: their cash waits and "
    "buys nothing until they have another wallet.",
    "partner_wallet_is_gone": "The wallet of the partner {name}, or its user, is gone: their part "
    "of the commission cannot be paid. Give them another wallet.",
    "more_of_this_kind": "And {n} more of this kind.",
    "source_wallet_short": "Waiting: the source wallet is short of {sats} sats.",
    "wait_between_payments": "Waiting: LNbits asks for {seconds} seconds between payments.",
    "daily_limit_reached": "Waiting: LNbits lets a wallet pay {sats} sats a day.",
    "credit_failed": "Waiting: the sale's credit failed: {reason}",
    "wallet_does_not_exist": "The wallet {wallet} does not exist any more.",
    "wallet_may_not_receive": "The wallet {wallet} may not receive.",
    "into_source_itself": "It would be paid into the source wallet itself.",
    "invoice_cancelled": "The invoice was cancelled meanwhile; a new one is made.",
    "not_internal": "LNbits did not book the payment as an internal one.",
    "credit_invoice_removed": "The credit's invoice was removed meanwhile; a new one is made.",
    "debited_without_invoice": "LNbits debited the payment {hash} but has lost its invoice.",
    "only_incoming": "Only incoming payments allowed.",
    # the connection test
    "settings_complete": "The settings are complete.",
    "not_reached": "Not reached.",
    "no_tunnel": "No SSH tunnel is configured.",
    "ssh_answers": "An SSH server answers at {where}.",
    "host_key_accepted": "The host key is the accepted one, {key}.",
    "host_key_not_accepted": "The SSH server's host key {key} is not accepted yet. Compare it with "
    "the server's own (there: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done), "
    "then accept it in the configuration.",
    "logged_in": "Logged in as {user}.",
    "no_ssh": "No SSH server answers at {where} ({reason}). Check ssh_host, ssh_port and the "
    "firewall.",
    "postgres_session": "PostgreSQL {version}, read-only session as {user}; {link}.",
    "postgres_refused": "PostgreSQL at {where} refused user '{user}' ({reason}). Check username, "
    "password and pg_hba.conf.",
    "no_database": "There is no database '{database}' at {where}. Lamassu's is usually 'lamassu'.",
    "no_table": "There is no table {table} in this database's schema public: is it Lamassu's?",
    "clocks_agree": "The ATM server's clock and this one agree; its time zone is {zone}.",
    "machines_readable": "The machines' names can be read.",
    "nothing_to_compare": "No sale yet to compare the commission methods with.",
    "compute_with": "These machines compute with {method}, {verdict}: over {sales} sales the base "
    "is off the market value by {markup} sats (markup) or {margin} sats (margin).",
    "connection_works": "The connection works; sales can be read.",
    # what was held or fits nothing after an older copy was put back
    "claim_not_lamassus": "It was no sale of Lamassu's, so it is not read again: book "
    "a withdrawal, if it was one.",
    # what a poll found
    "same_database": "Sales of this database that are known from the one before it, by their ids "
    "and amounts: {n}. None of them is shared out again. If it is the same database, moved, all is "
    "well.",
    "books_unchecked": "The check of all books fails; what is recent was checked. LNbits' log has "
    "the reason.",
    # alerts
    "polls_fail": "Polls fail; nothing is lost, and they are tried again. {error}",
    "source_wallet_misses": "The source wallet is short of {missing} sats: it holds {balance}. "
    "Clients are paid as soon as it is topped up.",
    "source_wallet_below": "The source wallet holds {balance} sats, less than {limit}. Top it up.",
    "sales_wait": "Sales that wait for your decision for more than {hours} hours: {n}. Distribute "
    "or dismiss them.",
    "deposits_wait": "Deposits that wait for their confirmation for more than {hours} hours: {n}. "
    "Confirm them once their cash is in the machine.",
    "shares_failed": "Payments that failed: {n}, of {sats} sats. See the reason, then retry.",
    "sales_stuck": "Sales whose credit or commission failed: {n}. See the reason, then retry.",
    "forwards_fail": "Forwards to own keys that cannot be sent: {n}. See the reason, then try "
    "again or ask whose keys they are.",
    "client_wants_to_join": "{name} wants to join. Approve or close.",
    "cash_lasts": "The clients' cash in {currency}, {remaining}, lasts for about {days} more days. "
    "Ask for deposits.",
    "machine_is_silent": "The machine {name} was last online at {time} UTC. Look after it.",
    "cash_is_missing": "Of {owed} {currency} owed to clients only {there} is in the machines. "
    "Count it.",
    "secrets_lost": "Stored secrets cannot be read ({names}): LNbits' secret key has changed. "
    "Enter them again in the configuration.",
    "clock_ahead": "The clock of the ATM's server is {seconds} seconds ahead of this one. Set both "
    "by NTP.",
    "clock_behind": "The clock of the ATM's server is {seconds} seconds behind this one. Set both "
    "by NTP.",
    "books_do_not_agree": "The books differ, in so many places: {n}. Nothing is changed by "
    "itself; look at them.",
    # a client's own purchases
    "purchase_waits": "Waits until the operator's wallet can cover it.",
    "purchase_failed": "Could not be paid yet. It is tried again; ask the operator if it stays so.",
    "purchase_given_up": "Given up; the cash is back in your balance.",
    # forwards
    "destination_no_address": "The destination is no Lightning address and no LNURL-pay.",
    "destination_refuses": "The destination refuses: {reason}.",
    "destination_not_payable": "The destination is an LNURL, but none that can be paid.",
    "destination_no_whole_sats": "The destination takes no amount of whole sats.",
    "destination_unreadable": "The destination answered with an invoice that cannot be read.",
    "destination_other_amount": "The destination answered with an invoice of another amount.",
    "destination_expired": "The destination answered with an invoice that has expired.",
    "destination_silent": "The destination did not answer in time.",
    "destination_odd": "The destination did not answer as it has to: {reason}.",
    "set_it_again": "Set it again, or another one.",
    "asked_again": "It is asked again later.",
    "destination_own_wallet": "The destination's invoice pays the very wallet that the sats come "
    "from. Set another destination.",
    "destination_paid_before": "The destination's invoice was paid before. Set another "
    "destination.",
    "forward_wallet_changed": "The client's wallet was changed. The destination has to be set "
    "again.",
    "destination_changed": "The destination was changed.",
    "partner_wallet_changed": "The partner's wallet was changed. The destination has to be set "
    "again.",
    "client_has_left": "The client has left the programme.",
    "partner_has_left": "The partner's part of the commission has ended.",
    "forward_wallet_closed": "The wallet is closed, or may not pay.",
    "too_little_held": "The destination takes at least {least} sats, and the wallet holds "
    "{held}. It goes as soon as there are enough.",
    "too_little_waits": "The destination takes at least {least} sats, and {waiting} wait, of "
    "which a part is kept for fees. It goes as soon as there are enough.",
    "destination_above_limit": "The destination takes at least {least} sats at once, LNbits pays "
    "at most {most}.",
    "forward_refused": "LNbits refused it: {reason} It is tried again later.",
    "forward_no_route": "It did not arrive: no route, too little liquidity, or a fee above the "
    "reserve. It is tried again.",
    "forward_not_arrived": "It did not arrive: {reason} It is tried again.",
    "forward_booking_lost": "LNbits has lost its booking of this payment. It counts as on its "
    "way until a person has looked into the funding source, and closes it.",
    "forward_on_its_way": "On its way: the destination holds it, or the network still looks for "
    "a route.",
    "forward_given_up_changed": "Given up: the destination was changed.",
    "forward_given_up_off": "Given up: forwarding was switched off.",
    "forward_closed": "Closed as not paid: {reason}",
    "own_wallet_changed": "The wallet was changed since: set the destination again.",
    "forwarding_stopped": "The operator has stopped all forwarding. Your sats stay in your wallet.",
    "you_have_left": "You have left the programme: nothing is sent on any more.",
    "your_part_has_ended": "Your part of the commission has ended: nothing is sent on any more.",
    "own_wallet_holds_less": "Your wallet holds {held} sats of the {waiting} that could be sent: "
    "they go when there are {threshold}.",
    # an older database
    "older_database": "Nothing is paid or credited: LNbits has booked {n} payments of ours that "
    "the extension's database does not know. It is older than LNbits', as after a backup was put "
    "back.",
    "sales_concerned_unknown": "Sales concerned: not told by the payments.",
    "sales_concerned_more": "Sales concerned: {sales} and {n} more.",
    "sales_concerned": "Sales concerned: {sales}.",
    "choose_adopt": "Choose 'Adopt' to take these payments into the books.",
    "held_differs": "Held: LNbits has paid shares of this sale that differ from the plan. Retry "
    "it if it is to be paid, or void it.",
    "held_part": "Held: LNbits has paid {sats} sats for this part. Retry it if it is to be paid, "
    "or void it.",
    "held_untold": "Held: LNbits has paid {sats} sats for sales that the payment does not name. "
    "Retry it if it is to be paid, or void it.",
    "credit_booked_already": "The sale's credit is booked already.",
    "commission_booked_already": "The sale's commission is booked already.",
    "plan_says": "The plan says {sats} sats; it is not paid again.",
    "no_share_of_it": "By the plan this client has no share of it.",
    "share_is_already": "The client's share is {state} already.",
    "share_by_plan": "By the plan the client's share is {sats} sats.",
    "no_part_of_it": "By the plan this partner has no part of its commission.",
    "part_is_already": "The partner's part is {state} already.",
    "part_by_plan": "By the plan the partner's part is {sats} sats.",
    "open_sales_held": "Open sales before it do not add up to it; they are held.",
    # the way to the ATM's database
    "packages_there": "The SSH tunnel's two packages are there: restart LNbits, and it uses them.",
    "packages_needed": "The SSH tunnel needs two Python packages beside LNbits.",
    "packages_do_not_fit": "What lies in {place} does not fit this Python {version} ({reason}).",
    "packages_not_used": "What lies in {place} is not used: {reason}. All of it has to belong to "
    "the user who runs LNbits or to root, and nobody else may write there.",
    "install_packages": "Run this on LNbits' server, as the user who runs it, then restart "
    "LNbits: {command}",
    "connection_given_up": "The connection to {where} was given up.",
    "no_ssh_spoken": "What answers at {where} does not speak SSH as expected ({reason}). Check "
    "ssh_host and ssh_port.",
    "host_key_changed": "The SSH server's host key has changed: accepted is {accepted}, the "
    "server shows {shown}. Nothing was sent to it. If the server was really reinstalled, accept "
    "the new key in the configuration; if not, somebody may be in between.",
    "key_refused": "The SSH server did not let user '{user}' in with this private key "
    "({reason}). Check ssh_username and the private key, and that the server allows this way of "
    "logging in (the key's public half in authorized_keys).",
    "password_refused": "The SSH server did not let user '{user}' in with this password "
    "({reason}). Check ssh_username and the password, and that the server allows this way of "
    "logging in.",
    "further_step": "The SSH server wants a further step than one secret of user '{user}'. Allow "
    "one login by private key alone for this user.",
    "more_than_password": "The SSH server asks user '{user}' for more than a password: "
    "{questions}. Allow one login by private key alone for this user.",
    "may_not_forward": "The SSH server ended the connection right after user '{user}' logged in. "
    "Check that this user may forward ports (AllowTcpForwarding).",
    "standby_conflict": "The ATM's database is a hot standby and ended the session, most likely "
    "by a conflict with recovery (its primary changed what was being read): set "
    "hot_standby_feedback = on or a longer max_standby_streaming_delay there, or read the "
    "primary.",
    "flooded": "The ATM's database sent more than {size} MB and was cut off: this is not the "
    "work of an ATM. Check host and port; lower look_back_days if it is.",
    "no_postgres_there": "The SSH server cannot connect to PostgreSQL at {where} ({reason}). "
    "Check host and port as seen from the SSH server, that PostgreSQL runs there, and that the "
    "server allows forwarding to exactly {place} (AllowTcpForwarding, PermitOpen: there, "
    "localhost and 127.0.0.1 are not the same).",
    "certificate_not_trusted": "The certificate of PostgreSQL at {where} is not trusted "
    "({reason}). Check host and ssl_ca_certificate.",
    "no_tls": "PostgreSQL at {where} offers no TLS, which ssl_mode {mode} needs. Switch it on "
    "there (ssl = on), or use the SSH tunnel.",
    "no_session_by_ssh": "No PostgreSQL session at {where}, seen from the SSH server ({reason}). "
    "Check host, port, database_name, listen_addresses and ssl_mode.",
    "no_session": "No PostgreSQL session at {where}, seen from LNbits ({reason}). Check host, "
    "port, database_name, listen_addresses and ssl_mode.",
    "right_missing": "A right is missing: {reason}. Run there as owner: GRANT USAGE ON SCHEMA "
    "public, or the role's whole SQL again (static/sql/role.sql).",
    "no_answer_in_time": "The ATM's database did not answer within {seconds} s, or within a "
    "lower statement_timeout of its own ({reason}). It may be locked or busy; lower "
    "look_back_days if this stays so.",
    "query_taken_back": "The ATM's database took the query back ({reason}). A hot standby does "
    "so when the primary changes what is being read: set hot_standby_feedback = on or a longer "
    "max_standby_streaming_delay there, or read the primary.",
    "reading_failed": "Reading the ATM's database failed ({reason}). Check that it is Lamassu's.",
    "connection_broke": "The connection to the ATM's database broke while reading ({reason}). "
    "Check that PostgreSQL, the SSH server and the network stay up.",
    "reading_took_too_long": "Reading the ATM was not done after {seconds} s and was given up: "
    "its database or the SSH server stands still, or the line is too slow. Check them; lower "
    "look_back_days if there is much to read.",
    "too_many_rows": "More than {rows} rows to read at once. Lower look_back_days in the "
    "configuration; if it is low already, this is not the work of an ATM.",
    "no_column": "{table} has no column {names}: this is not a Lamassu version that can be read "
    "(8.0 to 10.2 are known).",
    "may_not_read": "This user may not read {names} of {table}. Run there as owner: {grant};",
    **CHECKED,
    **FOUND,
    **REFUSED,
}


class Told(BaseModel):
    """One sentence. Without a code it stands only as it is, in `text`.

    `field` is what an error is about, and stands before the sentence in what it was found in;
    `within` has those of the values that are sentences themselves.
    """

    code: str | None = None
    field: str | None = None
    values: dict[str, str] = {}
    # Of `Told` in turn, which FastAPI's copies of a model cannot say of itself.
    within: dict[str, list[Any]] = {}
    text: str


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    words = "".join(
        f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    # What ends with a value ends with the text; after any other sentence another may stand.
    return re.compile(words + (r"$" if parts[-1] == "" else r"(?= |$)"), re.DOTALL)


def say(code: str, **values: object) -> str:
    """The sentence of this code."""
    return SENTENCES[code].format(**values)


# What begins with a value begins like anything: it comes last.
_PATTERNS = {
    code: _pattern(template)
    for code, template in sorted(SENTENCES.items(), key=lambda each: each[1].startswith("{"))
}
_FIELD = re.compile(r"([a-z]\w*(?:\.\w+)*): (.+)", re.DOTALL)
# Values that may be sentences of our own.
_REASONS = (
    *("reason", "error", "note", "known", "sale", "sales", "kind", "what", "where", "found"),
    *("link", "verdict"),
)


@lru_cache(maxsize=2000)
def _told(text: str) -> tuple[Told, ...] | None:
    """The sentences of a text, if all of it is known."""
    if not text:
        return ()
    for code, pattern in _PATTERNS.items():
        found = pattern.match(text)
        if found and (rest := _told(text[found.end() :].lstrip())) is not None:
            return (_sentence(code, found), *rest)
    return None


def _sentence(code: str, found: re.Match[str]) -> Told:
    values = found.groupdict()
    within = {name: _known(values[name]) for name in _REASONS if name in values}
    return Told(
        code=code,
        values=values,
        within={name: list(known) for name, known in within.items() if known},
        text=found[0],
    )


def _known(text: str) -> tuple[Told, ...] | None:
    """As `_told`; also with a field's name in front, and several such after another."""
    first, semicolon, rest = text.partition("; ")
    if semicolon and (before := _known(first)) and (after := _known(rest)):
        return (*before, *after)
    if (about := _FIELD.fullmatch(text)) and (known := _told(about[2])):
        return (known[0].copy(update={"field": about[1]}), *known[1:])
    return _told(text)


def told(text: str | None) -> list[Told]:
    """A text as its sentences, in order; one without a code where it is not known."""
    if not text:
        return []
    known = _known(text)
    return [Told(text=text)] if known is None else list(known)


def told_of(*fields: str, into: str = "told") -> Any:
    """For a model's body: its field `into` tells the sentences of these fields, declared before."""

    def tell(_: type[BaseModel], values: dict[str, Any]) -> list[Told]:
        return [each for name in fields for each in told(values.get(name))]

    return validator(into, always=True, allow_reuse=True)(tell)
