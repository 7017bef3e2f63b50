// The clients' parts of one sale, planned or paid, with what can be decided.
satmachine.components['sat-payments'] = {
  template: '#sat-payments',
  props: {
    payments: Array,
    transaction: Object,
    plan: Boolean,
    decide: Boolean
  },
  emits: ['retry', 'void'],
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    sourceWallet() {
      return satmachine.sourceWallet()
    },
    counted() {
      return this.payments.filter(payment => payment.status !== 'voided')
    },
    sumFiat() {
      return this.fmt.sum(
        this.counted.length ? this.counted.map(p => p.amount_fiat) : ['0']
      )
    },
    sumSats() {
      return this.counted.reduce((all, p) => all + p.amount_sats, 0)
    }
  },
  methods: {
    name(payment) {
      return satmachine.format.payeeName(payment)
    },
    canDecide(payment) {
      return this.decide && satmachine.isOpenPayment(payment)
    }
  }
}

satmachine.isOpenPayment = payment =>
  ['failed', 'pending'].includes(payment.status)

// Where the operator sees an LNbits payment: the page of the wallet that paid.
satmachine.sourceWallet = () =>
  satmachine.format.walletPage(satmachine.store.config?.source_wallet_id)
