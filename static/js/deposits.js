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
      waitingTotal: 0
    }
  },
  computed: {
    // Per currency: what is confirmed in all, and what is still pending.
    pools() {
      return this.store.overview?.pools || []
    },
    statusOptions() {
      return ['pending', 'confirmed', 'rejected'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      }))
    },
    columns() {
      return [
        {
          name: 'created_at',
          label: satmachine.t('deposits.recorded'),
          align: 'left',
          sortable: true
        },
        {
          name: 'client_id',
          label: satmachine.t('deposits.client'),
          align: 'left'
        },
        {
          name: 'amount',
          label: satmachine.t('deposits.amount'),
          align: 'right',
          sortable: true
        },
        {name: 'notes', label: satmachine.t('deposits.notes'), align: 'left'},
        {
          name: 'status',
          label: satmachine.t('deposits.status'),
          align: 'left',
          sortable: true
        },
        {name: 'actions', label: '', align: 'right'}
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
          name: satmachine.t('deposits.client'),
          value: this.clientName(deposit.client_id)
        },
        {
          name: satmachine.t('deposits.amount'),
          value: this.fmt.fiat(deposit.amount, deposit.currency)
        },
        {
          name: satmachine.t('deposits.recorded'),
          value: this.fmt.time(deposit.created_at)
        }
      ].concat(
        deposit.notes
          ? [{name: satmachine.t('deposits.notes'), value: deposit.notes}]
          : []
      )
    },
    setStatus(deposit, status, notes) {
      return satmachine.call('PUT', `/deposits/${deposit.id}/status`, {
        status,
        ...(notes ? {notes} : {})
      })
    },
    confirm(deposit) {
      satmachine.ask({
        title: satmachine.t('deposits.confirm_this_deposit'),
        text: satmachine.t('deposits.confirm_once_the_cash_is'),
        facts: this.facts(deposit),
        okLabel: satmachine.t('deposits.confirm_deposit'),
        color: 'positive',
        run: () => this.setStatus(deposit, 'confirmed'),
        done: () => {
          satmachine.notifySuccess(satmachine.t('deposits.deposit_confirmed'))
          satmachine.changed()
        }
      })
    },
    reject(deposit) {
      satmachine.ask({
        title: satmachine.t('deposits.reject_this_deposit'),
        text: satmachine.t('deposits.the_deposit_stays_in_the'),
        facts: this.facts(deposit),
        fields: [
          {
            name: 'notes',
            label: satmachine.t('deposits.reason'),
            required: true,
            hint: satmachine.t('deposits.kept_in_the_deposits_notes')
          }
        ],
        okLabel: satmachine.t('deposits.reject_deposit'),
        color: 'negative',
        run: values => {
          const notes = [deposit.notes, values.notes].filter(Boolean)
          return this.setStatus(deposit, 'rejected', notes.join('\n'))
        },
        done: () => {
          satmachine.notifySuccess(satmachine.t('deposits.deposit_rejected'))
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
