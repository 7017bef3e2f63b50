// Test Transaction: a made-up sale through the real arithmetic. First the plan
// alone; paying real sats for it is a second, deliberate step.
satmachine.components['sat-test-dialog'] = {
  template: '#sat-test-dialog',
  mixins: [satmachine.attempts],
  emits: ['open'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: {
        sats: '100000',
        fiat: '',
        currency: null,
        percent: '5.5',
        discount: '0',
        device: null
      },
      plan: null,
      planned: null
    }
  },
  computed: {
    isOpen: {
      get() {
        return Boolean(this.store.test)
      },
      set(open) {
        if (!open) this.store.test = null
      }
    },
    problem() {
      const {sats, fiat, currency, percent, discount} = this.form
      if (!/^\d+$/.test(sats.trim()) || !this.fmt.isAmount(sats)) {
        return satmachine.t('test_transaction.sats_have_to_be_a')
      }
      if (!this.fmt.isAmount(fiat)) {
        return satmachine.t('test_transaction.enter_the_fiat_amount_with')
      }
      if (!currency) return satmachine.t('test_transaction.choose_a_currency')
      if (this.fmt.shift(percent, -2) === null) {
        return satmachine.t('test_transaction.enter_the_commission_in_percent')
      }
      if (this.fmt.shift(discount, 0) === null) {
        return satmachine.t('test_transaction.enter_the_discount_in_percent')
      }
      return null
    },
    machines() {
      return [
        {value: null, label: satmachine.t('test_transaction.no_machine')},
        ...satmachine.machineOptions()
      ]
    },
    // The plan shown belongs to what is in the form now.
    isCurrent() {
      return this.plan && this.planned === JSON.stringify(this.body(true))
    }
  },
  watch: {
    isOpen(open) {
      if (!open) return
      this.plan = null
      this.failure = null
      this.form.currency = this.form.currency || satmachine.lastCurrency()
    }
  },
  methods: {
    body(dryRun) {
      const {sats, fiat, currency, percent, discount, device} = this.form
      return {
        crypto_amount_sats: Number(sats.trim()),
        fiat_amount: fiat.trim(),
        fiat_code: currency,
        commission_percentage: this.fmt.shift(percent, -2),
        discount: this.fmt.shift(discount, 0),
        device_id: device,
        dry_run: dryRun
      }
    },
    send(dryRun) {
      return satmachine.call('POST', '/test-transaction', this.body(dryRun))
    },
    preview() {
      return this.attempt(async () => {
        this.plan = await this.send(true)
        this.planned = JSON.stringify(this.body(true))
        satmachine.rememberCurrency(this.form.currency)
        this.$nextTick(() =>
          this.$refs.plan?.scrollIntoView({behavior: 'smooth'})
        )
      })
    },
    openStored() {
      const {id} = this.plan.transaction
      this.isOpen = false
      this.$emit('open', id)
    },
    execute() {
      const tx = this.plan.transaction
      satmachine.ask({
        title: satmachine.t('test_transaction.execute_with_real_sats_2'),
        text: satmachine.t('test_transaction.the_plan_is_carried_out'),
        facts: [
          {
            name: satmachine.t('test_transaction.to_clients'),
            value: this.fmt.amount(tx.distributed_sats)
          },
          {
            name: satmachine.t('test_transaction.commission'),
            value: this.fmt.amount(tx.commission_amount_sats)
          },
          {
            name: satmachine.t('test_transaction.fiat_of_the_sale'),
            value: this.fmt.fiat(tx.fiat_amount, tx.fiat_code)
          }
        ],
        icon: 'warning',
        okLabel: satmachine.t('test_transaction.pay_real_sats'),
        color: 'negative',
        run: () => this.send(false),
        done: result => {
          this.plan = result
          this.planned = null
          if (result.transaction.status === 'settled') {
            satmachine.notifySuccess(
              satmachine.t('test_transaction.test_transaction_executed')
            )
          }
          satmachine.changed()
        }
      })
    }
  }
}
