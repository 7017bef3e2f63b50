"""What a connection test and a test of the alerts come to, each in a few sentences."""

CHECKED = {
    # the link, as a part of another sentence
    "link_tls": "the link is encrypted (TLS)",
    "link_ssh_partly": "the link is encrypted by SSH as far as the SSH server, but NOT from there "
    "to {host}",
    "link_ssh": "the link is encrypted by SSH",
    "link_local": "the link is not encrypted, but local",
    "link_open": "WARNING: the link is NOT encrypted: use the SSH tunnel, or ssl_mode require",
    "nothing_in_common": "An SSH server answers at {where}, but no common {what} algorithm was "
    "found: it offers {theirs}; LNbits can use {ours}. Allow one of these there, in sshd_config: "
    "{option}",
    "others_may_write": "others may write to {path}",
    "belongs_to_user": "{path} belongs to the user with the number {user}",
    "is_a_link": "{path} is a link",
    # rights
    "sales_and_actions": "cash_out_txs and cash_out_actions can be read.",
    "sales_without_actions": "cash_out_txs can be read. cash_out_actions cannot: the time of a "
    "sale is then that of its confirmation, and partial dispenses show no counts.",
    "counts_hidden": "Its counts {names} cannot: what came out of the machine is then not compared "
    "with the sale, and a partial dispense does not show how much. Run there as owner: {grant};",
    "cash_ins_readable": "cash_in_txs can be read.",
    "ticker_price_hidden": "Its raw_ticker_price cannot: cash-ins with a fixed fee then wait for "
    "a review, and cannot be distributed. Run there as owner: {grant};",
    "devices_hidden": "{names} of devices cannot: optional, for the machines' names and what "
    "Lamassu believes is in them. To allow it, run there as owner: {grant};",
    "worth_of_notes_hidden": "What a note in each cassette is worth cannot be told: optional, "
    "{grant};",
    "margin_needs_fee": "The margin method needs the fixed fee.",
    # rows
    "sales_found_others": "{n} finished sales since {day}, {others} paid ones whose cash is not "
    "(all) out.",
    "sales_found": "{n} finished sales since {day}.",
    "cash_ins_found": "{n} cash-ins that were sent since {day}.",
    # the clock
    "far_ahead": "WARNING: the ATM server's clock is {seconds} s ahead: set both by NTP; the times "
    "of sales are put on this clock. Its time zone is {zone}.",
    "far_behind": "WARNING: the ATM server's clock is {seconds} s behind: set both by NTP; the "
    "times of sales are put on this clock. Its time zone is {zone}.",
    "is_ahead": "The ATM server's clock is {seconds} s ahead; the times of sales are put on this "
    "clock. Its time zone is {zone}.",
    "is_behind": "The ATM server's clock is {seconds} s behind; the times of sales are put on this "
    "clock. Its time zone is {zone}.",
    # the commission method
    "no_method_needed": "Of a cash-in the commission is what the machine charged: no method is "
    "needed.",
    "no_price_to_compare": "raw_ticker_price cannot be read, so the commission methods cannot be "
    "compared.",
    "without_fixed_fee": "This is without the fixed fee, which cannot be read: where there is one, "
    "margin comes out too high. Run there as owner: {grant};",
    "as_configured": "as configured",
    "configured_is": "but configured is {method}",
    # LNbits' own database
    "no_prepared_statements": "LNbits' database does not keep prepared statements, as PgBouncer in "
    "transaction mode: connect LNbits to PostgreSQL itself, or through PgBouncer in session mode. "
    "Nothing is lost; the next poll goes on.",
    "lnbits_database_failed": "LNbits' database failed ({reason}). Nothing is lost; the next poll "
    "goes on. LNbits' log has the details.",
    # alerts
    "no_webhook": "No webhook is set.",
    "webhook_gone": "There is no webhook any more.",
    "webhook_answered": "The webhook answered.",
    "webhook_answered_odd": "The webhook answered {status}, not a 2xx.",
    "webhook_silent": "The webhook did not answer in {seconds} s.",
    "webhook_failed": "No answer from the webhook ({reason}).",
    "webhook_private": "leads to {address}, a private address, which LNbits does not allow "
    "(LNBITS_CALLBACK_ALLOW_PRIVATE_IPS).",
    "secret_unreadable": "the stored secret cannot be decrypted; enter it again.",
    "admins_told_nothing": "LNbits tells its admins nothing yet: set it up under Settings, "
    "Notifications.",
    "admins_told": "Handed to LNbits for {ways}.",
}
