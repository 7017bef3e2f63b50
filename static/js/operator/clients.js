// The Clients tab: who takes part, with what balance, and in which mode.
satmachine.components['sat-clients'] = {
  template: '#sat-clients',
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: null
    }
  },
  computed: {
    table() {
      const {t} = satmachine
      const {fmt} = this
      const add = {icon: 'person_add', color: 'primary', go: this.add}
      return {
        path: '/clients/paginated',
        sortBy: 'created_at',
        tab: 'clients',
        search: {
          label: t('clients.search_clients'),
          placeholder: t('clients.name_or_wallet_id')
        },
        filters: [
          {
            name: 'status',
            label: t('clients.status'),
            query: value =>
              value === 'to_settle'
                ? {status: 'closed', to_settle: 'true'}
                : {status: value},
            options: [
              ...fmt.stateOptions(['pending', 'active', 'paused', 'closed']),
              {value: 'to_settle', label: t('clients.left_with_cash')}
            ]
          }
        ],
        exports: {
          label: t('clients.export'),
          tables: [{table: 'clients', label: t('clients.clients')}]
        },
        buttons: [{...add, label: t('clients.add_client')}],
        columns: this.columns,
        totals: satmachine.table.sums('/clients'),
        open: client => (this.store.client = client.id),
        actions: this.actions,
        card: client => ({
          title: fmt.clientName(client),
          lines: [fmt.mode(client)],
          foot: fmt.amount(client.total_sats)
        }),
        empty: {
          icon: 'groups',
          title: t('clients.no_clients_yet'),
          text: t('clients.a_clients_cash_buys_sats'),
          action: {...add, label: t('clients.add_the_first_client')}
        }
      }
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      return [
        {
          name: 'username',
          label: t('clients.client'),
          sortable: true,
          value: fmt.clientName,
          link: true,
          width: 170
        },
        {
          name: 'dca_mode',
          label: t('clients.mode'),
          sortable: true,
          value: fmt.mode,
          wrap: true,
          style: 'min-width: 110px'
        },
        {
          name: 'balances',
          label: t('clients.left_of_deposits'),
          total: satmachine.table.fiatOf('remaining_balance')
        },
        {
          name: 'total_sats',
          label: t('clients.sats_so_far'),
          kind: 'sats',
          total: satmachine.table.satsOf('total_sats'),
          caption: client =>
            Object.entries(client.average_prices || {}).map(
              ([currency, price]) => ({
                text: `⌀ ${fmt.fiat(price, currency)}`,
                title: t('client_drawer.average_price')
              })
            )
        },
        {
          name: 'status',
          label: t('clients.status'),
          kind: 'state',
          sortable: true,
          caption: this.remarks
        }
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
    add() {
      this.form = {
        id: null,
        dca_mode: 'flow',
        username: '',
        currency: satmachine.lastCurrency()
      }
    },
    // What else has to be known of a state.
    remarks(client) {
      const {t} = satmachine
      const isOwed = client.status === 'closed' && this.fmt.cashLeft(client)
      return [
        client.wallet_gone &&
          client.status !== 'closed' && {
            text: t('clients.wallet_gone'),
            tone: 'negative',
            title: t('clients.wallet_gone_text')
          },
        client.status !== 'closed' &&
          this.fmt.idleCash(client) && {
            text: t('clients.idle', {amount: this.fmt.idleCash(client)}),
            tone: 'warning'
          },
        isOwed && {text: t('clients.to_settle'), tone: 'warning'},
        client.paused_by === 'client' && {text: t('clients.by_the_client')}
      ].filter(Boolean)
    },
    actions(client) {
      const {t} = satmachine
      const name = this.fmt.clientName(client)
      const to = status => () => satmachine.setClientStatus(client, status)
      const edit = {
        icon: 'edit',
        label: t('clients.edit_name', {name}),
        tip: t('clients.edit'),
        go: () => (this.form = {...client})
      }
      if (client.status === 'pending') {
        return [
          {
            icon: 'check',
            color: this.fmt.tone('positive'),
            label: t('clients.approve_label', {name}),
            tip: t('clients.approve'),
            go: to('active')
          },
          {
            icon: 'close',
            color: this.fmt.tone('negative'),
            label: t('clients.refuse_label', {name}),
            tip: t('clients.refuse'),
            go: to('closed')
          },
          edit
        ]
      }
      const deposit = {
        icon: 'savings',
        color: 'primary',
        label: t('clients.deposit_for', {name}),
        tip: t('clients.add_a_deposit'),
        go: () => (this.store.deposit = {client})
      }
      return [
        ...(client.status === 'closed' ? [] : [deposit]),
        edit,
        {
          icon: 'more_vert',
          label: t('clients.more_for', {name}),
          tip: '',
          items: this.more(client, to)
        }
      ]
    },
    more(client, to) {
      const {t} = satmachine
      const isActive = client.status === 'active'
      const turn = isActive
        ? {icon: 'pause', label: t('clients.pause'), go: to('paused')}
        : {icon: 'play_arrow', label: t('clients.resume'), go: to('active')}
      const close = {
        icon: 'do_not_disturb_on',
        label: t('clients.close'),
        go: to('closed')
      }
      return [
        turn,
        ...satmachine.cashActions(client),
        ...(client.status === 'closed' ? [] : [close])
      ]
    }
  }
}

// What can be done with cash that a client has left.
satmachine.cashActions = client => {
  const {t, store} = satmachine
  if (!satmachine.format.cashLeft(client)) return []
  return [
    {
      icon: 'outbox',
      label: t('withdraw.withdraw_cash'),
      go: () => (store.withdraw = client)
    },
    {
      icon: 'request_quote',
      label: t('settle.settle_out'),
      go: () => (store.settle = client)
    }
  ]
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
