// The Overview tab: at a glance whether all is well, and where the money is.
satmachine.components['sat-overview'] = {
  template: '#sat-overview',
  emits: ['configure', 'go'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      currency: null
    }
  },
  computed: {
    figures() {
      return this.store.overview
    },
    series() {
      return this.figures.series
    },
    lastPoll() {
      return this.store.lastPoll || null
    },
    polls() {
      return this.figures.connection
    },
    source() {
      return this.figures.source
    },
    owed() {
      return this.source.owed_shares_sats + this.source.owed_commission_sats
    },
    // How much of what is owed the wallet covers, for a bar.
    covered() {
      return this.owed
        ? Math.min((this.owed - this.source.missing_sats) / this.owed, 1)
        : 1
    },
    periods() {
      const {t} = satmachine
      return [
        {name: t('overview.today'), ...this.figures.today},
        {name: t('overview.days_7'), ...this.figures.days_7},
        {name: t('overview.days_30'), ...this.figures.days_30}
      ]
    },
    currencies() {
      const {fiat, pool} = this.series
      return [...new Set([...pool, ...fiat].map(line => line.currency))].sort()
    },
    chosen() {
      return this.currencies.includes(this.currency)
        ? this.currency
        : this.mainCurrency
    },
    // The one that most days had sales in.
    mainCurrency() {
      const busy = line => line.values.filter(v => this.fmt.isAmount(v)).length
      const [first] = [...this.series.fiat].sort((a, b) => busy(b) - busy(a))
      return first?.currency || this.currencies[0] || null
    },
    charts() {
      const {t} = satmachine
      const {days, sats, commission_sats: commission} = this.series
      const fiat = value => this.fmt.fiat(value, this.chosen)
      const list = [
        {
          title: t('overview.sats_per_day'),
          values: sats,
          write: this.fmt.amount
        },
        {
          title: t('overview.commission_per_day'),
          values: commission,
          write: this.fmt.amount
        }
      ]
      if (this.chosen) {
        const currency = {currency: this.chosen}
        list.splice(1, 0, {
          title: t('overview.fiat_per_day', currency),
          values: this.line(this.series.fiat),
          write: fiat
        })
        list.push({
          kind: 'line',
          title: t('overview.pool_over_time', currency),
          values: this.line(this.series.pool),
          write: fiat
        })
      }
      return list.map(chart => ({kind: 'bar', days, ...chart}))
    }
  },
  methods: {
    line(lines) {
      const found = lines.find(line => line.currency === this.chosen)
      return found ? found.values : this.series.days.map(() => '0')
    },
    fiatOf(period) {
      return period.fiat
        .map(f => this.fmt.fiat(f.amount, f.currency))
        .join(' + ')
    },
    part(pool) {
      const total = Number(pool.total_deposits)
      return total > 0 ? Math.max(Number(pool.remaining) / total, 0) : 0
    },
    lasts(pool) {
      const {t} = satmachine
      if (pool.days_left === null) return t('overview.no_sales_yet')
      return pool.days_left < 1
        ? t('overview.lasts_less')
        : t('overview.lasts', {days: this.fmt.count(pool.days_left, 'day')})
    },
    isLow(pool) {
      return pool.days_left !== null && pool.days_left < 3
    }
  }
}
