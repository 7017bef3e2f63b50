// Each time that the visitor's cash became sats, newest first.
satmachine.components['sat-my-payments'] = {
  template: '#sat-my-payments',
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      saving: false
    }
  },
  computed: {
    table() {
      const {t} = satmachine
      const {fmt} = this
      return {
        path: '/me/payments',
        title: t('my_payments.title'),
        // A table of one client: another one means other rows, not a filter.
        fixed: {client_id: this.my.me.id},
        period: {name: 'transaction_time', label: t('transactions.period')},
        filters: [
          {
            name: 'status',
            label: t('my_payments.status'),
            options: fmt.stateOptions([
              'pending',
              'confirmed',
              'failed',
              'voided'
            ])
          }
        ],
        totals: satmachine.table.sums('/me/payments'),
        buttons: [
          {
            icon: 'download',
            label: t('my_payments.csv'),
            name: t('my_payments.export'),
            busy: this.saving,
            go: this.save
          }
        ],
        columns: this.columns,
        actions: this.actions,
        actionsLabel: t('my_payments.payment'),
        card: payment => ({
          title: fmt.amount(payment.amount_sats),
          lines: [
            t('my_payments.for_at', {
              cash: fmt.fiat(payment.amount_fiat, payment.currency),
              rate: fmt.fiat(payment.exchange_rate, payment.currency)
            }),
            `${fmt.way(payment.direction)} · ${fmt.time(payment.transaction_time)}`,
            fmt.told(payment.told, payment.error)
          ]
        }),
        empty: {
          icon: 'bolt',
          title: t('my_payments.none'),
          text: t('my_payments.none_text')
        }
      }
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      const {confirmed, fiatOf, satsOf} = satmachine.table
      const fiat = (name, label) => ({
        name,
        label,
        align: 'right',
        value: payment => fmt.fiat(payment[name], payment.currency)
      })
      return [
        {
          name: 'transaction_time',
          label: t('my_payments.sale'),
          kind: 'time',
          wrap: true,
          style: 'min-width: 130px',
          caption: payment => fmt.way(payment.direction)
        },
        {
          ...fiat('amount_fiat', t('my_payments.cash')),
          total: confirmed(fiatOf, 'amount_fiat')
        },
        {
          name: 'amount_sats',
          label: t('my_payments.sats'),
          kind: 'sats',
          sortable: true,
          classes: 'text-weight-medium',
          total: confirmed(satsOf, 'amount_sats')
        },
        fiat('exchange_rate', t('my_payments.rate')),
        {
          name: 'status',
          label: t('my_payments.status'),
          kind: 'state',
          wrap: true,
          title: payment => fmt.exactTime(payment.confirmed_at),
          caption: payment => fmt.told(payment.told, payment.error)
        }
      ]
    }
  },
  methods: {
    // The LNbits payment of a share: its hash, and the wallet in which it is seen.
    actions(payment) {
      const {t} = satmachine
      const {payment_hash: hash} = payment
      const wallet = this.fmt.walletPage(this.my.me.wallet_id)
      if (!hash) return []
      const copy = {
        icon: 'content_copy',
        label: t('parts.copy', {what: t('payments.payment_hash')}),
        tip: hash,
        go: () => LNbits.utils.copyText(hash)
      }
      const open = {
        icon: 'account_balance_wallet',
        label: t('my_payments.open_wallet'),
        href: wallet
      }
      return wallet ? [copy, open] : [copy]
    },
    // What the filters choose.
    async save(query) {
      this.saving = true
      await satmachine.download(`/me/payments?${query}&format=csv`)
      this.saving = false
    }
  }
}
