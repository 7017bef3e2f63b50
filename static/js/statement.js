// A statement to print: a client's cash and sats in a period, line by line.
// The address says whose and when: ?client_id=&from=&to=, both days included.

// One currency of a statement as the sheet shows it: one list of everything that
// moved, oldest first, with the balance after each line.
satmachine.account = currency => {
  const {t, format: fmt} = satmachine
  const fiat = amount => fmt.fiat(amount, currency.currency)
  const notes = {
    pending: t('statement.on_its_way'),
    failed: t('statement.not_paid_yet'),
    voided: t('statement.voided')
  }
  const moves = [
    ...currency.deposits.map(each => ({
      time: each.time,
      what: t('my_deposits.deposit'),
      note: each.notes,
      cash: each.amount
    })),
    ...currency.withdrawals.map(each => ({
      time: each.time,
      what: t('deposits.withdrawal'),
      note: each.notes,
      cash: fmt.negated(each.amount)
    })),
    ...currency.purchases.map(each => ({
      time: each.transaction_time,
      what:
        each.direction === 'settle_out'
          ? fmt.way(each.direction)
          : t('statement.purchase'),
      note: notes[each.status],
      cash: fmt.negated(each.amount_fiat),
      sats: fmt.sats(each.amount_sats),
      rate: fmt.fiat(each.exchange_rate),
      isVoid: each.status === 'voided'
    }))
  ].sort((one, other) => new Date(one.time) - new Date(other.time))

  let balance = currency.opening_balance
  moves.forEach(move => {
    if (!move.isVoid) balance = fmt.sum([balance, move.cash])
    move.balance = balance
  })
  const price = currency.average_price ? fiat(currency.average_price) : fmt.NONE
  return {
    ...currency,
    rows: moves,
    price,
    sums: [
      {name: t('statement.opening'), value: fiat(currency.opening_balance)},
      {name: t('deposits.deposits'), value: fiat(currency.total_deposits)},
      {
        name: t('statement.withdrawals'),
        value: fiat(currency.total_withdrawals)
      },
      {name: t('statement.bought'), value: fiat(currency.total_purchases)},
      {name: t('statement.closing'), value: fiat(currency.closing_balance)}
    ],
    sats: [
      {
        name: t('my_figures.received'),
        value: fmt.amount(currency.total_sats)
      },
      {
        name: t('my_figures.on_their_way'),
        value: fmt.amount(currency.waiting_sats)
      },
      {name: t('statement.average_price'), value: price}
    ]
  }
}

// Where offices have letter paper: by the country of the reader's language.
const usesLetter = () => {
  const {region} = new Intl.Locale(satmachine.format.locale()).maximize()
  return /^(US|CA|MX|GT|SV|HN|NI|CR|PA|DO|CO|VE|CL|PH|PR|BZ)$/.test(region)
}

window.app = Vue.createApp({
  el: '#vue',
  mixins: [window.windowMixin],
  data() {
    const query = new URLSearchParams(window.location.search)
    return {
      fmt: satmachine.format,
      clientId: query.get('client_id'),
      from: query.get('from') || '',
      to: query.get('to') || '',
      period: query.get('from') ? 'custom' : 'this_month',
      paper: usesLetter() ? 'letter' : 'A4',
      statement: null,
      loading: false,
      saving: false,
      failure: null
    }
  },
  computed: {
    // An admin sees any client's; everybody sees their own.
    isOperator() {
      return Boolean(window.g.user?.admin && this.clientId)
    },
    address() {
      const query = new URLSearchParams()
      if (this.clientId && !this.isOperator)
        query.set('client_id', this.clientId)
      if (this.from) query.set('from', this.from)
      if (this.to) query.set('to', this.to)
      const path = this.isOperator
        ? `/clients/${encodeURIComponent(this.clientId)}/statement`
        : '/me/statement'
      return {path, query}
    },
    back() {
      return this.isOperator ? '/satmachineclient/' : '/satmachineclient/my'
    },
    periods() {
      const {t} = satmachine
      return [
        {value: 'this_month', label: t('statement.this_month')},
        {value: 'last_month', label: t('statement.last_month')},
        {value: 'this_year', label: t('statement.this_year')},
        {value: 'custom', label: t('statement.custom')}
      ]
    },
    papers() {
      return [
        {value: 'A4', label: 'A4'},
        {value: 'letter', label: satmachine.t('statement.letter')}
      ]
    },
    range() {
      return `${this.date(this.statement.from)} – ${this.date(this.statement.to)}`
    },
    accounts() {
      return this.statement.currencies.map(satmachine.account)
    },
    columns() {
      const {t} = satmachine
      const number = label => ({label, isNumber: true})
      return {
        time: {label: t('statement.time')},
        what: {label: t('statement.what')},
        cash: number(t('my_payments.cash')),
        sats: number(t('my_payments.sats')),
        rate: number(t('statement.rate')),
        balance: number(t('statement.balance'))
      }
    }
  },
  watch: {
    // A page's size takes no variable, and a name for it is not kept to by every browser.
    paper: {
      immediate: true,
      handler(paper) {
        this.sheet ||= document.head.appendChild(
          document.createElement('style')
        )
        this.sheet.textContent = `@page { size: ${paper} portrait; }`
      }
    }
  },
  beforeCreate() {
    satmachine.addMessages()
  },
  created() {
    if (!window.g.wallet) window.g.wallet = window.g.user?.wallets[0] || null
    this.load()
  },
  methods: {
    // In the sheet a number says its currency in the heading.
    fiat(amount) {
      return this.fmt.fiat(amount)
    },
    // The operator's days and hours, wherever the reader is.
    time(iso) {
      return new Intl.DateTimeFormat(this.fmt.locale(), {
        dateStyle: 'medium',
        timeStyle: 'short',
        timeZone: this.statement.timezone
      }).format(new Date(iso))
    },
    date(day) {
      return new Intl.DateTimeFormat(this.fmt.locale(), {
        dateStyle: 'medium',
        timeZone: 'UTC'
      }).format(new Date(day))
    },
    choose(period) {
      this.period = period
      const [from, to] = this.days(period)
      this.from = from
      this.to = to
      if (period !== 'custom') this.load()
    },
    // The first and last day of a period as the operator's calendar has it.
    days(period) {
      if (period === 'this_month') return ['', '']
      const {statement} = this
      const zone = {timeZone: statement?.timezone}
      const today = new Intl.DateTimeFormat('en-CA', zone).format(new Date())
      if (period === 'this_year') return [`${today.slice(0, 4)}-01-01`, today]
      if (period === 'last_month') {
        const [year, month] = today.split('-').map(Number)
        const day = (m, d) =>
          new Date(Date.UTC(year, m, d)).toISOString().slice(0, 10)
        return [day(month - 2, 1), day(month - 1, 0)]
      }
      return [statement?.from || '', statement?.to || '']
    },
    async load() {
      const {path, query} = this.address
      const turn = (this.turn = (this.turn || 0) + 1)
      this.loading = true
      try {
        const statement = await satmachine.call('GET', `${path}?${query}`)
        if (turn !== this.turn) return
        this.statement = statement
        this.failure = null
        this.remember()
      } catch (error) {
        if (turn === this.turn) this.failure = satmachine.sentence(error)
      }
      this.loading = false
    },
    // The address of the page is that of the statement: it can be kept.
    remember() {
      const query = new URLSearchParams({
        client_id: this.statement.client_id,
        from: this.statement.from,
        to: this.statement.to
      })
      // What a browser calls the file when the page is printed into one.
      const {username, client_id: id, from, to} = this.statement
      const title = satmachine.t('statement.statement')
      document.title = `${title} ${username || id} ${from} ${to}`
      // Stands at the foot of every page on paper.
      document.documentElement.style.setProperty(
        '--sat-number',
        JSON.stringify(this.statement.number)
      )
      window.history.replaceState(window.history.state, '', `?${query}`)
    },
    async save() {
      const {path, query} = this.address
      query.set('format', 'csv')
      this.saving = true
      await satmachine.download(`${path}?${query}`)
      this.saving = false
    },
    print() {
      window.print()
    }
  }
})

Object.entries(satmachine.components).forEach(([name, component]) =>
  window.app.component(name, component)
)
