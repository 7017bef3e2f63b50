// The Polls tab: each time the machine's database was read, and what came of it.
satmachine.components['sat-polls'] = {
  template: '#sat-polls',
  mixins: [satmachine.tableMixin],
  emits: ['configure'],
  path: '/polls',
  sortBy: 'started_at',
  data() {
    return {
      filters: {status: null}
    }
  },
  computed: {
    statusOptions() {
      return ['succeeded', 'failed', 'running'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      }))
    },
    columns() {
      return [
        {
          name: 'started_at',
          label: satmachine.t('polls.started'),
          align: 'left',
          sortable: true
        },
        {
          name: 'status',
          label: satmachine.t('polls.status'),
          align: 'left',
          sortable: true
        },
        {name: 'sales', label: satmachine.t('polls.sales'), align: 'left'},
        {
          name: 'payments',
          label: satmachine.t('polls.payments'),
          align: 'left'
        },
        {
          name: 'distributed_sats',
          label: satmachine.t('polls.sats_paid'),
          align: 'right'
        }
      ]
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
      const values = {found: poll.found, new: poll.new, reviews: poll.reviews}
      return poll.reviews
        ? satmachine.t('polls.found_reviews', values)
        : satmachine.t('polls.found', values)
    },
    payments(poll) {
      return satmachine.paymentsText(poll)
    }
  }
}

satmachine.paymentsText = poll => {
  const {t} = satmachine
  const parts = []
  if (poll.confirmed_payments) {
    parts.push(t('polls.n_confirmed', {n: poll.confirmed_payments}))
  }
  if (poll.pending_payments) {
    parts.push(t('polls.n_pending', {n: poll.pending_payments}))
  }
  if (poll.failed_payments) {
    parts.push(t('polls.n_failed', {n: poll.failed_payments}))
  }
  return parts.join(', ') || t('polls.none')
}
