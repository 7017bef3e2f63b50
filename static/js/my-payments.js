// Each time that the visitor's cash became sats, newest first.
satmachine.components['sat-my-payments'] = {
  template: '#sat-my-payments',
  mixins: [satmachine.tableMixin],
  data() {
    return {my: satmachine.my.state, saving: false}
  },
  computed: {
    address() {
      return '/me/payments'
    },
    // A table of one client: another one means other rows, not a filter.
    filter() {
      return {search: this.search || '', client_id: this.my.me.id}
    },
    isFiltered() {
      return Boolean(this.search)
    },
    wallet() {
      return this.fmt.walletPage(this.my.me.wallet_id)
    },
    columns() {
      const {t} = satmachine
      return [
        {
          name: 'transaction_time',
          label: t('my_payments.sale'),
          align: 'left'
        },
        {
          name: 'amount_fiat',
          label: t('my_payments.cash'),
          align: 'right',
          field: row => this.fmt.fiat(row.amount_fiat, row.currency)
        },
        {
          name: 'amount_sats',
          label: t('my_payments.sats'),
          align: 'right',
          sortable: true,
          field: row => this.fmt.sats(row.amount_sats)
        },
        {
          name: 'exchange_rate',
          label: t('my_payments.rate'),
          align: 'right',
          field: row => this.fmt.fiat(row.exchange_rate, row.currency)
        },
        {name: 'status', label: t('my_payments.status'), align: 'left'},
        {name: 'payment_hash', label: t('my_payments.payment'), align: 'left'}
      ]
    }
  },
  methods: {
    async save() {
      this.saving = true
      await satmachine.download(
        satmachine.my.path('/payments', {format: 'csv'})
      )
      this.saving = false
    }
  }
}

// The LNbits payment of a share: its hash, and the wallet in which it is seen.
satmachine.components['sat-my-payment'] = {
  template: '#sat-my-payment',
  props: {payment: Object, wallet: String},
  data() {
    return {fmt: satmachine.format}
  }
}
