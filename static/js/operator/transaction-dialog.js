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
      commission: [],
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
      const paid = status => this.fmt.state(status).label
      if (tx.commission_wallet_id) {
        list.push({
          name: satmachine.t('transaction_dialog.commission_wallet'),
          value: this.fmt.walletName(tx.commission_wallet_id),
          caption:
            tx.commission_status && tx.commission_status !== 'none'
              ? satmachine.t('transaction_dialog.payment_state', {
                  state: paid(tx.commission_status)
                })
              : ''
        })
      } else if (tx.effective_commission !== null) {
        list.push({
          name: satmachine.t('transaction_dialog.commission_wallet'),
          value: satmachine.t('transaction_dialog.none_stays_in_the_source')
        })
      }
      if (tx.credit_status && tx.credit_status !== 'none') {
        list.push({
          name: satmachine.t('transaction_dialog.credit_of_the_source_wallet'),
          value: this.fmt.state(tx.credit_status).label
        })
      }
      return list
    },
    needsReview() {
      return this.transaction.status === 'needs_review'
    },
    // Nothing of it has moved, and it has waited: whether LNbits has booked any of it, the server
    // looks before it does so.
    canTakeBack() {
      const tx = this.transaction
      return (
        tx.status === 'planned' &&
        tx.credit_status !== 'confirmed' &&
        tx.commission_status !== 'confirmed' &&
        this.payments.every(payment => payment.status !== 'confirmed')
      )
    },
    undistributedText() {
      const tx = this.transaction
      if (!tx.undistributed_sats)
        return satmachine.t('transaction_dialog.nothing_is_left_over')
      const fiat = this.fmt.fiat(tx.undistributed_fiat, tx.fiat_code)
      return ['needs_review', 'dismissed'].includes(tx.status)
        ? satmachine.t('transaction_dialog.not_shared', {fiat})
        : satmachine.t('transaction_dialog.stays', {fiat})
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
      this.commission = []
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
        const [page, payments, commission] = await Promise.all([
          satmachine.call('GET', `/transactions/paginated?${query}`),
          satmachine.call('GET', `/transactions/${id}/distributions`),
          satmachine.call('GET', `/transactions/${id}/commission`)
        ])
        if (id !== this.modelValue) return
        this.transaction = page.data[0] || null
        this.payments = payments
        this.commission = commission
        if (!this.transaction)
          this.failure = satmachine.t(
            'transaction_dialog.this_transaction_is_not_there'
          )
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.loading = false
      }
    },
    paymentFacts(payment) {
      return [
        {
          name: satmachine.t('transaction_dialog.client'),
          value: this.fmt.payeeName(payment)
        },
        {
          name: satmachine.t('transaction_dialog.sats'),
          value: this.fmt.sats(payment.amount_sats)
        },
        {
          name: satmachine.t('transaction_dialog.for_cash_of'),
          value: this.fmt.fiat(payment.amount_fiat, payment.currency)
        }
      ].concat(
        payment.error
          ? [
              {
                name: satmachine.t('transaction_dialog.error'),
                value: this.fmt.told(payment.told, payment.error)
              }
            ]
          : []
      )
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
        satmachine.notifySuccess(satmachine.t('transaction_dialog.paid'))
      } else {
        const errors = [
          ...new Set(
            left.map(p => this.fmt.told(p.told, p.error)).filter(Boolean)
          )
        ]
        Quasar.Notify.create({
          type: 'warning',
          message: satmachine.t('transaction_dialog.not_through', {
            payments: this.fmt.count(left.length, 'payment')
          }),
          caption: errors.join(' '),
          timeout: 10000,
          closeBtn: true
        })
      }
      satmachine.changed()
    },
    retry(payment) {
      satmachine.ask({
        title: satmachine.t('transaction_dialog.try_this_payment_again'),
        text: satmachine.t('transaction_dialog.the_sats_are_sent_from'),
        facts: this.paymentFacts(payment),
        okLabel: satmachine.t('transaction_dialog.retry_payment'),
        run: () => satmachine.call('POST', `/payments/${payment.id}/retry`),
        done: result => this.retried([result])
      })
    },
    retryAll() {
      const sats = this.openPayments.reduce((all, p) => all + p.amount_sats, 0)
      satmachine.ask({
        title: satmachine.t('transaction_dialog.try_all_open_payments_of'),
        text: satmachine.t('transaction_dialog.the_sats_are_sent_from_2'),
        facts: [
          {
            name: satmachine.t('transaction_dialog.open_payments'),
            value: String(this.openPayments.length)
          },
          {
            name: satmachine.t('transaction_dialog.sats'),
            value: this.fmt.sats(sats)
          }
        ],
        okLabel: satmachine.t('transaction_dialog.retry_all'),
        run: () =>
          satmachine.call('POST', `/transactions/${this.modelValue}/retry`),
        done: results => this.retried(results)
      })
    },
    voidPayment(payment) {
      satmachine.ask({
        title: satmachine.t('transaction_dialog.void_this_payment'),
        text: satmachine.t('transaction_dialog.the_sats_are_not_sent'),
        facts: this.paymentFacts(payment),
        fields: [
          {
            name: 'reason',
            label: satmachine.t('transaction_dialog.reason'),
            required: true,
            hint: satmachine.t('transaction_dialog.kept_with_the_payment')
          }
        ],
        okLabel: satmachine.t('transaction_dialog.void_payment'),
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/payments/${payment.id}/void`, values),
        done: this.done(satmachine.t('transaction_dialog.payment_voided'))
      })
    },
    // What is decided on. Of a cash-in, the commission is not in the sats yet.
    reviewFacts() {
      const tx = this.transaction
      return [
        {
          name: satmachine.t('transaction_dialog.direction'),
          value: this.fmt.direction(tx.direction)
        },
        {
          name:
            tx.direction === 'cash_in'
              ? satmachine.t('transaction_dialog.sent_to_the_customer')
              : satmachine.t('transaction_dialog.total_sats'),
          value: this.fmt.sats(tx.crypto_amount_sats)
        },
        {
          name: satmachine.t('transaction_dialog.fiat_of_the_sale'),
          value: this.fmt.fiat(tx.fiat_amount, tx.fiat_code)
        }
      ]
    },
    distribute() {
      const tx = this.transaction
      const isCashIn = tx.direction === 'cash_in'
      satmachine.ask({
        title: satmachine.t('transaction_dialog.distribute_this_sale'),
        text: isCashIn
          ? satmachine.t('transaction_dialog.cash_in_is_shared')
          : satmachine.t('transaction_dialog.it_is_shared_among_the'),
        facts: this.reviewFacts(),
        fields: [
          // Of a cash-in no part of the cash can be missing.
          ...(isCashIn
            ? []
            : [
                {
                  name: 'fiat_amount',
                  label: satmachine.t('transaction_dialog.cash_out', {
                    currency: tx.fiat_code
                  }),
                  hint: satmachine.t(
                    'transaction_dialog.leave_empty_if_it_was'
                  ),
                  value: tx.counted_fiat,
                  currency: tx.fiat_code,
                  decimal: true
                }
              ]),
          {
            name: 'notes',
            label: satmachine.t('transaction_dialog.notes_optional'),
            long: true
          }
        ],
        okLabel: satmachine.t('transaction_dialog.distribute'),
        color: 'positive',
        run: values =>
          satmachine.call(
            'POST',
            `/transactions/${tx.id}/distribute`,
            Object.fromEntries(
              Object.entries(values).filter(([, value]) => value)
            )
          ),
        done: this.done(satmachine.t('transaction_dialog.sale_distributed'))
      })
    },
    dismiss() {
      const {t} = satmachine
      this.askToDismiss({
        title: t('transaction_dialog.dismiss_this_sale'),
        text: t('transaction_dialog.nothing_of_it_is_shared'),
        okLabel: t('transaction_dialog.dismiss'),
        done: this.done(t('transaction_dialog.sale_dismissed'))
      })
    },
    takeBack() {
      const {t} = satmachine
      this.askToDismiss({
        title: t('transaction_dialog.take_back_this_sale'),
        text: t('transaction_dialog.take_back_text'),
        okLabel: t('transaction_dialog.take_back'),
        done: this.done(t('transaction_dialog.sale_taken_back'))
      })
    },
    askToDismiss(question) {
      const tx = this.transaction
      satmachine.ask({
        ...question,
        facts: this.reviewFacts(),
        fields: [
          {
            name: 'notes',
            label: satmachine.t('transaction_dialog.why_it_is_dismissed'),
            required: true,
            long: true,
            hint: satmachine.t('transaction_dialog.kept_with_the_transaction')
          }
        ],
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/transactions/${tx.id}/dismiss`, values)
      })
    }
  }
}
