// What the Configure Database dialog asks for: its start values, what is wrong
// with what was typed, and what is sent.
satmachine.configForm = (() => {
  const SECRETS = [
    'password',
    'ssh_password',
    'ssh_private_key',
    'ssh_private_key_passphrase'
  ]

  // Numbers are text while they are typed.
  const fill = config => ({
    host: '',
    database_name: 'lamassu',
    username: '',
    source_wallet_id: window.g.user?.wallets[0]?.id || null,
    commission_wallet_id: null,
    credit_source_wallet: false,
    use_ssh_tunnel: true,
    ssh_host: '',
    ssh_username: '',
    ssl_mode: 'prefer',
    ssl_ca_certificate: '',
    direction: 'cash_out',
    commission_method: 'markup',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC',
    is_active: true,
    payout_schedule: 'each_poll',
    payout_time: '09:00',
    payout_weekday: 0,
    ...config,
    port: String(config?.port ?? 5432),
    ssh_port: String(config?.ssh_port ?? 22),
    poll_interval_minutes: String(config?.poll_interval_minutes ?? 60),
    look_back_days: String(config?.look_back_days ?? 7),
    max_sats_per_transaction: String(config?.max_sats_per_transaction ?? ''),
    max_sats_per_poll: String(config?.max_sats_per_poll ?? ''),
    payout_min_sats: String(config?.payout_min_sats ?? ''),
    ...Object.fromEntries(SECRETS.map(name => [name, ''])),
    another_database: false,
    removed: Object.fromEntries(SECRETS.map(name => [name, false]))
  })

  const within = (text, low, high) =>
    /^\d+$/.test(text) && Number(text) >= low && Number(text) <= high

  // Empty is no ceiling.
  const isCeiling = text =>
    !text.trim() || within(text.trim(), 1, 21 * 10 ** 14)

  const RULES = {
    connection: [
      [form => form.host, 'config_form.enter_the_database_host'],
      [form => within(form.port, 1, 65535), 'config_form.port_a_number_up_to'],
      [form => form.database_name, 'config_form.enter_the_database_name'],
      [form => form.username, 'config_form.enter_the_database_user'],
      [
        form => form.ssl_mode !== 'verify-full' || form.ssl_ca_certificate,
        'config_form.paste_the_ca_certificate_to'
      ]
    ],
    tunnel: [
      [
        form => !form.use_ssh_tunnel || form.ssh_host,
        'config_form.enter_the_ssh_host'
      ],
      [
        form => !form.use_ssh_tunnel || within(form.ssh_port, 1, 65535),
        'config_form.ssh_port_a_number_up'
      ],
      [
        form => !form.use_ssh_tunnel || form.ssh_username,
        'config_form.enter_the_ssh_user'
      ]
    ],
    wallets: [
      [form => form.source_wallet_id, 'config_form.choose_the_source_wallet'],
      [
        form => /^([01]\d|2[0-3]):[0-5]\d$/.test(form.payout_time),
        'payouts.time_wrong'
      ],
      [form => isCeiling(form.payout_min_sats), 'payouts.smallest_wrong']
    ],
    polling: [
      [
        form => within(form.poll_interval_minutes, 1, 1440),
        'config_form.poll_every_1_to_1440'
      ],
      [
        form => within(form.look_back_days, 1, 365),
        'config_form.look_back_1_to_365'
      ],
      [
        form => isCeiling(form.max_sats_per_transaction),
        'config_form.ceiling_number'
      ],
      [form => isCeiling(form.max_sats_per_poll), 'config_form.ceiling_number'],
      [form => form.timezone, 'config_form.choose_a_time_zone']
    ]
  }

  // The first thing that is wrong in each step of the dialog, or undefined.
  const problems = form =>
    Object.fromEntries(
      Object.entries(RULES).map(([step, rules]) => [
        step,
        satmachine.tIf(rules.find(([isRight]) => !isRight(form))?.[1])
      ])
    )

  const body = (form, fingerprint) => {
    const text = name => (form[name] || '').trim()
    const data = {
      host: text('host'),
      port: Number(form.port),
      database_name: text('database_name'),
      username: text('username'),
      ssl_mode: form.ssl_mode,
      ssl_ca_certificate: text('ssl_ca_certificate') || null,
      source_wallet_id: form.source_wallet_id,
      commission_wallet_id: form.commission_wallet_id || null,
      credit_source_wallet: form.credit_source_wallet,
      use_ssh_tunnel: form.use_ssh_tunnel,
      ssh_host: text('ssh_host') || null,
      ssh_port: Number(form.ssh_port) || 22,
      ssh_username: text('ssh_username') || null,
      ssh_host_key_fingerprint: fingerprint,
      direction: form.direction,
      commission_method: form.commission_method,
      poll_interval_minutes: Number(form.poll_interval_minutes),
      look_back_days: Number(form.look_back_days),
      max_sats_per_transaction:
        Number(text('max_sats_per_transaction')) || null,
      max_sats_per_poll: Number(text('max_sats_per_poll')) || null,
      payout_schedule: form.payout_schedule,
      payout_time: form.payout_time,
      payout_weekday: form.payout_weekday,
      payout_min_sats: Number(text('payout_min_sats')) || null,
      timezone: form.timezone,
      is_active: form.is_active
    }
    if (form.another_database) data.another_database = true
    SECRETS.forEach(name => {
      if (form[name]) data[name] = form[name]
      else if (form.removed[name]) data[name] = null
    })
    return data
  }

  // Where a secret is sent to; a stored one is kept only for the same place.
  const PLACES = {
    database: [
      'host',
      'port',
      'username',
      'use_ssh_tunnel',
      'ssh_host',
      'ssh_port'
    ],
    ssh: ['ssh_host', 'ssh_port', 'ssh_username']
  }

  const secretHint = (name, form, saved) => {
    if (!saved?.[`has_${name}`]) return undefined
    if (saved.secrets_to_reenter?.includes(name)) {
      return satmachine.t('config_form.the_stored_one_cannot_be')
    }
    const place = PLACES[name === 'password' ? 'database' : 'ssh']
    return place.every(key => `${saved[key] ?? ''}` === `${form[key] ?? ''}`)
      ? satmachine.t('config_form.set_leave_empty_to_keep')
      : satmachine.t('config_form.the_way_there_changed_enter')
  }

  // Whether what is read is in another place than before.
  const hasMoved = (form, saved) =>
    Boolean(saved) &&
    ['host', 'port', 'database_name', 'use_ssh_tunnel', 'ssh_host', 'ssh_port']
      .filter(key => form.use_ssh_tunnel || !key.startsWith('ssh_'))
      .some(key => `${saved[key] ?? ''}` !== `${form[key] ?? ''}`)

  return {fill, problems, body, secretHint, hasMoved}
})()
