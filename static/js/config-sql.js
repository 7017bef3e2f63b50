// The SQL that makes the role which LNbits reads the machine's database with:
// it may read the columns that sales consist of, and nothing else.
satmachine.readerSql = (() => {
  const UNITS = ['1', '2', '3', '4']
  for (let n = 1; n <= 6; n += 1) UNITS.push(`recycler_${n}`)
  const counters = kinds =>
    kinds.flatMap(kind => UNITS.map(unit => `${kind}_${unit}`))

  const SALES = [
    ...['id', 'device_id', 'crypto_atoms', 'received_crypto_atoms'],
    ...['crypto_code', 'fiat', 'fiat_code', 'status', 'dispense'],
    ...['dispense_confirmed', 'error', 'error_code', 'created'],
    ...['confirmed_at', 'commission_percentage', 'discount'],
    'raw_ticker_price'
  ]
  const ACTIONS = [
    ...['id', 'tx_id', 'action', 'created', 'error', 'error_code'],
    ...counters(['provisioned', 'dispensed', 'denomination'])
  ]

  const CASH_INS = [
    ...['id', 'device_id', 'crypto_atoms', 'crypto_code', 'fiat'],
    ...['fiat_code', 'send_confirmed', 'operator_completed', 'error'],
    ...['created', 'send_time', 'commission_percentage', 'discount'],
    ...['cash_in_fee', 'raw_ticker_price']
  ]

  const identifier = name =>
    /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replace(/"/g, '""')}"`

  return (username, database, direction) => {
    const role = identifier(username || 'dca_ro')
    const name = identifier(database || 'lamassu')
    return [
      `CREATE ROLE ${role} LOGIN PASSWORD '…';`,
      `ALTER ROLE ${role} SET default_transaction_read_only = on;`,
      `GRANT CONNECT ON DATABASE ${name} TO ${role};`,
      `GRANT USAGE ON SCHEMA public TO ${role};`,
      ...(direction === 'cash_out'
        ? []
        : [`GRANT SELECT (${CASH_INS.join(', ')}) ON cash_in_txs TO ${role};`]),
      ...(direction === 'cash_in'
        ? []
        : [
            `GRANT SELECT (${SALES.join(', ')}) ON cash_out_txs TO ${role};`,
            `GRANT SELECT (${ACTIONS.join(', ')}) ON cash_out_actions TO ${role};`,
            '-- Lamassu 10.2 and later:',
            `GRANT SELECT (fixed_fee) ON cash_out_txs TO ${role};`
          ])
    ].join('\n')
  }
})()
