// The Clients tab: who takes part, with what balance, and in which mode.
satmachine.components['sat-clients'] = {
  template: '#sat-clients',
  mixins: [satmachine.tableMixin],
  path: '/clients',
  sortBy: 'created_at',
  data() {
    return {
      filters: {status: null},
      form: null
    }
  },
  computed: {
    statusOptions() {
      return ['active', 'paused', 'closed'].map(value => ({
        value,
        label: satmachine.format.state(value).label
      }))
    },
    columns() {
      return [
        {
          name: 'username',
          label: satmachine.t('clients.client'),
          align: 'left',
          sortable: true
        },
        {
          name: 'dca_mode',
          label: satmachine.t('clients.mode'),
          align: 'left',
          sortable: true
        },
        {
          name: 'balances',
          label: satmachine.t('clients.left_of_deposits'),
          align: 'left'
        },
        {
          name: 'total_sats',
          label: satmachine.t('clients.sats_so_far'),
          align: 'right'
        },
        {
          name: 'status',
          label: satmachine.t('clients.status'),
          align: 'left',
          sortable: true
        },
        {name: 'actions', label: '', align: 'right'}
      ]
    }
  },
  watch: {
    // From the first-run checklist.
    'store.newClient': {
      immediate: true,
      handler(wanted) {
        if (!wanted) return
        this.store.newClient = false
        this.add()
      }
    }
  },
  methods: {
    open(client) {
      this.store.client = client.id
    },
    modeText(client) {
      return client.dca_mode === 'fixed'
        ? satmachine.t('clients.fixed', {
            amount: this.fmt.fiat(
              client.fixed_mode_daily_limit,
              client.currency
            )
          })
        : satmachine.t('clients.flow')
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
          title: satmachine.t('clients.pause_name', {name}),
          text: satmachine.t('clients.a_paused_client_takes_no'),
          okLabel: satmachine.t('clients.pause'),
          color: 'warning'
        },
        active: {
          title: satmachine.t('clients.resume_name', {name}),
          text: satmachine.t('clients.the_client_takes_part_in'),
          okLabel: satmachine.t('clients.resume'),
          color: 'positive'
        },
        closed: {
          title: satmachine.t('clients.close_name', {name}),
          text: satmachine.t('clients.for_a_client_who_has'),
          okLabel: satmachine.t('clients.close_client'),
          color: 'negative'
        }
      }[status]
      satmachine.ask({
        ...words,
        facts: left
          ? [{name: satmachine.t('clients.balance_left'), value: left}]
          : [],
        run: () => satmachine.call('PUT', `/clients/${client.id}`, {status}),
        done: () => {
          satmachine.notifySuccess(
            satmachine.t('clients.is_now', {
              name,
              state: this.fmt.state(status).label
            })
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
