// The Clients tab: who takes part, with what balance, and in which mode.
satmachine.components['sat-clients'] = {
  template: '#sat-clients',
  mixins: [satmachine.tableMixin],
  path: '/clients',
  sortBy: 'created_at',
  data() {
    return {
      filters: {status: null},
      statusOptions: ['active', 'paused', 'closed'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      })),
      columns: [
        {name: 'username', label: 'Client', align: 'left', sortable: true},
        {name: 'dca_mode', label: 'Mode', align: 'left', sortable: true},
        {name: 'balances', label: 'Left of deposits', align: 'left'},
        {name: 'total_sats', label: 'Sats so far', align: 'right'},
        {name: 'status', label: 'Status', align: 'left', sortable: true},
        {name: 'actions', label: '', align: 'right'}
      ],
      form: null
    }
  },
  computed: {
    exportColumns() {
      const list = name => client =>
        (client.balances || [])
          .map(balance => `${balance.currency} ${balance[name]}`)
          .join('; ')
      return [
        'id',
        'username',
        'user_id',
        'wallet_id',
        'dca_mode',
        'fixed_mode_daily_limit',
        'currency',
        'status'
      ]
        .map(name => ({name, label: name}))
        .concat(
          [
            'total_deposits',
            'pending_deposits',
            'total_distributed',
            'remaining_balance'
          ].map(name => ({name, label: name, field: list(name)})),
          ['total_sats', 'created_at', 'updated_at'].map(name => ({
            name,
            label: name
          }))
        )
    }
  },
  methods: {
    modeText(client) {
      return client.dca_mode === 'fixed'
        ? `Fixed: up to ${this.fmt.fiat(
            client.fixed_mode_daily_limit,
            client.currency
          )} a day`
        : 'Flow'
    },
    remaining(client) {
      return (client.balances || [])
        .filter(balance => this.fmt.isAmount(balance.remaining_balance))
        .map(b => this.fmt.fiat(b.remaining_balance, b.currency))
        .join(', ')
    },
    add() {
      this.form = {
        id: null,
        dca_mode: 'flow',
        username: '',
        currency: satmachine.lastCurrency()
      }
    },
    edit(client) {
      this.form = {...client}
    },
    deposit(client) {
      this.store.deposit = {client}
    },
    setStatus(client, status) {
      const name = this.fmt.clientName(client)
      const left = this.remaining(client)
      const words = {
        paused: {
          title: `Pause ${name}?`,
          text: 'A paused client takes no part in distributions. The balance stays as it is until you resume.',
          okLabel: 'Pause',
          color: 'warning'
        },
        active: {
          title: `Resume ${name}?`,
          text: 'The client takes part in distributions again, with the balance that is left.',
          okLabel: 'Resume',
          color: 'positive'
        },
        closed: {
          title: `Close ${name}?`,
          text: 'For a client who has left: no further part in distributions. Deposits and payments stay in the records.',
          okLabel: 'Close client',
          color: 'negative'
        }
      }[status]
      satmachine.ask({
        ...words,
        facts: left ? [{name: 'Balance left', value: left}] : [],
        run: () => satmachine.call('PUT', `/clients/${client.id}`, {status}),
        done: () => {
          satmachine.notifySuccess(
            `${name} is now ${this.fmt.state(status).label.toLowerCase()}`
          )
          satmachine.changed()
        }
      })
    }
  }
}

satmachine.components['sat-client-actions'] = {
  template: '#sat-client-actions',
  props: {client: Object},
  emits: ['deposit', 'edit', 'status'],
  computed: {
    name() {
      return satmachine.format.clientName(this.client)
    }
  }
}
