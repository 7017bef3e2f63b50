// The Polls tab: each time the machine's database was read, and what came of it.
satmachine.components['sat-polls'] = {
  template: '#sat-polls',
  mixins: [satmachine.tableMixin],
  emits: ['configure'],
  path: '/polls',
  sortBy: 'started_at',
  data() {
    return {
      filters: {status: null},
      statusOptions: ['succeeded', 'failed', 'running'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      })),
      columns: [
        {name: 'started_at', label: 'Started', align: 'left', sortable: true},
        {name: 'status', label: 'Status', align: 'left', sortable: true},
        {name: 'sales', label: 'Sales', align: 'left'},
        {name: 'payments', label: 'Payments', align: 'left'},
        {
          name: 'distributed_sats',
          label: 'Sats paid',
          align: 'right'
        }
      ],
      exportColumns: [
        'id',
        'trigger',
        'status',
        'started_at',
        'finished_at',
        'found',
        'new',
        'planned',
        'reviews',
        'confirmed_payments',
        'pending_payments',
        'failed_payments',
        'distributed_sats',
        'error'
      ].map(name => ({name, label: name}))
    }
  },
  methods: {
    took(poll) {
      return poll.finished_at
        ? this.fmt.duration(
            new Date(poll.finished_at) - new Date(poll.started_at)
          )
        : null
    },
    sales(poll) {
      const reviews = poll.reviews ? `, ${poll.reviews} to review` : ''
      return `${poll.found} found, ${poll.new} new${reviews}`
    },
    payments(poll) {
      return satmachine.paymentsText(poll)
    }
  }
}

satmachine.paymentsText = poll => {
  const parts = [
    [poll.confirmed_payments, 'confirmed'],
    [poll.pending_payments, 'pending'],
    [poll.failed_payments, 'failed']
  ].filter(([number]) => number)
  return parts.length
    ? parts.map(([number, word]) => `${number} ${word}`).join(', ')
    : 'None'
}
