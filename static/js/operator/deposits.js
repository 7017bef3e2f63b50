// The Deposits tab: cash that clients handed over, and whether it is in the
// machine yet. What waits for a person stands first.
satmachine.components['sat-deposits'] = {
  template: '#sat-deposits',
  emits: ['clients'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      waiting: [],
      waitingTotal: 0
    }
  },
  computed: {
    // Per currency: what is confirmed in all, and what is still pending.
    pools() {
      const {t} = satmachine
      const {fiat, isAmount} = this.fmt
      return (this.store.overview?.pools || []).map(pool => ({
        currency: pool.currency,
        figures: [
          {
            name: t('deposits.confirmed_total'),
            value: fiat(pool.total_deposits, pool.currency)
          },
          {
            name: t('deposits.pending_total'),
            value: fiat(pool.pending_deposits, pool.currency),
            tone: isAmount(pool.pending_deposits) ? 'warning' : null
          }
        ]
      }))
    },
    table() {
      const {t} = satmachine
      const {fmt} = this
      const add = () => (this.store.deposit = {})
      return {
        path: '/deposits/paginated',
        sortBy: 'created_at',
        search: {
          label: t('deposits.search_deposits'),
          placeholder: t('deposits.notes_or_currency')
        },
        filters: [
          {
            name: 'status',
            label: t('deposits.status'),
            options: fmt.stateOptions(['pending', 'confirmed', 'rejected'])
          }
        ],
        exports: {
          label: t('deposits.export'),
          tables: [{table: 'deposits', label: t('deposits.deposits')}]
        },
        buttons: [
          {
            icon: 'add',
            color: 'primary',
            label: t('deposits.add_deposit'),
            go: add
          }
        ],
        period: {name: 'created_at', label: t('transactions.period')},
        columns: this.columns,
        totals: satmachine.table.sums('/deposits'),
        actions: this.actions,
        card: this.card,
        empty: this.empty(add)
      }
    },
    columns() {
      const {t} = satmachine
      return [
        {
          name: 'created_at',
          label: t('deposits.recorded'),
          kind: 'time',
          sortable: true
        },
        {
          name: 'client_id',
          label: t('deposits.client'),
          value: this.clientName,
          width: 150
        },
        {
          name: 'amount',
          label: t('deposits.amount'),
          align: 'right',
          sortable: true,
          value: this.amount,
          total: satmachine.table.confirmed(satmachine.table.fiatOf, 'amount'),
          caption: deposit => [this.kind(deposit), this.machine(deposit)]
        },
        {name: 'notes', label: t('deposits.notes'), width: 140},
        {
          name: 'status',
          label: t('deposits.status'),
          kind: 'state',
          sortable: true,
          title: deposit => this.fmt.exactTime(deposit.confirmed_at)
        }
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
        console.warn('deposits', satmachine.sentence(error))
      }
    },
    card(deposit) {
      return {
        title: this.amount(deposit),
        lines: [
          this.kind(deposit),
          this.machine(deposit),
          {text: this.clientName(deposit), normal: true},
          this.fmt.time(deposit.created_at),
          deposit.notes
        ]
      }
    },
    amount(deposit) {
      return this.fmt.fiat(deposit.amount, deposit.currency)
    },
    kind(deposit) {
      return (
        this.fmt.isNegative(deposit.amount) &&
        satmachine.t('deposits.withdrawal')
      )
    },
    // Whose cash goes out with the sales of one machine only.
    machine(deposit) {
      return (
        deposit.device_id && {
          icon: 'local_atm',
          text: deposit.device_name || this.fmt.shortId(deposit.device_id),
          title: deposit.device_id,
          cut: 140
        }
      )
    },
    clientName(deposit) {
      return satmachine.clientName(deposit.client_id)
    },
    // Before the first client there is nobody to hand in cash.
    empty(add) {
      const {t} = satmachine
      const {overview} = this.store
      const hasNoClients = overview && !overview.setup.clients
      return {
        icon: 'savings',
        title: t('deposits.no_deposits_yet'),
        text: hasNoClients
          ? t('deposits.a_deposit_belongs_to_a')
          : t('deposits.when_a_client_hands_you'),
        action: hasNoClients
          ? {
              icon: 'groups',
              label: t('deposits.go_to_clients'),
              go: () => this.$emit('clients')
            }
          : {icon: 'add', label: t('deposits.add_the_first_deposit'), go: add}
      }
    },
    actions(deposit) {
      const {t} = satmachine
      if (deposit.status !== 'pending') return []
      return [
        {
          icon: 'check',
          color: this.fmt.tone('positive'),
          label: t('deposits.confirm_deposit'),
          tip: t('deposits.confirm_the_cash_is_in'),
          go: () => this.confirm(deposit)
        },
        {
          icon: 'close',
          color: this.fmt.tone('negative'),
          label: t('deposits.reject_deposit'),
          tip: t('deposits.reject'),
          go: () => this.reject(deposit)
        }
      ]
    },
    facts(deposit) {
      return [
        {
          name: satmachine.t('deposits.client'),
          value: this.clientName(deposit)
        },
        {
          name: satmachine.t('deposits.amount'),
          value: this.amount(deposit)
        },
        {
          name: satmachine.t('deposits.recorded'),
          value: this.fmt.time(deposit.created_at)
        },
        ...(deposit.device_id
          ? [
              {
                name: satmachine.t('transactions.machine'),
                value: this.machine(deposit).text
              }
            ]
          : [])
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
