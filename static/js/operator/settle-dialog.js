// Settling with a client who leaves: the rest of the cash is paid in sats at an
// agreed rate, or handed back.
satmachine.components['sat-settle-dialog'] = {
  template: '#sat-settle-dialog',
  mixins: [satmachine.attempts],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: {},
      preview: null,
      previewedRate: null,
      values: []
    }
  },
  computed: {
    client() {
      return this.store.settle
    },
    name() {
      return this.fmt.clientName(this.client)
    },
    balances() {
      return this.client ? this.fmt.withCash(this.client) : []
    },
    balance() {
      return this.balances.find(b => b.currency === this.form.currency)
    },
    rest() {
      const {balance} = this
      return balance
        ? this.fmt.fiat(balance.remaining_balance, balance.currency)
        : this.fmt.NONE
    },
    // Other currencies that have something left: the client is not closed yet.
    others() {
      return this.balances
        .filter(b => b.currency !== this.form.currency)
        .map(b => this.fmt.fiat(b.remaining_balance, b.currency))
        .join(', ')
    },
    pending() {
      const {balance} = this
      return balance && this.fmt.isAmount(balance.pending_deposits)
        ? this.fmt.fiat(balance.pending_deposits, balance.currency)
        : null
    },
    // Rates to start from: what LNbits knows, and what the client has paid so far.
    rates() {
      const {t} = satmachine
      const {currency} = this.form
      const own = this.values.find(each => each.currency === currency)
      const today = own?.exchange_rate
      const average = this.client.average_prices?.[currency]
      const words = value => ({rate: this.fmt.fiat(value, currency)})
      const list = []
      if (today) {
        list.push({value: today, label: t('settle.rate_now', words(today))})
      }
      if (average) {
        const label = t('settle.rate_average', words(average))
        list.push({value: average, label})
      }
      return list
    },
    isSats() {
      return this.form.way === 'sats'
    },
    problem() {
      const {t} = satmachine
      if (this.pending) return t('settle.decide_deposits_first')
      if (this.isSats && !this.fmt.isAmount(this.form.rate.trim())) {
        return t('settle.enter_a_rate')
      }
      return this.form.reason.trim() ? null : t('withdraw.say_why')
    },
    sats() {
      return this.sum(this.preview?.distributions || [])
    },
    // Said before anything is confirmed: what is short now is owed, and paid later.
    short() {
      const {preview, fmt} = this
      if (!preview?.missing_sats) return null
      return satmachine.t('settle.short', {
        balance: fmt.amount(preview.source_balance_sats ?? 0),
        missing: fmt.amount(preview.missing_sats)
      })
    },
    isPreviewed() {
      return this.preview && this.previewedRate === this.form.rate.trim()
    },
    // What the button does, in words.
    next() {
      const {t} = satmachine
      const {rest} = this
      if (!this.isSats) return t('settle.hand', {rest})
      return this.isPreviewed
        ? t('settle.pay', {sats: this.fmt.amount(this.sats)})
        : t('test_transaction.preview')
    }
  },
  watch: {
    client(client) {
      if (!client) return
      this.failure = null
      this.preview = null
      const [first] = this.balances
      const reason = satmachine.t('settle.default_reason')
      this.form = {way: 'sats', currency: first?.currency, rate: '', reason}
      this.loadRates()
    },
    'form.currency'() {
      this.preview = null
    }
  },
  methods: {
    sum(payments) {
      return payments.reduce((all, payment) => all + payment.amount_sats, 0)
    },
    close() {
      this.store.settle = null
    },
    async loadRates() {
      const {client} = this
      this.values = []
      try {
        const path = `/clients/${client.id}/value`
        const {values} = await satmachine.call('GET', path)
        if (client === this.client) this.values = values
      } catch (error) {
        console.warn('rates', satmachine.sentence(error))
      }
    },
    body(isDryRun) {
      return {
        currency: this.form.currency,
        exchange_rate: this.form.rate.trim(),
        reason: this.form.reason.trim(),
        dry_run: isDryRun
      }
    },
    settle(isDryRun) {
      const path = `/clients/${this.client.id}/settle-out`
      return satmachine.call('POST', path, this.body(isDryRun))
    },
    goOn() {
      if (!this.isSats) this.askCash()
      else if (this.isPreviewed) this.askSats()
      else this.look()
    },
    look() {
      return this.attempt(async () => {
        const rate = this.form.rate.trim()
        this.preview = await this.settle(true)
        this.previewedRate = rate
      })
    },
    askSats() {
      const {t} = satmachine
      const {name, rest} = this
      const sats = this.fmt.amount(this.sats)
      satmachine.ask({
        title: t('settle.pay_question', {sats, name}),
        text: t('settle.pay_text'),
        facts: [
          {name: t('settle.rest'), value: rest},
          {
            name: t('settle.rate'),
            value: this.fmt.fiat(this.form.rate.trim(), this.form.currency)
          },
          {name: t('settle.sats_paid'), value: sats},
          ...(this.short ? [{name: t('settle.source'), value: this.short}] : [])
        ],
        okLabel: t('settle.pay', {sats}),
        color: 'negative',
        run: () => this.settle(false),
        // What the source wallet cannot cover is owed, and paid by a later poll.
        done: ({distributions}) => {
          const isPaid = distributions.every(p => p.status === 'confirmed')
          const words = {sats: this.fmt.amount(this.sum(distributions)), name}
          if (isPaid) satmachine.notifySuccess(t('settle.paid', words))
          else satmachine.notifyWarning(t('settle.owed', words))
          this.finish()
        }
      })
    },
    askCash() {
      const {t} = satmachine
      const {name, rest} = this
      satmachine.ask({
        title: t('settle.hand_question', {rest, name}),
        text: t('settle.hand_text'),
        facts: [{name: t('settle.rest'), value: rest}],
        okLabel: t('settle.hand', {rest}),
        color: 'negative',
        run: this.handBack,
        done: () => {
          satmachine.notifySuccess(t('settle.handed', {rest, name}))
          this.finish()
        }
      })
    },
    // Closed first: no sale takes from the rest while it is being counted.
    async handBack() {
      const {client, others} = this
      const {currency, remaining_balance: amount} = this.balance
      const path = `/clients/${client.id}`
      if (!others) await satmachine.call('PUT', path, {status: 'closed'})
      const reason = this.form.reason.trim()
      const data = {amount, currency, reason}
      await satmachine.call('POST', `${path}/withdrawals`, data)
    },
    finish() {
      this.close()
      satmachine.changed()
    }
  }
}
