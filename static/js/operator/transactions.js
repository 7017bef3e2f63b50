// The Transactions tab: every sale of the machine, and how it was shared out.
satmachine.components['sat-transactions'] = {
  template: '#sat-transactions',
  emits: ['configure'],
  data() {
    return {fmt: satmachine.format, store: satmachine.store}
  },
  computed: {
    table() {
      const {t} = satmachine
      return {
        path: '/transactions/paginated',
        sortBy: 'transaction_time',
        tab: 'transactions',
        search: {
          label: t('transactions.search_transactions'),
          placeholder: t('transactions.machine_or_lamassu_id')
        },
        period: {name: 'transaction_time', label: t('transactions.period')},
        filters: this.filters,
        exports: {
          label: t('transactions.export'),
          tables: [
            {table: 'transactions', label: t('transactions.transactions')},
            {
              table: 'transaction_distributions',
              label: t('transactions.distributions')
            }
          ]
        },
        columns: this.columns,
        totals: satmachine.table.sums('/transactions'),
        card: this.card,
        open: this.open,
        actions: sale => [
          {
            icon: 'chevron_right',
            label: t('transactions.details_of', {
              time: this.fmt.time(sale.transaction_time)
            }),
            tip: '',
            go: () => this.open(sale)
          }
        ],
        empty: satmachine.emptyUntilConnected(
          {icon: 'receipt_long', title: t('transactions.no_transactions_yet')},
          t('transactions.sales_of_the_machine_appear'),
          t('transactions.sales_of_the_machine_appear_2'),
          () => this.$emit('configure')
        )
      }
    },
    filters() {
      const {t} = satmachine
      const {fmt} = this
      const machines = this.store.overview?.machines || []
      const currencies = this.store.overview?.currencies || []
      return [
        {
          name: 'status',
          label: t('transactions.status'),
          options: fmt.stateOptions([
            'planned',
            'settled',
            'needs_review',
            'dismissed'
          ])
        },
        {
          // Plain `direction` is the order of the page.
          name: 'direction[eq]',
          label: t('transactions.direction'),
          options: ['cash_out', 'cash_in', 'settle_out'].map(value => ({
            value,
            label: fmt.direction(value)
          }))
        },
        {
          name: 'device_id',
          label: t('transactions.machine'),
          options: machines.map(id => ({
            value: id,
            label: satmachine.machineName(id)
          })),
          hidden: machines.length < 2
        },
        {
          name: 'fiat_code',
          label: t('transactions.currency'),
          options: currencies,
          hidden: currencies.length < 2
        },
        {
          name: 'is_test',
          label: t('transactions.kind'),
          options: [
            {value: 'false', label: t('transactions.real_sales')},
            {value: 'true', label: t('transactions.tests')}
          ]
        }
      ]
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      const {satsOf} = satmachine.table
      // What a sale's dialog says as well makes room for large sums.
      const narrow = this.$q.screen.width < 1560
      const number = (name, label, more) => ({
        name,
        label: t(`transactions.${label}`),
        align: 'right',
        sortable: true,
        ...more
      })
      return [
        number('transaction_time', 'time_machine', {
          kind: 'time',
          align: 'left',
          caption: sale => [
            {
              icon: fmt.directionIcon(sale.direction),
              text: fmt.direction(sale.direction)
            },
            {text: this.machine(sale), title: sale.device_id, cut: 150}
          ]
        }),
        number('crypto_amount_sats', 'total', {
          kind: 'sats',
          caption: sale => fmt.fiat(sale.fiat_amount, sale.fiat_code),
          total: sums => [
            satsOf('crypto_amount_sats')(sums),
            ...satmachine.table.fiatOf('fiat_amount')(sums)
          ]
        }),
        number('commission_amount_sats', 'commission', {
          value: fmt.commission,
          total: satsOf('commission_amount_sats'),
          caption: sale =>
            sale.effective_commission !== null &&
            fmt.percent(sale.effective_commission)
        }),
        // Distributed and undistributed: left out where it is narrow.
        number('base_amount_sats', 'base', {
          value: fmt.base,
          total: satsOf('base_amount_sats'),
          hidden: narrow
        }),
        number('distributed_sats', 'distributed', {
          kind: 'sats',
          total: satsOf('distributed_sats')
        }),
        number('undistributed_sats', 'undistributed', {
          kind: 'sats',
          total: satsOf('undistributed_sats'),
          tone: sale => (sale.undistributed_sats ? 'warning' : null)
        }),
        number('clients_count', 'clients', {hidden: narrow}),
        number('status', 'status', {
          kind: 'state',
          align: 'left',
          wrap: true,
          badge: sale => (sale.is_test ? t('transactions.test') : null)
        })
      ]
    }
  },
  methods: {
    card(sale) {
      const {t} = satmachine
      const {fmt} = this
      return {
        title: fmt.fiat(sale.fiat_amount, sale.fiat_code),
        lines: [
          [fmt.time(sale.transaction_time), this.machine(sale)]
            .filter(Boolean)
            .join(', '),
          {
            icon: fmt.directionIcon(sale.direction),
            text: fmt.direction(sale.direction)
          }
        ],
        facts: [
          t('transactions.total_of', {n: fmt.amount(sale.crypto_amount_sats)}),
          t('transactions.commission_of', {n: fmt.commission(sale)}),
          t('transactions.distributed_of', {
            n: fmt.amount(sale.distributed_sats)
          }),
          t('transactions.undistributed_of', {
            n: fmt.amount(sale.undistributed_sats)
          })
        ]
      }
    },
    open(sale) {
      this.store.goTo = {tab: null, id: sale.id}
    },
    machine(sale) {
      // A settlement and a test are made here, at no machine.
      if (['settle-out', 'test'].includes(sale.device_id)) return ''
      return (
        sale.device_name ||
        sale.device_id ||
        satmachine.t('transactions.unknown_machine')
      )
    }
  }
}
