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
      statusOptions: ['planned', 'settled', 'needs_review', 'dismissed'].map(
        value => ({value, label: satmachine.format.state(value).label})
      ),
      testOptions: [
        {value: 'false', label: 'Real sales'},
        {value: 'true', label: 'Tests'}
      ],
      openId: null,
      columns: [
        {
          name: 'transaction_time',
          label: 'Time, machine',
          align: 'left',
          sortable: true
        },
        {
          name: 'crypto_amount_sats',
          label: 'Total',
          align: 'right',
          sortable: true
        },
        {
          name: 'commission_amount_sats',
          label: 'Commission',
          align: 'right',
          sortable: true
        },
        {
          name: 'base_amount_sats',
          label: 'Base',
          align: 'right',
          sortable: true
        },
        {
          name: 'distributed_sats',
          label: 'Distributed',
          align: 'right',
          sortable: true
        },
        {
          name: 'undistributed_sats',
          label: 'Undistributed',
          align: 'right',
          sortable: true
        },
        {
          name: 'clients_count',
          label: 'Clients',
          align: 'right',
          sortable: true
        },
        {name: 'status', label: 'Status', align: 'left', sortable: true},
        {name: 'actions', label: '', align: 'right'}
      ],
      exportColumns: [
        'id',
        'lamassu_transaction_id',
        'device_id',
        'transaction_time',
        'processed_at',
        'crypto_code',
        'crypto_amount_sats',
        'fiat_amount',
        'fiat_code',
        'commission_percentage',
        'discount',
        'fixed_fee',
        'effective_commission',
        'commission_method',
        'base_amount_sats',
        'commission_amount_sats',
        'distributed_sats',
        'undistributed_sats',
        'undistributed_fiat',
        'clients_count',
        'exchange_rate',
        'status',
        'is_test',
        'review_reason',
        'review_notes'
      ].map(name => ({name, label: name}))
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
      return transaction.device_id || 'Unknown machine'
    }
  }
}
