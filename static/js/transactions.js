// The Transactions tab: every sale of the machine, and how it was shared out.
satmachine.components['sat-transactions'] = {
  template: '#sat-transactions',
  mixins: [satmachine.tableMixin],
  emits: ['configure'],
  path: '/transactions',
  sortBy: 'transaction_time',
  data() {
    return {
      filters: {
        status: null,
        // Plain `direction` is the order of the page.
        'direction[eq]': null,
        is_test: null,
        device_id: null,
        fiat_code: null,
        'transaction_time[ge]': null,
        'transaction_time[lt]': null
      },
      range: null,
      days: {from: null, to: null}
    }
  },
  computed: {
    statusOptions() {
      return ['planned', 'settled', 'needs_review', 'dismissed'].map(value => ({
        value,
        label: this.fmt.state(value).label
      }))
    },
    directionOptions() {
      return ['cash_out', 'cash_in', 'settle_out'].map(value => ({
        value,
        label: this.fmt.direction(value)
      }))
    },
    testOptions() {
      return [
        {value: 'false', label: satmachine.t('transactions.real_sales')},
        {value: 'true', label: satmachine.t('transactions.tests')}
      ]
    },
    rangeOptions() {
      const {t} = satmachine
      return [
        {value: 1, label: t('transactions.today')},
        {value: 7, label: t('transactions.days_7')},
        {value: 30, label: t('transactions.days_30')},
        {value: 'own', label: t('transactions.own_range')}
      ]
    },
    machines() {
      return this.store.overview?.machines || []
    },
    currencies() {
      return this.store.overview?.currencies || []
    },
    columns() {
      const number = (name, label) => ({
        name,
        label: satmachine.t(`transactions.${label}`),
        align: 'right',
        sortable: true
      })
      return [
        {
          ...number('transaction_time', 'time_machine'),
          align: 'left'
        },
        number('crypto_amount_sats', 'total'),
        number('commission_amount_sats', 'commission'),
        // Distributed and undistributed: left out where it is narrow.
        ...(this.$q.screen.width < 1380
          ? []
          : [number('base_amount_sats', 'base')]),
        number('distributed_sats', 'distributed'),
        number('undistributed_sats', 'undistributed'),
        number('clients_count', 'clients'),
        {...number('status', 'status'), align: 'left'},
        {name: 'actions', label: '', align: 'right'}
      ]
    }
  },
  watch: {
    'store.goTo': {
      immediate: true,
      handler(place) {
        if (place?.tab !== 'transactions') return
        this.clearFilter()
        this.filters.status = place.status
        this.pagination.page = 1
      }
    },
    range: 'setTimes',
    days: {deep: true, handler: 'setTimes'}
  },
  methods: {
    // Days begin at the operator's own midnight.
    setTimes() {
      const midnight = (text, more = 0) => {
        const [year, month, day] = text.split('-').map(Number)
        return new Date(year, month - 1, day + more).toISOString()
      }
      const {from, to} = this.days
      const isOwn = this.range === 'own'
      const now = new Date()
      const back = days =>
        new Date(
          now.getFullYear(),
          now.getMonth(),
          now.getDate() + 1 - days
        ).toISOString()
      this.filters['transaction_time[ge]'] = isOwn
        ? from && midnight(from)
        : this.range && back(this.range)
      this.filters['transaction_time[lt]'] =
        isOwn && to ? midnight(to, 1) : null
    },
    clearFilter() {
      satmachine.tableMixin.methods.clearFilter.call(this)
      this.range = null
      this.days = {from: null, to: null}
    },
    open(transaction) {
      this.store.goTo = {tab: null, id: transaction.id}
    },
    machine(transaction) {
      return (
        transaction.device_id || satmachine.t('transactions.unknown_machine')
      )
    }
  }
}
