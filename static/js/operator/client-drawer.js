// One client in full: balances over time, deposits, payments, statements.
satmachine.components['sat-client-drawer'] = {
  template: '#sat-client-drawer',
  emits: ['open'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      client: null,
      history: null,
      terms: [],
      tab: 'payments',
      loading: false,
      failure: null
    }
  },
  computed: {
    id() {
      return this.store.client
    },
    isOpen: {
      get() {
        return Boolean(this.id)
      },
      set(open) {
        if (!open) this.store.client = null
      }
    },
    statement() {
      const {t} = satmachine
      const filters = {client_id: this.id}
      return [
        {
          table: 'distributions',
          label: t('client_drawer.payments'),
          filters
        },
        {table: 'deposits', label: t('client_drawer.deposits'), filters},
        {table: 'accepted_terms', label: t('client_drawer.terms'), filters}
      ]
    },
    charts() {
      return (this.history?.balance || []).map(line => ({
        kind: 'line',
        title: satmachine.t('client_drawer.balance_in', {
          currency: line.currency
        }),
        days: this.history.days,
        values: line.values,
        write: value => this.fmt.fiat(value, line.currency)
      }))
    },
    canDeposit() {
      return !['pending', 'closed'].includes(this.client.status)
    },
    // What a person should know before doing anything here.
    notice() {
      const {t} = satmachine
      const {status, paused_by: by} = this.client
      const left = this.fmt.cashLeft(this.client)
      if (status === 'pending') return t('client_drawer.asks_to_take_part')
      if (status === 'closed' && left) {
        return t('client_drawer.closed_with_cash', {left})
      }
      return by === 'client' ? t('client_drawer.paused_themselves') : null
    },
    actions() {
      const {t} = satmachine
      const {client} = this
      const decide = status => () => satmachine.setClientStatus(client, status)
      const list = []
      if (client.status === 'pending') {
        list.push(
          {
            icon: 'check',
            color: 'primary',
            label: t('clients.approve'),
            go: decide('active')
          },
          {icon: 'close', label: t('clients.refuse'), go: decide('closed')}
        )
      }
      list.push(...satmachine.cashActions(client))
      const query = new URLSearchParams({client_id: client.id})
      list.push({
        icon: 'description',
        label: t('statement.statement'),
        href: `/satmachineclient/statement?${query}`
      })
      return list
    },
    prices() {
      return (this.history?.paid || [])
        .filter(paid => paid.average_price)
        .map(paid => this.fmt.fiat(paid.average_price, paid.currency))
        .join(', ')
    }
  },
  watch: {
    id(id) {
      if (!id) return
      this.client = this.store.clients[id] || null
      this.history = null
      this.tab = 'payments'
      this.load()
    },
    'store.changes'() {
      if (this.id) this.load()
    }
  },
  methods: {
    async load() {
      const {id} = this
      this.loading = true
      this.failure = null
      try {
        const query = new URLSearchParams({id, limit: 1})
        const [page, history, terms] = await Promise.all([
          satmachine.call('GET', `/clients/paginated?${query}`),
          satmachine.call('GET', `/clients/${id}/history`),
          satmachine.call('GET', `/clients/${id}/terms`)
        ])
        if (id !== this.id) return
        this.client = page.data[0]
        this.history = history
        this.terms = terms
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.loading = false
      }
    },
    deposit() {
      this.store.deposit = {client: this.client}
    }
  }
}

// A client's deposits or payments, newest first, more of them on demand.
satmachine.components['sat-client-rows'] = {
  template: '#sat-client-rows',
  props: {clientId: String, kind: String},
  emits: ['open'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      rows: [],
      total: null,
      failure: null
    }
  },
  computed: {
    sourceWallet() {
      return satmachine.sourceWallet()
    }
  },
  watch: {
    'store.changes'() {
      this.load(true)
    }
  },
  created() {
    this.load(true)
  },
  methods: {
    async load(fresh) {
      const query = new URLSearchParams({
        client_id: this.clientId,
        limit: 20,
        offset: fresh ? 0 : this.rows.length,
        sortby: this.kind === 'deposits' ? 'created_at' : 'confirmed_at',
        direction: 'desc'
      })
      try {
        const page = await satmachine.call(
          'GET',
          `/${this.kind}/paginated?${query}`
        )
        this.rows = fresh ? page.data : [...this.rows, ...page.data]
        this.total = page.total
        this.failure = null
      } catch (error) {
        this.failure = satmachine.sentence(error)
      }
    }
  }
}
