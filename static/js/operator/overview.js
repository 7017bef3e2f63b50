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
    tiles() {
      const {t} = satmachine
      return [
        {
          icon: 'sync',
          title: t('overview.polls'),
          figures: [this.pollFigure]
        },
        {
          icon: 'account_balance_wallet',
          title: t('overview.source'),
          figures: [this.sourceFigure]
        },
        {
          icon: 'savings',
          title: t('overview.pool'),
          figures: this.figures.pools.length
            ? this.figures.pools.map(this.poolFigure)
            : [{lines: [{text: t('overview.no_deposits'), normal: true}]}]
        }
      ]
    },
    pollFigure() {
      const {t} = satmachine
      const {lastPoll: poll, fmt} = this
      const next = this.polls.next_poll
      const due = {
        text: next
          ? t('overview.next_poll', {time: fmt.ahead(next)})
          : t('overview.no_next_poll'),
        title: fmt.exactTime(next)
      }
      if (!poll) return {value: t('overview.not_polled'), lines: [due]}
      const counts = {
        found: poll.found,
        new: poll.new,
        payments: fmt.count(poll.confirmed_payments, 'payment')
      }
      return {
        value: fmt.ago(poll.started_at),
        title: fmt.exactTime(poll.started_at),
        state: poll.status,
        lines: [
          {
            text:
              (poll.error && fmt.told(poll.told, poll.error)) ||
              t('overview.poll_counts', counts),
            tone: poll.error ? 'negative' : null,
            normal: true
          },
          {
            text: poll.problem && fmt.told(poll.told),
            tone: 'warning',
            normal: true
          },
          due
        ]
      }
    },
    sourceFigure() {
      const {t} = satmachine
      const {source} = this
      const {amount} = this.fmt
      const plain = text => ({lines: [{text, normal: true}]})
      if (!source) return plain(t('overview.no_source'))
      if (!source.exists) return plain(t('overview.source_gone'))
      const shares = source.owed_shares_sats
      const commission = source.owed_commission_sats
      const owed = shares + commission
      const missing = source.missing_sats
      const words = {shares: amount(shares), commission: amount(commission)}
      return {
        value: amount(source.balance_sats),
        above: [
          {
            text: owed ? t('overview.owed', words) : t('overview.nothing_owed'),
            normal: true
          }
        ],
        // How much of what is owed the wallet covers.
        part: owed ? Math.min((owed - missing) / owed, 1) : 1,
        partColor: missing ? 'negative' : 'positive',
        partName: t('overview.covered'),
        lines: [
          missing && {
            text: t('overview.missing', {sats: amount(missing)}),
            tone: 'negative',
            normal: true,
            bold: true
          },
          ...this.payoutLines
        ].filter(Boolean)
      }
    },
    // What waits for nothing but its time.
    waiting() {
      const {scheduled_payments: number, scheduled_sats: sats} =
        this.figures.attention
      return {number, sats: this.fmt.amount(sats)}
    },
    payoutLines() {
      const {t} = satmachine
      const {next_payout: next} = this.polls
      const lines = []
      if (this.waiting.number) {
        lines.push({text: t('payouts.waiting', {sats: this.waiting.sats})})
      }
      if (next) {
        const time = this.fmt.time(next)
        lines.push({
          text: t('payouts.next', {time}),
          title: this.fmt.exactTime(next)
        })
      }
      return lines
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
    payAllNow() {
      const {t} = satmachine
      const {number, sats} = this.waiting
      satmachine.ask({
        title: t('payouts.now'),
        text: t('payouts.now_text'),
        facts: [
          {
            name: t('payouts.payments'),
            value: this.fmt.count(number, 'payment')
          },
          {name: t('payouts.sum'), value: sats}
        ],
        icon: 'payments',
        okLabel: t('payouts.now'),
        run: () => satmachine.call('POST', '/payouts/now'),
        done: paid => {
          const what = this.fmt.amount(paid.distributed_sats)
          satmachine.notifySuccess(t('payouts.paid', {sats: what}))
          satmachine.changed()
        }
      })
    },
    line(lines) {
      const found = lines.find(line => line.currency === this.chosen)
      return found ? found.values : this.series.days.map(() => '0')
    },
    fiatOf(period) {
      return period.fiat
        .map(f => this.fmt.fiat(f.amount, f.currency))
        .join(' + ')
    },
    poolFigure(pool) {
      const {t} = satmachine
      const {fmt} = this
      return {
        value: fmt.fiat(pool.remaining, pool.currency),
        remark: this.lasts(pool),
        remarkTone: this.isLow(pool) ? 'warning' : null,
        part: fmt.part(pool.remaining, pool.total_deposits),
        partName: t('parts.left_in', {currency: pool.currency}),
        lines: [
          {
            text: t('overview.pool_of', {
              total: fmt.fiat(pool.total_deposits, pool.currency),
              clients: fmt.count(pool.clients, 'client')
            })
          }
        ]
      }
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
