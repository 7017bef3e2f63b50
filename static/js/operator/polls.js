// The Polls tab: each time the machine's database was read, and what came of it.
satmachine.components['sat-polls'] = {
  template: '#sat-polls',
  emits: ['configure'],
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    table() {
      const {t} = satmachine
      const {fmt} = this
      return {
        path: '/polls/paginated',
        sortBy: 'started_at',
        search: {
          label: t('polls.search_polls'),
          placeholder: t('polls.words_of_an_error')
        },
        filters: [
          {
            name: 'status',
            label: t('polls.status'),
            options: fmt.stateOptions(['succeeded', 'failed', 'running'])
          }
        ],
        exports: {
          label: t('polls.export'),
          tables: [{table: 'polls', label: t('polls.polls')}]
        },
        period: {name: 'started_at', label: t('transactions.period')},
        columns: this.columns,
        totals: satmachine.table.sums('/polls'),
        card: this.card,
        empty: satmachine.emptyUntilConnected(
          {icon: 'sync', title: t('polls.no_polls_yet')},
          t('polls.each_reading_of_the_machines'),
          t('polls.each_reading_of_the_machines_2'),
          () => this.$emit('configure')
        )
      }
    },
    columns() {
      const {t} = satmachine
      return [
        {
          name: 'started_at',
          label: t('polls.started'),
          kind: 'time',
          sortable: true,
          caption: this.how
        },
        {
          name: 'status',
          label: t('polls.status'),
          kind: 'state',
          sortable: true,
          wrap: true,
          caption: poll => [
            {
              text: this.fmt.told(poll.told, poll.error || poll.problem),
              tone: poll.error ? 'negative' : 'warning'
            },
            {text: this.clock(poll), tone: 'warning'}
          ]
        },
        {name: 'sales', label: t('polls.sales'), value: this.sales},
        {
          name: 'payments',
          label: t('polls.payments'),
          value: satmachine.paymentsText,
          tone: poll => (poll.failed_payments ? 'negative' : null)
        },
        {
          name: 'distributed_sats',
          label: t('polls.sats_paid'),
          kind: 'sats',
          total: satmachine.table.satsOf('distributed_sats')
        }
      ]
    }
  },
  methods: {
    card(poll) {
      const {t} = satmachine
      const {fmt} = this
      return {
        title: fmt.time(poll.started_at),
        lines: [
          this.how(poll),
          poll.error
            ? {text: fmt.told(poll.told, poll.error), tone: 'negative'}
            : t('polls.summary', {
                sales: this.sales(poll),
                payments: satmachine.paymentsText(poll),
                sats: fmt.sats(poll.distributed_sats)
              }),
          {text: poll.problem && fmt.told(poll.told), tone: 'warning'},
          {text: this.clock(poll), tone: 'warning'}
        ]
      }
    },
    how(poll) {
      const time = new Date(poll.finished_at) - new Date(poll.started_at)
      const took = poll.finished_at ? this.fmt.duration(time) : null
      return [this.fmt.trigger(poll.trigger), took].filter(Boolean).join(', ')
    },
    // A few seconds are noise.
    clock({clock_offset_seconds: n}) {
      if (!n || Math.abs(n) <= 3) return null
      return n > 0
        ? satmachine.t('polls.clock_ahead', {n})
        : satmachine.t('polls.clock_behind', {n: -n})
    },
    sales(poll) {
      const values = {found: poll.found, new: poll.new, reviews: poll.reviews}
      return poll.reviews
        ? satmachine.t('polls.found_reviews', values)
        : satmachine.t('polls.found', values)
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
