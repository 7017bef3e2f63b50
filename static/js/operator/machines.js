// The Machines tab: is the cash that clients handed over really there, and what did each
// machine sell. What a person counted and what Lamassu believes stand beside each other.
satmachine.components['sat-machines'] = {
  template: '#sat-machines',
  mixins: [
    satmachine.reads('cash', () => '/cash', []),
    satmachine.machineQuestions
  ],
  emits: ['configure'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store
    }
  },
  computed: {
    tiles() {
      return this.cash.map(page => ({
        currency: page.currency,
        title: satmachine.t('machines.cash_in', {currency: page.currency}),
        figures: this.figures(page)
      }))
    },
    table() {
      const {t} = satmachine
      return {
        rows: this.store.machines,
        sums: this.store.machines.length ? this.store.machines : null,
        columns: this.columns,
        card: this.card,
        actions: this.actions,
        exports: {
          label: t('machines.export'),
          tables: [{table: 'counts', label: t('machines.counts')}]
        },
        empty: satmachine.emptyUntilConnected(
          {icon: 'local_atm', title: t('machines.no_machine_yet')},
          t('machines.machines_appear_here'),
          t('transactions.sales_of_the_machine_appear_2'),
          () => this.$emit('configure')
        )
      }
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      const isNarrow = this.$q.screen.width < 1600
      return [
        {
          name: 'name',
          label: t('transactions.machine'),
          sortable: true,
          width: 190,
          value: machine => satmachine.machineName(machine.device_id),
          title: machine => machine.device_id,
          caption: this.idAndState
        },
        {
          name: 'last_sale',
          label: t('machines.last_sale'),
          kind: 'time',
          sortable: true,
          caption: this.online
        },
        {
          name: 'month',
          label: t('machines.this_month'),
          align: 'right',
          value: machine => this.fiats(machine.month),
          total: this.sumOf('month'),
          caption: machine => [
            ...this.sold(machine.month),
            isNarrow && `${t('machines.ever')}: ${this.fiats(machine.totals)}`
          ]
        },
        {
          name: 'totals',
          label: t('machines.ever'),
          align: 'right',
          value: machine => this.fiats(machine.totals),
          total: this.sumOf('totals'),
          caption: machine => this.sold(machine.totals),
          hidden: isNarrow
        },
        {
          name: 'owed',
          label: t('machines.owed_here'),
          align: 'right',
          value: this.owed,
          total: machines =>
            this.sums(machines.flatMap(this.lines), line => line.owed),
          caption: machine => this.lasts(machine)
        },
        // What Lamassu believes, and below it what a person counted.
        {
          name: 'cash',
          label: t('machines.in_it'),
          wrap: true,
          align: 'right',
          value: this.believed,
          total: machines =>
            this.sums(
              machines
                .flatMap(machine => machine.cash)
                .filter(cash => cash.amount !== null),
              cash => cash.amount
            ),
          caption: machine =>
            [this.asOf(machine), this.countedAt(machine)].flat()
        }
      ]
    }
  },
  methods: {
    figures(page) {
      const {t} = satmachine
      const {fiat, time, NONE} = this.fmt
      const show = amount =>
        amount === null ? NONE : fiat(amount, page.currency)
      const isShort = page.difference && this.fmt.isNegative(page.difference)
      return [
        {
          name: t('machines.owed'),
          value: show(page.owed),
          lines: [
            this.inMachines(page),
            page.days_left === null
              ? ''
              : t('machines.lasts_at_pace', {
                  days: this.fmt.count(page.days_left, 'day'),
                  pace: show(page.per_day)
                })
          ]
        },
        {
          name: t('machines.believed'),
          value: show(page.in_machines),
          lines: [
            page.as_of && t('machines.as_of', {time: time(page.as_of)}),
            page.unknown_notes
              ? t('machines.unknown_notes', {n: page.unknown_notes})
              : ''
          ]
        },
        {
          name: t('machines.counted'),
          value: show(page.counted),
          lines: [
            page.counted_at &&
              t('machines.as_of', {time: time(page.counted_at)})
          ]
        },
        {
          name: t('machines.covered'),
          value: page.covered === null ? NONE : `${page.covered} %`,
          tone: isShort ? 'negative' : page.covered && 'positive',
          part: page.covered === null ? null : Number(page.covered) / 100,
          partName: t('machines.covered'),
          partColor: isShort ? 'negative' : 'positive',
          lines: [
            page.difference &&
              t('machines.difference', {amount: show(page.difference)})
          ]
        }
      ]
    },
    // What of it lies in one machine only.
    inMachines(page) {
      const parts = Object.entries(page.owed_by_machine)
      if (!parts.length) return ''
      const named = parts.map(
        ([id, amount]) =>
          `${satmachine.machineName(id)} ${this.fmt.fiat(amount, page.currency)}`
      )
      return `${named.join(', ')}, ${satmachine.t('machines.anywhere', {
        amount: this.fmt.fiat(page.owed_anywhere, page.currency)
      })}`
    },
    idAndState(machine) {
      return [
        machine.name && {
          text: this.fmt.shortId(machine.device_id),
          title: machine.device_id
        },
        machine.paired === false && {
          text: satmachine.t('machines.not_paired'),
          tone: 'warning'
        }
      ]
    },
    online(machine) {
      return (
        machine.last_online && {
          text: satmachine.t('machines.online', {
            ago: this.fmt.ago(machine.last_online)
          }),
          title: this.fmt.exactTime(machine.last_online)
        }
      )
    },
    fiats(turnovers) {
      return (
        turnovers
          .map(each => this.fmt.fiat(each.fiat, each.currency))
          .join(', ') || this.fmt.NONE
      )
    },
    // Of all machines, by currency.
    sums(lines, amount) {
      return satmachine.table.fiatSums(
        lines.map(line => ({currency: line.currency, fiat: amount(line)}))
      )
    },
    sumOf(name) {
      return machines => {
        const turnovers = machines.flatMap(machine => machine[name])
        const sats = turnovers.reduce(
          (all, each) => all + each.commission_sats,
          0
        )
        const n = this.fmt.sats(sats)
        return turnovers.length
          ? [
              ...this.sums(turnovers, each => each.fiat),
              satmachine.t('transactions.commission_of', {n})
            ]
          : []
      }
    },
    sold(turnovers) {
      return turnovers.flatMap(each => [
        satmachine.t('machines.sold', {
          sales: this.fmt.count(each.sales, 'sale'),
          sats: this.fmt.amount(each.sats)
        }),
        satmachine.t('transactions.commission_of', {
          n: this.fmt.sats(each.commission_sats)
        })
      ])
    },
    // This machine's lines in the cash book, one for each currency.
    lines(machine) {
      return this.cash.flatMap(page =>
        page.machines
          .filter(line => line.device_id === machine.device_id)
          .map(line => ({...line, currency: page.currency}))
      )
    },
    owed(machine) {
      const owed = this.lines(machine).filter(line =>
        this.fmt.isAmount(line.owed)
      )
      return (
        owed.map(line => this.fmt.fiat(line.owed, line.currency)).join(', ') ||
        this.fmt.NONE
      )
    },
    lasts(machine) {
      return this.lines(machine)
        .filter(line => line.days_left !== null)
        .map(line =>
          satmachine.t('machines.lasts', {
            days: this.fmt.count(line.days_left, 'day')
          })
        )
    },
    believed(machine) {
      const known = machine.cash.filter(cash => cash.amount !== null)
      return (
        known
          .map(cash => this.fmt.fiat(cash.amount, cash.currency))
          .join(', ') || this.fmt.NONE
      )
    },
    asOf(machine) {
      return machine.cash.flatMap(cash => [
        {
          text: this.fmt.ago(cash.as_of),
          title: this.units(cash)
        },
        cash.unknown_notes &&
          satmachine.t('machines.unknown_notes', {n: cash.unknown_notes})
      ])
    },
    // Cassette by cassette, on hover.
    units(cash) {
      return cash.units
        .map(
          unit =>
            `${this.fmt.unit(unit.unit)}: ${unit.notes} × ${unit.denomination ?? '?'}`
        )
        .join('\n')
    },
    counted(machine) {
      return (
        machine.counts
          .map(count => this.fmt.fiat(count.amount, count.currency))
          .join(', ') || this.fmt.NONE
      )
    },
    countedAt(machine) {
      return machine.counts.map(count => ({
        text: satmachine.t('machines.counted_at', {
          amount: this.fmt.fiat(count.amount, count.currency),
          ago: this.fmt.ago(count.counted_at)
        }),
        title: [this.fmt.exactTime(count.counted_at), count.notes]
          .filter(Boolean)
          .join('\n')
      }))
    },
    card(machine) {
      const {t} = satmachine
      const fact = (name, value) => `${name}: ${value}`
      return {
        title: satmachine.machineName(machine.device_id),
        lines: [
          this.idAndState(machine),
          this.online(machine),
          this.fmt.time(machine.last_sale)
        ].flat(),
        facts: [
          fact(t('machines.this_month'), this.fiats(machine.month)),
          fact(t('machines.ever'), this.fiats(machine.totals)),
          fact(t('machines.owed_here'), this.owed(machine)),
          fact(t('machines.believed'), this.believed(machine)),
          fact(t('machines.counted'), this.counted(machine))
        ]
      }
    },
    actions(machine) {
      const {t} = satmachine
      const name = satmachine.machineName(machine.device_id)
      return [
        {
          icon: 'calculate',
          label: t('machines.count_cash_of', {name}),
          tip: t('machines.count_cash'),
          go: () => this.count(machine)
        },
        {
          icon: 'edit',
          label: t('machines.rename_of', {name}),
          tip: t('machines.rename'),
          go: () => this.rename(machine)
        }
      ]
    }
  }
}
