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
      return ['pending', 'active', 'paused', 'closed'].map(value => ({
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
    // From another part of the page, such as the list of what waits.
    'store.goTo': {
      immediate: true,
      handler(place) {
        if (place?.tab === 'clients') this.filters.status = place.status
      }
    },
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
      satmachine.setClientStatus(client, status)
    }
  }
}

// The state, and what else has to be known of it.
satmachine.components['sat-client-state'] = {
  template: '#sat-client-state',
  props: {client: Object},
  data() {
    return {fmt: satmachine.format}
  }
}

satmachine.components['sat-client-actions'] = {
  template: '#sat-client-actions',
  props: {client: Object},
  emits: ['deposit', 'edit', 'status'],
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    name() {
      return this.fmt.clientName(this.client)
    },
    items() {
      const {t} = satmachine
      const {client} = this
      const to = status => () => this.$emit('status', status)
      const isActive = client.status === 'active'
      const items = [
        isActive
          ? {icon: 'pause', label: t('clients.pause'), go: to('paused')}
          : {icon: 'play_arrow', label: t('clients.resume'), go: to('active')}
      ]
      if (this.fmt.cashLeft(client)) {
        items.push(
          {
            icon: 'outbox',
            label: t('withdraw.withdraw_cash'),
            go: () => (satmachine.store.withdraw = client)
          },
          {
            icon: 'request_quote',
            label: t('settle.settle_out'),
            go: () => (satmachine.store.settle = client)
          }
        )
      }
      if (client.status !== 'closed') {
        items.push({
          icon: 'do_not_disturb_on',
          label: t('clients.close'),
          go: to('closed')
        })
      }
      return items
    }
  }
}

// Pausing, resuming, closing, and the answer to somebody who asks to take part.
satmachine.setClientStatus = (client, status) => {
  const {t, format: fmt} = satmachine
  const name = fmt.clientName(client)
  const left = fmt.cashLeft(client)
  const decision = client.status === 'pending' ? `pending_${status}` : status
  const words = {
    pending_active: {
      title: t('clients.approve_name', {name}),
      text: t('clients.approve_text'),
      okLabel: t('clients.approve'),
      color: 'positive'
    },
    pending_closed: {
      title: t('clients.refuse_name', {name}),
      text: t('clients.refuse_text'),
      okLabel: t('clients.refuse'),
      color: 'negative'
    },
    paused: {
      title: t('clients.pause_name', {name}),
      text: t('clients.a_paused_client_takes_no'),
      okLabel: t('clients.pause'),
      color: 'warning'
    },
    active: {
      title: t('clients.resume_name', {name}),
      text: t('clients.the_client_takes_part_in'),
      okLabel: t('clients.resume'),
      color: 'positive'
    },
    closed: {
      title: t('clients.close_name', {name}),
      text: t('clients.for_a_client_who_has'),
      okLabel: t('clients.close_client'),
      color: 'negative'
    }
  }[decision]
  const facts = left ? [{name: t('clients.balance_left'), value: left}] : []
  if (decision === 'pending_active') {
    facts.push(
      {name: t('clients.mode'), value: fmt.mode(client)},
      {name: t('clients.asked'), value: fmt.time(client.created_at)}
    )
  }
  satmachine.ask({
    ...words,
    facts,
    run: () => satmachine.call('PUT', `/clients/${client.id}`, {status}),
    done: () => {
      const state = fmt.state(status).label
      satmachine.notifySuccess(t('clients.is_now', {name, state}))
      satmachine.changed()
    }
  })
}
