// What waits for a person since an older copy of a database was put back: shares and parts
// that are held, payments that fit nothing, and what LNbits has lost.
satmachine.components['sat-held'] = {
  template: '#sat-held',
  emits: ['open'],
  data() {
    return {store: satmachine.store, held: [], lost: []}
  },
  computed: {
    hasLost() {
      return Boolean(
        this.store.reconciliation?.differences?.some(
          each => each.kind === 'lost'
        )
      )
    },
    rows() {
      return [...this.held, ...this.lost]
    },
    table() {
      const {t, format: fmt} = satmachine
      return {
        rows: this.rows,
        columns: [
          {name: 'name', label: t('held.who'), value: this.who},
          {name: 'kind', label: t('held.kind'), value: this.what},
          {name: 'amount_sats', label: t('held.sats'), kind: 'sats'},
          {name: 'since', label: t('held.since'), kind: 'time'},
          {
            name: 'state',
            label: t('held.state'),
            value: row => t(`held.${row.state}`)
          },
          {
            name: 'reason',
            label: t('held.why'),
            wrap: true,
            value: row => fmt.told(row.told, row.reason)
          }
        ],
        actions: this.actions,
        card: row => ({
          title: `${this.who(row)}: ${fmt.amount(row.amount_sats)}`,
          lines: [
            `${this.what(row)}, ${t(`held.${row.state}`)}`,
            fmt.time(row.since),
            fmt.told(row.told, row.reason)
          ]
        }),
        empty: {icon: 'done_all', title: t('held.done')}
      }
    }
  },
  watch: {
    'store.changes': 'load',
    hasLost: 'load'
  },
  created() {
    this.load()
  },
  methods: {
    who: row => row.name || satmachine.t('held.operator'),
    what: row => satmachine.t(`held.${row.kind}`),
    async load() {
      try {
        this.held = await satmachine.call('GET', '/held')
        this.lost = this.hasLost ? await this.loadLost() : []
      } catch (error) {
        console.warn('held', satmachine.sentence(error))
      }
    },
    async loadLost() {
      const {lost_shares: shares} = await satmachine.call('GET', '/adoption')
      return shares.map(share => ({
        ...share,
        state: 'lost',
        kind: 'client',
        name: share.username,
        since: share.confirmed_at,
        reason: satmachine.t('held.lost_reason'),
        told: []
      }))
    },
    actions(row) {
      const {t} = satmachine
      const sale = row.transaction_id && {
        icon: 'receipt_long',
        label: t('held.sale'),
        tip: t('held.sale'),
        go: () => this.$emit('open', row.transaction_id)
      }
      return [...this.decisions(row), sale].filter(Boolean)
    },
    decisions(row) {
      const {t} = satmachine
      const named = (icon, color, name, go) => ({
        icon,
        color,
        label: `${t(`held.${name}`)}: ${this.who(row)}`,
        tip: t(`held.${name}`),
        go
      })
      if (row.state === 'unclear') {
        return [named('task_alt', 'primary', 'close', () => this.close(row))]
      }
      const pay = named('replay', 'primary', 'pay', () => this.pay(row))
      if (row.state === 'lost' || row.kind !== 'client') return [pay]
      return [
        pay,
        named('block', satmachine.format.tone('negative'), 'void', () =>
          this.void(row)
        )
      ]
    },
    pay(row) {
      const {t} = satmachine
      const isShare = row.kind === 'client'
      const [path, text] =
        row.state === 'lost'
          ? [`/payments/${row.id}/pay-again`, t('held.lost_asked')]
          : isShare
            ? [`/payments/${row.id}/retry`, t('held.pay_asked')]
            : [`/transactions/${row.transaction_id}/retry`, t('held.pay_asked')]
      this.ask(row, {
        title: t(isShare ? 'held.pay_title' : 'held.pay_sale'),
        text,
        okLabel: t('held.pay'),
        run: () => satmachine.call('POST', path)
      })
    },
    void(row) {
      const {t} = satmachine
      this.ask(row, {
        title: t('held.void_title'),
        text: t('held.void_text'),
        fields: [{name: 'reason', label: t('held.reason'), required: true}],
        okLabel: t('held.void'),
        color: 'negative',
        run: values =>
          satmachine.call('POST', `/payments/${row.id}/void`, values)
      })
    },
    close(row) {
      const {t} = satmachine
      this.ask(row, {
        title: t('held.close_title'),
        text: t('held.close_text'),
        fields: [{name: 'reason', label: t('held.reason'), required: true}],
        okLabel: t('held.close'),
        run: values =>
          satmachine.call('POST', `/adopted/${row.id}/close`, values)
      })
    },
    ask(row, question) {
      const {t, format: fmt} = satmachine
      satmachine.ask({
        facts: [
          {name: t('held.who'), value: this.who(row)},
          {name: t('held.sats'), value: fmt.sats(row.amount_sats)}
        ],
        ...question,
        done: () => {
          satmachine.notifySuccess(t('held.done'))
          satmachine.changed()
        }
      })
    }
  }
}
