// Money, times and states in words. Money stays decimal text all the way:
// a number type is used for nothing but the length of a bar.
satmachine.format = (() => {
  const NONE = '–'
  const {t} = satmachine

  // The operator's own form of the page's language, for numbers and times. For
  // Spanish that is Guatemala's (1,500.00), unless the browser says otherwise.
  const locale = () => {
    const language = window.i18n?.global?.locale || 'en'
    const own = navigator.languages.find(tag => tag.startsWith(`${language}-`))
    return own || (language === 'es' ? 'es-GT' : language)
  }

  const split = text => /^(-?)(\d*)(?:\.(\d*))?$/.exec(String(text).trim())

  // Moves the decimal point: shift('0.055', 2) is '5.5'. Null if no number.
  const shift = (text, places) => {
    const match = split(text)
    if (!match || !(match[2] || match[3])) return null
    let digits = match[2] + (match[3] || '')
    let point = match[2].length + places
    if (point <= 0) {
      digits = '0'.repeat(1 - point) + digits
      point = 1
    }
    digits = digits.padEnd(point, '0')
    const whole = digits.slice(0, point).replace(/^0+(?=\d)/, '')
    const rest = digits.slice(point).replace(/0+$/, '')
    const value = rest ? `${whole}.${rest}` : whole
    return match[1] && /[1-9]/.test(value) ? `-${value}` : value
  }

  // The exact sum of decimal texts, with the decimals of the longest.
  const sum = texts => {
    const matches = texts.map(split)
    if (!matches.every(Boolean)) return null
    const decimals = Math.max(0, ...matches.map(m => (m[3] || '').length))
    const units = matches.reduce((all, m) => {
      const digits = (m[2] || '0') + (m[3] || '').padEnd(decimals, '0')
      return all + BigInt(m[1] + digits)
    }, 0n)
    const text = String(units < 0n ? -units : units).padStart(decimals + 1, '0')
    const whole = text.slice(0, text.length - decimals)
    const sign = units < 0n ? '-' : ''
    return sign + (decimals ? `${whole}.${text.slice(-decimals)}` : whole)
  }

  const isAmount = text => {
    const match = split(text)
    return Boolean(match && !match[1] && match[2] && /[1-9]/.test(text))
  }

  const isNegative = text => String(text).startsWith('-')

  // A decimal text with the other sign.
  const negated = text => (isNegative(text) ? text.slice(1) : `-${text}`)

  // Whether one decimal text is less than another.
  const isLess = (one, other) => isNegative(sum([one, negated(other)]) || '')

  // A typed amount with all the decimals that another one has: '5', '0.00' -> '5.00'.
  const decimalsOf = (typed, other) => sum([typed, other, negated(other)])

  const sats = value =>
    value === null || value === undefined
      ? NONE
      : new Intl.NumberFormat(locale()).format(value)

  const amount = value => t('count.sats', {n: sats(value)})

  // '1500.00', 'GTQ' -> 'GTQ 1,500.00' or 'Q1,500.00', as the locale has it.
  // Intl takes the text itself, so it stays exact.
  const fiat = (value, currency) => {
    if (value === null || value === undefined || value === '') return NONE
    const match = split(value)
    if (!match) return `${value} ${currency || ''}`.trim()
    const decimals = (match[3] || '').length
    return new Intl.NumberFormat(locale(), {
      ...(/^[A-Z]{3}$/.test(currency || '')
        ? {style: 'currency', currency}
        : {}),
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals
    }).format(String(value).trim())
  }

  // Of a sale that was not split there is no base and no commission to show.
  const base = tx =>
    tx.effective_commission === null ? NONE : sats(tx.base_amount_sats)
  const commission = tx =>
    tx.effective_commission === null ? NONE : sats(tx.commission_amount_sats)

  // What is left of a whole, for the length of a bar.
  const part = (left, whole) =>
    Number(whole) > 0 ? Math.max(Number(left) / Number(whole), 0) : 0

  // A fraction as text to percent: '0.05500' -> '5.5 %'.
  const percent = fraction => {
    const value = shift(fraction ?? '', 2)
    return value === null ? NONE : `${value} %`
  }

  // A share is shown with two decimals; it is a proportion, not money.
  const share = fraction => {
    const value = Number(fraction)
    return fraction === null || fraction === undefined || Number.isNaN(value)
      ? NONE
      : `${(value * 100).toFixed(2)} %`
  }

  const timeAs = options => iso =>
    iso
      ? new Intl.DateTimeFormat(locale(), options).format(new Date(iso))
      : NONE
  // The year is said where it is not this one; the exact time is on hover.
  const time = iso =>
    timeAs({
      day: 'numeric',
      month: 'short',
      hour: 'numeric',
      minute: '2-digit',
      ...(iso && new Date(iso).getFullYear() !== new Date().getFullYear()
        ? {year: 'numeric'}
        : {})
    })(iso)
  const exactTime = iso =>
    iso ? `${timeAs({dateStyle: 'full', timeStyle: 'long'})(iso)} (${iso})` : ''
  const date = timeAs({dateStyle: 'medium'})
  // A date without a time: no time zone may move it.
  const day = date =>
    timeAs({day: 'numeric', month: 'short', timeZone: 'UTC'})(date)
  // '2026-03', in words.
  const month = name =>
    timeAs({month: 'long', year: 'numeric', timeZone: 'UTC'})(`${name}-01`)

  const UNITS = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1]
  ]
  // '5 minutes ago', 'in 2 hours'.
  const ago = iso => {
    if (!iso) return t('format.never')
    const seconds = Math.round((new Date(iso) - Date.now()) / 1000)
    if (Math.abs(seconds) < 10) return t('format.just_now')
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size)
    return new Intl.RelativeTimeFormat(locale(), {numeric: 'auto'}).format(
      Math.round(seconds / size),
      unit
    )
  }

  // 0 is Monday, as the server counts.
  const weekdays = () =>
    [...Array(7).keys()].map(value => ({
      value,
      label: new Intl.DateTimeFormat(locale(), {
        weekday: 'long',
        timeZone: 'UTC'
      }).format(new Date(Date.UTC(2024, 0, 1 + value)))
    }))

  // The same of something to come, which is late by a moment rather than over.
  const ahead = iso =>
    new Date(iso) - Date.now() < 10000 ? t('format.any_moment') : ago(iso)

  const duration = ms => {
    if (ms === null || ms === undefined) return NONE
    return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
  }

  const shortId = id =>
    id && id.length > 12 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id || NONE

  // count(2, 'sale') is '2 sales'; the words are in the language files.
  const count = (number, what) =>
    t(`count.${what}_${number === 1 ? 'one' : 'many'}`, {n: sats(number)})

  const known = (group, name) => {
    const key = `satmachineclient.${group}.${name}`
    return window.i18n.global.te(key, 'en')
      ? t(`${group}.${name}`)
      : words(name)
  }
  // What the server says, as it goes out with its codes: in the page's language as far as
  // there are words for it.
  const told = (sentences, text) =>
    sentences?.length
      ? sentences.map(sentence).reduce(
          // What is no whole sentence does not end like one.
          (all, next) => `${all}${/[.!?…;]$/.test(all) ? '' : ';'} ${next}`
        )
      : text
  const sentence = ({code, field, values, within, text}) => {
    if (
      !code ||
      !window.i18n.global.te(`satmachineclient.told.${code}`, 'en')
    ) {
      return text
    }
    const own = Object.entries(within || {}).map(([name, sentences]) => [
      name,
      told(sentences)
    ])
    const said = t(`told.${code}`, {
      ...values,
      ...(values.state && {state: state(values.state).label}),
      ...(values.moved && {moved: fieldName(values.moved)}),
      ...(code.startsWith('secrets_') && {
        names: values.names.split(', ').map(fieldName).join(', ')
      }),
      ...Object.fromEntries(own)
    })
    return field ? `${fieldName(field)}: ${said}` : said
  }
  // What an error is about, as the page calls it.
  const fieldName = field => {
    const name = field.split('.').find(part => !/^\d+$/.test(part)) || field
    const key = `audit_fields.${name}`
    return window.i18n.global.te(`satmachineclient.${key}`, 'en')
      ? t(key)
      : words(name)
  }
  const step = name => known('steps', name)
  // How a client's cash became sats, in words for the client.
  const way = name => known('ways', name)
  const trigger = name => known('triggers', name)
  const difference = name => known('differences', name)
  // What a machine holds notes in: 'cassette1' -> 'Cassette 1'.
  const unit = name =>
    name.replace(/^[a-z]+/, kind => `${known('units', kind)} `).trim()
  const direction = name => known('directions', name)
  const DIRECTIONS = {
    cash_out: 'north_east',
    cash_in: 'south_west',
    settle_out: 'request_quote'
  }
  const directionIcon = name => DIRECTIONS[name] || 'help'

  // snake_case to words: 'ssh_host_key' -> 'SSH host key'.
  const words = name => {
    const text = String(name ?? '')
      .replace(/_/g, ' ')
      .replace(/\b(ssh|tls|sql|id)\b/gi, word => word.toUpperCase())
    return text.charAt(0).toUpperCase() + text.slice(1)
  }

  const STATES = {
    active: ['positive', 'play_circle'],
    ended: ['grey', 'stop_circle'],
    paused: ['warning', 'pause_circle'],
    closed: ['grey', 'do_not_disturb_on'],
    pending: ['warning', 'schedule'],
    in_flight: ['info', 'sync'],
    confirmed: ['positive', 'check_circle'],
    rejected: ['grey', 'cancel'],
    failed: ['negative', 'error'],
    voided: ['grey', 'block'],
    planned: ['warning', 'schedule'],
    settling: ['info', 'sync'],
    settled: ['positive', 'check_circle'],
    needs_review: ['negative', 'flag'],
    dismissed: ['grey', 'block'],
    running: ['info', 'sync'],
    succeeded: ['positive', 'check_circle'],
    ok: ['positive', 'check_circle'],
    skipped: ['grey', 'remove_circle_outline'],
    testing: ['info', 'hourglass_empty']
  }
  // Quasar's signal colours, each in a tone that can be read on this theme.
  const TONES = {
    positive: ['green-9', 'positive'],
    negative: ['negative', 'red-4'],
    warning: ['deep-orange-10', 'warning'],
    info: ['light-blue-9', 'info'],
    grey: ['grey-8', 'grey-5']
  }
  const tone = name => TONES[name]?.[Quasar.Dark.isActive ? 1 : 0] || name

  const state = name => {
    const [color, icon] = STATES[name] || ['grey', 'help']
    return {label: known('states', name), color: tone(color), icon}
  }

  // The choice of a filter by state.
  const stateOptions = names =>
    names.map(value => ({value, label: state(value).label}))

  const clientName = client =>
    client?.username ||
    t('format.client', {id: shortId(client?.wallet_id || client?.id)})

  // How a client takes part, in a few words.
  const mode = client =>
    client.dca_mode === 'fixed'
      ? t('clients.fixed', {
          amount: fiat(client.fixed_mode_daily_limit, client.currency)
        })
      : t('clients.flow')

  // The balances that have something left, and the same in words.
  const withCash = client =>
    (client.balances || []).filter(each => isAmount(each.remaining_balance))
  const cashLeft = client =>
    withCash(client)
      .map(each => fiat(each.remaining_balance, each.currency))
      .join(', ')

  // Of a client in fixed mode, what lies in other currencies than the daily limit's.
  const idleCash = client =>
    client.dca_mode === 'fixed'
      ? withCash(client)
          .filter(each => each.currency !== client.currency)
          .map(each => fiat(each.remaining_balance, each.currency))
          .join(', ')
      : ''

  const payeeName = payment =>
    payment.username || t('format.wallet', {id: shortId(payment.wallet_id)})

  const walletName = id => {
    if (!id) return NONE
    const own = window.g.user?.wallets.find(wallet => wallet.id === id)
    return own ? own.name : t('format.wallet', {id: shortId(id)})
  }

  // Where a payment to or from a wallet is seen: that wallet's page, if it is one's own.
  const walletPage = id =>
    window.g.user?.wallets.some(wallet => wallet.id === id)
      ? `/wallet/${id}`
      : null

  const walletOptions = () =>
    (window.g.user?.wallets || []).map(wallet => ({
      value: wallet.id,
      label: t('format.wallet_option', {name: wallet.name, n: sats(wallet.sat)})
    }))

  return {
    NONE,
    locale,
    amount,
    date,
    day,
    month,
    told,
    step,
    way,
    trigger,
    difference,
    unit,
    direction,
    directionIcon,
    shift,
    sum,
    isAmount,
    isLess,
    isNegative,
    negated,
    decimalsOf,
    split,
    sats,
    fiat,
    base,
    commission,
    part,
    percent,
    share,
    time,
    exactTime,
    ago,
    ahead,
    weekdays,
    duration,
    shortId,
    count,
    words,
    tone,
    state,
    stateOptions,
    clientName,
    mode,
    withCash,
    cashLeft,
    idleCash,
    payeeName,
    walletName,
    walletPage,
    walletOptions
  }
})()
