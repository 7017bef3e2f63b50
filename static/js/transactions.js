// The Transactions tab: every sale of the machine, and how it was shared out.
satmachine.components['sat-transactions'] = {
  template: '#sat-transactions',
  mixins: [satmachine.tableMixin],
  emits: ['configure'],
  path: '/transactions',
  sortBy: 'transaction_time',
  data() {
    return {
      filters: {status: null, is_test: null},
      openId: null
    }
  },
  computed: {
    statusOptions() {
      return ['planned', 'settled', 'needs_review', 'dismissed'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      }))
    },
    testOptions() {
      return [
        {value: 'false', label: satmachine.t('transactions.real_sales')},
        {value: 'true', label: satmachine.t('transactions.tests')}
      ]
    },
    columns() {
      return [
        {
          name: 'transaction_time',
          label: satmachine.t('transactions.time_machine'),
          align: 'left',
          sortable: true
        },
        {
          name: 'crypto_amount_sats',
          label: satmachine.t('transactions.total'),
          align: 'right',
          sortable: true
        },
        {
          name: 'commission_amount_sats',
          label: satmachine.t('transactions.commission'),
          align: 'right',
          sortable: true
        },
        {
          name: 'base_amount_sats',
          label: satmachine.t('transactions.base'),
          align: 'right',
          sortable: true
        },
        {
          name: 'distributed_sats',
          label: satmachine.t('transactions.distributed'),
          align: 'right',
          sortable: true
        },
        {
          name: 'undistributed_sats',
          label: satmachine.t('transactions.undistributed'),
          align: 'right',
          sortable: true
        },
        {
          name: 'clients_count',
          label: satmachine.t('transactions.clients'),
          align: 'right',
          sortable: true
        },
        {
          name: 'status',
          label: satmachine.t('transactions.status'),
          align: 'left',
          sortable: true
        },
        {name: 'actions', label: '', align: 'right'}
      ]
    }
  },
  watch: {
    'store.goTo': {
      immediate: true,
      handler(place) {
        if (place?.tab !== 'transactions') return
        this.filters.status = place.status
        this.pagination.page = 1
        if (place.id) this.openId = place.id
      }
    }
  },
  methods: {
    open(transaction) {
      this.openId = transaction.id
    },
    machine(transaction) {
      return (
        transaction.device_id || satmachine.t('transactions.unknown_machine')
      )
    }
  }
}
