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
    prices() {
      return Object.entries(this.me.average_prices || {}).map(
        ([currency, price]) => this.fmt.fiat(price, currency)
      )
    },
    values() {
      return (this.value?.values || []).filter(each => each.value !== null)
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
    part(balance) {
      const total = Number(balance.total_deposits)
      return total > 0 ? Number(balance.remaining_balance) / total : 0
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
