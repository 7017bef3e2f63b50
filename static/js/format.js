// Money, times and states in words. Money stays decimal text all the way:
// a number type is used for nothing but the length of a bar.
satmachine.format = (() => {
  const NONE = '–'
  const locale = () => window.i18n?.global?.locale || 'en'

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

  const sats = value =>
    value === null || value === undefined
      ? NONE
      : new Intl.NumberFormat(locale()).format(value)

  // '1500.00', 'GTQ' -> 'GTQ 1,500.00'. Intl takes the text itself: exact.
  const fiat = (value, currency) => {
    if (value === null || value === undefined || value === '') return NONE
    const match = split(value)
    if (!match) return `${value} ${currency || ''}`.trim()
    const decimals = (match[3] || '').length
    const number = new Intl.NumberFormat(locale(), {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals
    }).format(String(value).trim())
    return currency ? `${number} ${currency}` : number
  }

  // Of a sale that was not split there is no base and no commission to show.
  const base = tx =>
    tx.effective_commission === null ? NONE : sats(tx.base_amount_sats)
  const commission = tx =>
    tx.effective_commission === null ? NONE : sats(tx.commission_amount_sats)

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

  const time = iso => (iso ? LNbits.utils.formatDate(iso) : NONE)
  const exactTime = iso => (iso ? new Date(iso).toString() : '')
  const ago = iso => (iso ? LNbits.utils.formatDateFrom(iso) : 'never')

  const duration = ms => {
    if (ms === null || ms === undefined) return NONE
    return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
  }

  const shortId = id =>
    id && id.length > 12 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id || NONE

  const count = (number, one, many) =>
    `${sats(number)} ${number === 1 ? one : many || one + 's'}`

  // snake_case to words: 'ssh_host_key' -> 'SSH host key'.
  const words = name => {
    const text = String(name ?? '')
      .replace(/_/g, ' ')
      .replace(/\b(ssh|tls|sql|id)\b/gi, word => word.toUpperCase())
    return text.charAt(0).toUpperCase() + text.slice(1)
  }

  const STATES = {
    active: ['Active', 'positive', 'play_circle'],
    paused: ['Paused', 'warning', 'pause_circle'],
    closed: ['Closed', 'grey', 'do_not_disturb_on'],
    pending: ['Pending', 'warning', 'schedule'],
    confirmed: ['Confirmed', 'positive', 'check_circle'],
    rejected: ['Rejected', 'grey', 'cancel'],
    failed: ['Failed', 'negative', 'error'],
    voided: ['Voided', 'grey', 'block'],
    planned: ['Not fully paid', 'warning', 'schedule'],
    settling: ['Being paid', 'info', 'sync'],
    settled: ['Settled', 'positive', 'check_circle'],
    needs_review: ['Needs review', 'negative', 'flag'],
    dismissed: ['Dismissed', 'grey', 'block'],
    running: ['Running', 'info', 'sync'],
    succeeded: ['Succeeded', 'positive', 'check_circle'],
    ok: ['OK', 'positive', 'check_circle'],
    skipped: ['Skipped', 'grey', 'remove_circle_outline']
  }
  // Quasar's signal colours, each in a tone that can be read on this theme.
  const TONES = {
    positive: ['green-9', 'positive'],
    negative: ['negative', 'red-4'],
    warning: ['orange-10', 'warning'],
    info: ['light-blue-9', 'info'],
    grey: ['grey-8', 'grey-5']
  }
  const tone = name => TONES[name]?.[Quasar.Dark.isActive ? 1 : 0] || name

  const state = name => {
    const [label, color, icon] = STATES[name] || [words(name), 'grey', 'help']
    return {label, color: tone(color), icon}
  }

  const clientName = client =>
    client?.username || `Client ${shortId(client?.wallet_id || client?.id)}`

  const payeeName = payment =>
    payment.username || `Wallet ${shortId(payment.wallet_id)}`

  const walletName = id => {
    if (!id) return NONE
    const own = window.g.user?.wallets.find(wallet => wallet.id === id)
    return own ? own.name : `Wallet ${shortId(id)}`
  }

  const walletOptions = () =>
    (window.g.user?.wallets || []).map(wallet => ({
      value: wallet.id,
      label: `${wallet.name} (${sats(wallet.sat)} sats)`
    }))

  return {
    NONE,
    shift,
    sum,
    isAmount,
    sats,
    fiat,
    base,
    commission,
    percent,
    share,
    time,
    exactTime,
    ago,
    duration,
    shortId,
    count,
    words,
    tone,
    state,
    clientName,
    payeeName,
    walletName,
    walletOptions
  }
})()
