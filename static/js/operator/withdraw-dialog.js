// Handing cash back to a client: it leaves the machine and the client's balance.
satmachine.components['sat-withdraw-dialog'] = {
  template: '#sat-withdraw-dialog',
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: {}
    }
  },
  computed: {
    client() {
      return this.store.withdraw
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
    // Where it may be taken from: what lies in a machine, and the rest of it.
    places() {
      if (!this.balance) return []
      const parts = Object.entries(this.balance.remaining_by_machine || {})
      const rest = parts.reduce(
        (left, [, amount]) => this.fmt.sum([left, this.fmt.negated(amount)]),
        this.balance.remaining_balance
      )
      const label = (name, amount) =>
        `${name}: ${this.fmt.fiat(amount, this.form.currency)}`
      return [
        {
          value: null,
          amount: rest,
          label: label(satmachine.t('withdraw.any_machine'), rest)
        },
        ...parts.map(([id, amount]) => ({
          value: id,
          amount,
          label: label(satmachine.machineName(id), amount)
        }))
      ]
    },
    remaining() {
      const place = this.places.find(each => each.value === this.form.device)
      return place ? place.amount : '0'
    },
    amount() {
      const typed = this.form.amount.trim()
      const amount = this.fmt.decimalsOf(typed, this.remaining)
      return this.fmt.fiat(amount, this.form.currency)
    },
    problem() {
      const {t} = satmachine
      const amount = this.form.amount.trim()
      if (!this.fmt.isAmount(amount)) {
        return t('deposit_dialog.enter_an_amount_with_a')
      }
      if (this.fmt.isLess(this.remaining, amount)) return t('withdraw.too_much')
      return this.form.reason.trim() ? null : t('withdraw.say_why')
    }
  },
  watch: {
    client(client) {
      if (!client) return
      const [first] = this.balances
      this.form = {
        amount: '',
        currency: first?.currency,
        device: null,
        reason: ''
      }
    },
    // Another currency lies elsewhere: where there is any of it.
    'form.currency'() {
      const place = this.places.find(each => this.fmt.isAmount(each.amount))
      this.form.device = place ? place.value : null
    }
  },
  methods: {
    close() {
      this.store.withdraw = null
    },
    all() {
      this.form.amount = this.remaining
    },
    save() {
      const {t} = satmachine
      const {client, name, amount} = this
      const {currency, device, reason} = this.form
      satmachine.ask({
        title: t('withdraw.question', {amount}),
        text: t('withdraw.question_text'),
        facts: [
          {name: t('deposits.client'), value: name},
          {name: t('withdraw.amount'), value: amount},
          {name: t('deposits.reason'), value: reason.trim()}
        ],
        okLabel: t('withdraw.withdraw', {amount}),
        color: 'warning',
        run: () =>
          satmachine.call('POST', `/clients/${client.id}/withdrawals`, {
            amount: this.form.amount.trim(),
            currency,
            device_id: device,
            reason: reason.trim()
          }),
        done: () => {
          satmachine.notifySuccess(t('withdraw.done', {amount}))
          this.close()
          satmachine.changed()
        }
      })
    }
  }
}
