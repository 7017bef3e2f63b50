// The Forwards tab: what went on from clients' and partners' wallets to keys of their own.
satmachine.components['sat-forwards'] = {
  template: '#sat-forwards',
  computed: {
    table() {
      const {t, format: fmt} = satmachine
      const whose = {
        name: 'username',
        label: t('forwards.whose'),
        value: this.name,
        caption: forward =>
          forward.owner === 'partner' ? t('forwards.partner') : null
      }
      return {
        path: '/forwards/paginated',
        sortBy: 'created_at',
        search: {
          label: t('forwards.search'),
          placeholder: t('forwards.search_hint')
        },
        filters: [
          {
            name: 'status',
            label: t('my_payments.status'),
            options: fmt.stateOptions([
              'pending',
              'in_flight',
              'confirmed',
              'failed'
            ])
          }
        ],
        exports: {
          label: t('forwards.export'),
          tables: [{table: 'forwards', label: t('forwards.forwards')}]
        },
        period: {name: 'created_at', label: t('transactions.period')},
        columns: satmachine.forwardColumns(whose),
        totals: satmachine.table.sums('/forwards'),
        actions: this.actions,
        card: forward => ({
          title: `${this.name(forward)}: ${fmt.amount(forward.amount_sats)}`,
          lines: [
            fmt.time(forward.created_at),
            fmt.told(forward.told, forward.error)
          ]
        }),
        empty: {
          icon: 'vpn_key',
          title: t('my_keys.none'),
          text: t('forwards.none_text')
        }
      }
    }
  },
  methods: {
    name(forward) {
      return (
        forward.username ||
        satmachine.format.clientName({id: forward.client_id})
      )
    },
    actions(forward) {
      const {t} = satmachine
      const copy = satmachine.copyHash(forward)
      // Only what has been under way for some minutes says why.
      if (forward.status === 'in_flight' && forward.error)
        return [
          ...copy,
          {
            icon: 'block',
            color: 'negative',
            label: t('forwards.close'),
            tip: t('forwards.close'),
            go: () => this.close(forward)
          }
        ]
      if (!['pending', 'failed'].includes(forward.status)) return copy
      return [
        ...copy,
        {
          icon: 'replay',
          color: 'primary',
          label: t('payments.retry_to', {name: this.name(forward)}),
          tip: t('payments.retry'),
          go: () => this.retry(forward)
        }
      ]
    },
    close(forward) {
      const {t, format: fmt} = satmachine
      satmachine.ask({
        title: t('forwards.close_this'),
        text: t('forwards.close_text'),
        facts: [
          {name: t('forwards.whose'), value: this.name(forward)},
          {name: t('my_keys.destination'), value: forward.destination},
          {
            name: t('transaction_dialog.sats'),
            value: fmt.sats(forward.amount_sats)
          },
          {name: t('forwards.payment_hash'), value: forward.payment_hash}
        ],
        fields: [
          {name: 'reason', label: t('forwards.close_reason'), required: true}
        ],
        okLabel: t('forwards.close'),
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/forwards/${forward.id}/close`, values),
        done: () => {
          satmachine.notifySuccess(t('forwards.closed'))
          satmachine.changed()
        }
      })
    },
    async retry(forward) {
      try {
        await satmachine.call('POST', `/forwards/${forward.id}/retry`)
        satmachine.notifySuccess(satmachine.t('forwards.retried'))
        satmachine.changed()
      } catch (error) {
        satmachine.notifyError(error)
      }
    }
  }
}
