// One sale in full: the arithmetic, each client's part, and what a person can
// decide about it.
satmachine.components['sat-transaction-dialog'] = {
  template: '#sat-transaction-dialog',
  props: {modelValue: String},
  emits: ['update:modelValue'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      transaction: null,
      payments: [],
      loading: false,
      failure: null
    }
  },
  computed: {
    isOpen: {
      get() {
        return Boolean(this.modelValue)
      },
      set(open) {
        if (!open) this.$emit('update:modelValue', null)
      }
    },
    openPayments() {
      return this.payments.filter(satmachine.isOpenPayment)
    },
    // Not fully paid may also mean that the commission is still to be paid.
    canRetry() {
      return (
        this.openPayments.length > 0 || this.transaction.status === 'planned'
      )
    },
    // The two transfers of a sale that are no client's.
    transfers() {
      const tx = this.transaction
      const list = []
      const paid = status => this.fmt.state(status).label.toLowerCase()
      if (tx.commission_wallet_id) {
        list.push({
          name: 'Commission wallet',
          value: this.fmt.walletName(tx.commission_wallet_id),
          caption:
            tx.commission_status && tx.commission_status !== 'none'
              ? `Payment ${paid(tx.commission_status)}`
              : ''
        })
      } else if (tx.effective_commission !== null) {
        list.push({
          name: 'Commission wallet',
          value: 'None: stays in the source wallet'
        })
      }
      if (tx.credit_status && tx.credit_status !== 'none') {
        list.push({
          name: 'Credit of the source wallet',
          value: this.fmt.state(tx.credit_status).label
        })
      }
      return list
    },
    needsReview() {
      return this.transaction.status === 'needs_review'
    },
    undistributedText() {
      const tx = this.transaction
      if (!tx.undistributed_sats) return 'Nothing is left over'
      const fiat = this.fmt.fiat(tx.undistributed_fiat, tx.fiat_code)
      return ['needs_review', 'dismissed'].includes(tx.status)
        ? `${fiat}, not shared out`
        : `${fiat}, stays in the source wallet`
    },
    facts() {
      return Object.entries(this.transaction.lamassu_facts || {}).map(
        ([name, value]) => ({
          name,
          value:
            value !== null && typeof value === 'object'
              ? JSON.stringify(value)
              : String(value)
        })
      )
    }
  },
  watch: {
    modelValue(id) {
      if (!id) return
      this.transaction = null
      this.payments = []
      this.load()
    },
    'store.changes'() {
      if (this.modelValue) this.load()
    }
  },
  methods: {
    async load() {
      const id = this.modelValue
      this.loading = true
      this.failure = null
      try {
        const query = new URLSearchParams({id, limit: 1})
        const [page, payments] = await Promise.all([
          satmachine.call('GET', `/transactions/paginated?${query}`),
          satmachine.call('GET', `/transactions/${id}/distributions`)
        ])
        if (id !== this.modelValue) return
        this.transaction = page.data[0] || null
        this.payments = payments
        if (!this.transaction) this.failure = 'This transaction is not there.'
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.loading = false
      }
    },
    paymentFacts(payment) {
      return [
        {name: 'Client', value: this.fmt.payeeName(payment)},
        {name: 'Sats', value: this.fmt.sats(payment.amount_sats)},
        {
          name: 'For cash of',
          value: this.fmt.fiat(payment.amount_fiat, payment.currency)
        }
      ].concat(payment.error ? [{name: 'Error', value: payment.error}] : [])
    },
    done(message) {
      return () => {
        satmachine.notifySuccess(message)
        satmachine.changed()
      }
    },
    // What became of it: a payment that was tried again may well be open still.
    retried(payments) {
      const left = payments.filter(satmachine.isOpenPayment)
      if (!left.length) {
        satmachine.notifySuccess('Paid')
      } else {
        const errors = [...new Set(left.map(p => p.error).filter(Boolean))]
        Quasar.Notify.create({
          type: 'warning',
          message: `${this.fmt.count(left.length, 'payment')} not through yet`,
          caption: errors.join(' '),
          timeout: 10000,
          closeBtn: true
        })
      }
      satmachine.changed()
    },
    retry(payment) {
      satmachine.ask({
        title: 'Try this payment again?',
        text: 'The sats are sent from the source wallet to the client’s wallet. A payment that went through before is not sent twice.',
        facts: this.paymentFacts(payment),
        okLabel: 'Retry payment',
        run: () => satmachine.call('POST', `/payments/${payment.id}/retry`),
        done: result => this.retried([result])
      })
    },
    retryAll() {
      const sats = this.openPayments.reduce((all, p) => all + p.amount_sats, 0)
      satmachine.ask({
        title: 'Try all open payments of this sale again?',
        text: 'The sats are sent from the source wallet. Payments that went through before are not sent twice.',
        facts: [
          {name: 'Open payments', value: String(this.openPayments.length)},
          {name: 'Sats', value: this.fmt.sats(sats)}
        ],
        okLabel: 'Retry all',
        run: () =>
          satmachine.call('POST', `/transactions/${this.modelValue}/retry`),
        done: results => this.retried(results)
      })
    },
    voidPayment(payment) {
      satmachine.ask({
        title: 'Void this payment?',
        text: 'The sats are not sent, and the cash they stand for returns to the client’s balance. The payment stays in the records as voided.',
        facts: this.paymentFacts(payment),
        fields: [
          {
            name: 'reason',
            label: 'Reason',
            required: true,
            hint: 'Kept with the payment'
          }
        ],
        okLabel: 'Void payment',
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/payments/${payment.id}/void`, values),
        done: this.done('Payment voided')
      })
    },
    distribute() {
      const tx = this.transaction
      satmachine.ask({
        title: 'Distribute this sale?',
        text: 'It is shared among the clients like any other sale, and the sats are paid out.',
        facts: [
          {name: 'Total sats', value: this.fmt.sats(tx.crypto_amount_sats)},
          {
            name: 'Fiat of the sale',
            value: this.fmt.fiat(tx.fiat_amount, tx.fiat_code)
          }
        ],
        fields: [
          {
            name: 'fiat_amount',
            label: `Cash that really came out (${tx.fiat_code}, optional)`,
            hint: 'Leave empty if it was the whole amount. Decimals with a point.',
            decimal: true
          },
          {name: 'notes', label: 'Notes (optional)', long: true}
        ],
        okLabel: 'Distribute',
        color: 'positive',
        run: values =>
          satmachine.call(
            'POST',
            `/transactions/${tx.id}/distribute`,
            Object.fromEntries(
              Object.entries(values).filter(([, value]) => value)
            )
          ),
        done: this.done('Sale distributed')
      })
    },
    dismiss() {
      const tx = this.transaction
      satmachine.ask({
        title: 'Dismiss this sale?',
        text: 'Nothing of it is shared or paid out. It stays in the records as dismissed.',
        facts: [
          {name: 'Total sats', value: this.fmt.sats(tx.crypto_amount_sats)},
          {
            name: 'Fiat of the sale',
            value: this.fmt.fiat(tx.fiat_amount, tx.fiat_code)
          }
        ],
        fields: [
          {
            name: 'notes',
            label: 'Why it is dismissed',
            required: true,
            long: true,
            hint: 'Kept with the transaction'
          }
        ],
        okLabel: 'Dismiss',
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/transactions/${tx.id}/dismiss`, values),
        done: this.done('Sale dismissed')
      })
    }
  }
}
