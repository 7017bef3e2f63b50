// The figures of My DCA: sats so far, cash left, what they cost, what they are worth.
satmachine.components['sat-my-figures'] = {
  template: '#sat-my-figures',
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      store: satmachine.store,
      // Asks for a rate, which may take a while: it comes on its own.
      value: null,
      valueFailed: false,
      history: null
    }
  },
  computed: {
    me() {
      return this.my.me
    },
    tiles() {
      const {t} = satmachine
      const {me} = this
      return [
        {
          icon: 'bolt',
          title: t('my_figures.received'),
          figures: [this.received]
        },
        {
          icon: 'price_check',
          title: t('my_figures.worth'),
          figures: this.worth,
          loading: true
        },
        {
          icon: 'query_stats',
          title: t('client_drawer.average_price'),
          figures: this.prices
        },
        {
          icon: 'savings',
          title:
            me.status === 'closed'
              ? t('my_header.cash_left')
              : t('my_figures.cash_left'),
          figures: me.balances.length
            ? me.balances.map(this.cash)
            : [this.none(t('parts.no_deposits_yet'))]
        }
      ]
    },
    received() {
      const {t} = satmachine
      const {me} = this
      const {amount} = this.fmt
      const lines = [
        {text: t('my_figures.in_30_days', {sats: amount(me.recent_sats)})}
      ]
      if (me.waiting_sats) {
        const sats = amount(me.waiting_sats)
        const text = t('my_figures.plus_on_their_way', {sats})
        lines.push({text, tone: 'warning'})
      }
      return {value: amount(me.total_sats), lines}
    },
    worth() {
      const {t} = satmachine
      const {fiat} = this.fmt
      const known = this.value?.values.filter(each => each.value !== null)
      if (!known?.length) {
        return this.value || this.valueFailed
          ? [this.none(t('my_figures.no_rate'))]
          : null
      }
      return known.map(each => {
        const rate = fiat(each.exchange_rate, each.currency)
        return {
          value: fiat(each.value, each.currency),
          lines: [{text: t('my_figures.at_rate', {rate})}]
        }
      })
    },
    prices() {
      const text = satmachine.t('my_figures.per_bitcoin')
      const prices = Object.entries(this.me.average_prices || {})
      if (!prices.length) return [this.none(text)]
      return prices.map(([currency, price], n) => ({
        value: this.fmt.fiat(price, currency),
        lines: n === prices.length - 1 ? [{text}] : []
      }))
    },
    charts() {
      const {t} = satmachine
      const {history} = this
      if (!history) return []
      const list = history.balance.map(line => ({
        title: t('client_drawer.balance_in', {currency: line.currency}),
        days: history.days,
        values: line.values,
        write: value => this.fmt.fiat(value, line.currency)
      }))
      if (history.sats) {
        list.unshift({
          title: t('my_figures.sats_over_time'),
          days: history.days,
          values: this.stack(history.sats),
          write: this.fmt.amount
        })
      }
      return list
    }
  },
  watch: {
    'store.changes'() {
      this.load()
    }
  },
  created() {
    this.load()
  },
  methods: {
    none(text) {
      return {value: this.fmt.NONE, lines: [{text}]}
    },
    cash(balance) {
      const {t} = satmachine
      const {fiat, isAmount, part} = this.fmt
      const {currency, remaining_balance: left, total_deposits: all} = balance
      const pending = balance.pending_deposits
      const lines = [
        {text: t('my_figures.of_deposited', {amount: fiat(all, currency)})}
      ]
      if (isAmount(pending)) {
        const amount = fiat(pending, currency)
        lines.push({text: t('parts.to_confirm', {amount}), tone: 'warning'})
      }
      return {
        value: fiat(left, currency),
        part: part(left, all),
        partName: t('parts.left_in', {currency}),
        lines
      }
    },
    // From the sats of each day to what there was at its end.
    stack(sats) {
      let sum = this.me.total_sats - sats.reduce((all, n) => all + n, 0)
      return sats.map(n => (sum += n))
    },
    load() {
      this.loadValue()
      return this.loadHistory()
    },
    async loadHistory() {
      try {
        const path = satmachine.my.path('/history')
        this.history = await satmachine.call('GET', path)
      } catch (error) {
        satmachine.notifyError(error)
      }
    },
    async loadValue() {
      try {
        const path = satmachine.my.path('/value')
        this.value = await satmachine.call('GET', path)
        this.valueFailed = false
      } catch {
        this.valueFailed = true
      }
    }
  }
}
