"""What a person has to look at: why a sale waits for one, and where the books differ."""

FOUND = {
    # why a sale was not distributed by itself
    "not_by_itself": "Not distributed by itself: {reason}",
    "commission_unknown": "commission_percentage is not known",
    "fee_unknown": "cash_in_fee is not known",
    "discount_odd": "discount is {percent}, not a percentage from 0 to 100",
    "commission_too_high": "the effective commission is {effective}, 100 % or more",
    "rate_not_positive": "the exchange rate has to be more than zero",
    "margin_amounts": "the margin method needs a positive fiat amount and no negative fee",
    "fee_without_price": "there is a cash_in_fee of {fee}, but raw_ticker_price is not known",
    "partners_above_100": "the partners' percentages are above 100 together",
    "commission_would_be": "the commission would be {sats} sats",
    "fee_takes_all": "cash_in_fee is {fee}, all of its {fiat} {code} or more",
    "atoms_odd": "crypto_atoms is {atoms}",
    "less_arrived": "only {received} of its {sats} sats arrived",
    "off_own_price": "{sats} sats for {cash} {code} do not fit its own raw_ticker_price of {price} "
    "within a factor of {factor}",
    "time_odd": "its time is {time}",
    "fee_odd": "cash_in_fee is {fee}",
    "fixed_fee_odd": "fixed_fee is {fee}",
    "off_known_rate": "{sats} sats for {fiat} {code} are off the rate that LNbits knows, {rate} "
    "per bitcoin, by more than a factor of {factor}.",
    "miscounted": "Reported as complete, but by the notes' count {worth} of {fiat} came out of the "
    "machine.",
    "fiat_odd": "fiat {fiat} {reason}",
    "worth_too_much": "No sale of a machine is worth more than {sats} sats.",
    "above_sale_ceiling": "Above the ceiling of {sats} sats per transaction.",
    "above_poll_ceiling": "Above the ceiling of {sats} sats per poll.",
    "unexpected": "unexpected {kind}, see LNbits' log.",
    "lamassu_error": "Paid, but Lamassu reports an error: {error}",
    "never_reported": "the machine never reported whether the cash came out",
    "notes_not_planned": "the machine could not plan the notes, no cash came out",
    "no_cash_came_out": "no cash came out",
    "cash_not_confirmed": "the machine did not confirm that the cash came out",
    "not_all_cash_came_out": "not all of the cash came out",
    "by_notes_count": "{reason} (by the notes' count {worth} of {fiat})",
    "never_collected": "Paid, but the customer never collected the cash.",
    "paid_but_error": "Paid, but {reason}: {error}",
    "paid_but": "Paid, but {reason}.",
    "id_stored_before": "Lamassu's id {id} is stored already, from the database before this one, "
    "as {known}. This is another sale, {sale}: it is from before this database was named another "
    "one. Compare the two.",
    "id_stored": "Lamassu's id {id} is stored already, as {known}. This is another sale, {sale}: "
    "from another database or a machine that was set up anew, or its amounts were changed. "
    "Compare the two.",
    "a_cash_out": "a cash-out of {sats} sats for {fiat} {code}",
    "a_cash_in": "a cash-in of {sats} sats for {fiat} {code}",
    "a_settle_out": "a settle-out of {sats} sats for {fiat} {code}",
    "paid_before_again": "LNbits has paid a sale with this id that is not in the books again yet.",
    # the books
    "more_out_of_machine": "More {currency} went out of machine {machine} than was theirs there.",
    "transfer_sums": "Its payouts are {paid} sats, what it carries is {carried} sats.",
    "payout_not_confirmed": "Confirmed, but its payout is not.",
    "more_than_deposited": "More {currency} was distributed than deposited.",
    "payment_unknown": "LNbits has booked this {kind} of {sats} sats, but no payout knows it: the "
    "extension's database is older than LNbits'. Sales: {sales}.",
    "payment_adopted": "LNbits has paid a {kind} of {sats} sats for sale {sale}. {note}",
    "machine_totals_differ": "The totals in {currency} of machine {machine} differ from the sums "
    "of their rows: {sums}.",
    "totals_differ": "The totals in {currency} differ from the sums of their rows: {sums}.",
    "commission_sums": "Of {sats} sats of commission {partners} are the partners', and their "
    "parts are {parts} sats.",
    "sale_sums": "{sats} sats against {commission} commission + {share_sats} in {shares} shares + "
    "{left} undistributed; fiat {fiat} against {share_fiat} + {left_fiat} (minor units).",
    "archive_differs": "Its archived shares are not what was archived of it.",
    "payment_lost": "LNbits has lost this {kind} of {sats} sats, which was booked: its database "
    "is older than the extension's.",
    "booking_differs": "LNbits' booking {booking} should be {msat} msat on wallet {wallet}, "
    "successful, with a fee of {fee} msat; it is {found}.",
    "more_forwarded": "{sent} sats were forwarded from the wallet {wallet}, with fees, and "
    "{brought} were brought.",
    "given_up_was_paid": "LNbits has paid its invoice {hash} ({sats} sats), which was given up as "
    "not paid.",
    "forward_booking_differs": "LNbits' payment {hash} should be {msat} msat with a fee of {fee}, "
    "successful; it is {found}.",
    # words of these sentences
    "is_missing": "missing",
    "sales_not_said": "which sales, it does not say",
    "sale_not_told": "(not told)",
    "a_client": "client",
    "a_partner": "partner",
    "a_commission": "commission",
    "a_credit": "credit",
    "a_payment": "payment",
    "an_adopted_payment": "adopted payment",
    "a_deposit": "deposit",
    "a_forward": "forward",
    "a_machine": "machine",
    "a_transaction": "transaction",
    "a_client_of_yours": "client of yours",
    "a_partner_of_yours": "partner of yours",
    "every_machine": "every machine",
    "one_machine": "machine {id}",
}
