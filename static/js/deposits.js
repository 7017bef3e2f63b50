// The Deposits tab: cash that clients handed over, and whether it is in the
// machine yet. What waits for a person stands first.
satmachine.components['sat-deposits'] = {
  template: '#sat-deposits',
  mixins: [satmachine.tableMixin],
  emits: ['clients'],
  path: '/deposits',
  sortBy: 'created_at',
  data() {
    return {
      filters: {status: null},
      waiting: [],
      waitingTotal: 0,
      statusOptions: ['pending', 'confirmed', 'rejected'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      })),
      columns: [
        {name: 'created_at', label: 'Recorded', align: 'left', sortable: true},
        {name: 'client_id', label: 'Client', align: 'left'},
        {name: 'amount', label: 'Amount', align: 'right', sortable: true},
        {name: 'notes', label: 'Notes', align: 'left'},
        {name: 'status', label: 'Status', align: 'left', sortable: true},
        {name: 'actions', label: '', align: 'right'}
      ]
    }
  },
  computed: {
    exportColumns() {
      return [
        {name: 'id', label: 'id'},
        {name: 'client_id', label: 'client_id'},
        {
          name: 'client',
          label: 'client',
          field: row => this.clientName(row.client_id)
        },
        ...[
          'amount',
          'currency',
          'status',
          'notes',
          'created_at',
          'confirmed_at'
        ].map(name => ({name, label: name}))
      ]
    }
  },
  watch: {
    'store.changes'() {
      this.loadWaiting()
    }
  },
  created() {
    this.loadWaiting()
  },
  methods: {
    async loadWaiting() {
      try {
        const query = 'status=pending&limit=20&sortby=created_at&direction=desc'
        const page = await satmachine.call(
          'GET',
          `/deposits/paginated?${query}`
        )
        this.waiting = page.data
        this.waitingTotal = page.total
        satmachine.learnClients(page.data.map(deposit => deposit.client_id))
      } catch (error) {
        this.failure = satmachine.sentence(error)
      }
    },
    facts(deposit) {
      return [
        {
          name: 'Client',
          value: this.clientName(deposit.client_id)
        },
        {
          name: 'Amount',
          value: this.fmt.fiat(deposit.amount, deposit.currency)
        },
        {name: 'Recorded', value: this.fmt.time(deposit.created_at)}
      ].concat(deposit.notes ? [{name: 'Notes', value: deposit.notes}] : [])
    },
    setStatus(deposit, status, notes) {
      return satmachine.call('PUT', `/deposits/${deposit.id}/status`, {
        status,
        ...(notes ? {notes} : {})
      })
    },
    confirm(deposit) {
      satmachine.ask({
        title: 'Confirm this deposit?',
        text: 'Confirm once the cash is physically in the machine. From then on it is part of the client’s balance, and later sales are shared out by it. A confirmed deposit cannot be undone.',
        facts: this.facts(deposit),
        okLabel: 'Confirm deposit',
        color: 'positive',
        run: () => this.setStatus(deposit, 'confirmed'),
        done: () => {
          satmachine.notifySuccess('Deposit confirmed')
          satmachine.changed()
        }
      })
    },
    reject(deposit) {
      satmachine.ask({
        title: 'Reject this deposit?',
        text: 'The deposit stays in the records as rejected and adds nothing to the client’s balance. This cannot be undone.',
        facts: this.facts(deposit),
        fields: [
          {
            name: 'notes',
            label: 'Reason',
            required: true,
            hint: 'Kept in the deposit’s notes'
          }
        ],
        okLabel: 'Reject deposit',
        color: 'negative',
        run: values => {
          const notes = [deposit.notes, values.notes].filter(Boolean)
          return this.setStatus(deposit, 'rejected', notes.join('\n'))
        },
        done: () => {
          satmachine.notifySuccess('Deposit rejected')
          satmachine.changed()
        }
      })
    }
  }
}

satmachine.components['sat-deposit-actions'] = {
  template: '#sat-deposit-actions',
  props: {deposit: Object},
  data() {
    return {fmt: satmachine.format}
  },
  emits: ['confirm', 'reject']
}
