// The Report tab: the books of any period, to look at, to print and to take away.
satmachine.components['sat-report'] = {
  template: '#sat-report',
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      from: null,
      to: null,
      by: 'day',
      report: null,
      failure: null,
      saving: false
    }
  },
  computed: {
    groups() {
      const {t} = satmachine
      return ['day', 'month', 'machine', 'currency'].map(value => ({
        value,
        label: t(`report.by_${value}`)
      }))
    },
    // Totals come last, whatever the rows are ordered by.
    table() {
      const {t} = satmachine
      const {rows, totals} = this.report || {rows: [], totals: []}
      return {
        rows: rows.map((row, n) => ({...row, id: n})),
        all: true,
        sums: totals.length ? totals : null,
        columns: this.columns,
        empty: {
          icon: 'summarize',
          title: t('report.nothing'),
          text: t('report.nothing_text')
        }
      }
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      const money = (name, label, caption) => ({
        name,
        label,
        align: 'right',
        value: row => fmt.fiat(row[name], row.currency),
        caption,
        total: sums => sums.map(sum => fmt.fiat(sum[name], sum.currency))
      })
      const sats = (name, label, caption) => ({
        name,
        label,
        kind: 'sats',
        caption,
        total: sums => fmt.sats(sums.reduce((all, sum) => all + sum[name], 0))
      })
      return [
        {
          name: 'group',
          label: t(`report.by_${this.by}`),
          value: this.group,
          caption: this.late,
          total: () => t('report.total')
        },
        {
          name: 'sales',
          label: t('report.sales'),
          align: 'right',
          value: row => String(row.sales),
          total: sums => sums.map(sum => String(sum.sales))
        },
        money('fiat', t('report.cash')),
        sats('sats', t('report.sats')),
        sats('commission_sats', t('report.commission'), row => [
          fmt.fiat(row.commission_fiat, row.currency),
          row.partners_sats
            ? t('report.partners', {sats: fmt.amount(row.partners_sats)})
            : ''
        ]),
        sats('distributed_sats', t('report.distributed'), row =>
          row.undistributed_sats
            ? t('report.undistributed', {
                sats: fmt.amount(row.undistributed_sats)
              })
            : ''
        ),
        money('deposits', t('report.deposits')),
        money('withdrawals', t('report.withdrawals'))
      ]
    },
    // What was owed before and after, of each currency and in sats.
    owed() {
      const {t} = satmachine
      if (!this.report) return []
      const line = (name, begin, end) => ({name, begin, end})
      const {fmt, report} = this
      return [
        ...report.totals.map(total =>
          line(
            t('report.cash_owed', {currency: total.currency}),
            fmt.fiat(total.cash_owed_begin, total.currency),
            fmt.fiat(total.cash_owed_end, total.currency)
          )
        ),
        line(
          t('report.sats_owed'),
          fmt.amount(report.sats_owed_begin),
          fmt.amount(report.sats_owed_end)
        ),
        line(
          t('report.partners_owed'),
          fmt.amount(report.partners_owed_begin),
          fmt.amount(report.partners_owed_end)
        )
      ]
    },
    chart() {
      const {t} = satmachine
      const sums = new Map()
      const rows = this.report?.rows || []
      rows.forEach(row => {
        const group = this.by === 'day' ? row.day : this.group(row)
        sums.set(group, (sums.get(group) || 0) + row.commission_sats)
      })
      return {
        title: t('report.commission'),
        days: [...sums.keys()],
        values: [...sums.values()],
        write: this.fmt.amount,
        name: this.by === 'day' ? this.fmt.day : group => group
      }
    },
    query() {
      const chosen = {from: this.from, to: this.to}
      return new URLSearchParams(
        Object.entries(chosen).filter(([, value]) => value)
      ).toString()
    },
    downloads() {
      const {t} = satmachine
      const by = `by=${this.by}&${this.query}`
      return [
        {
          icon: 'grid_on',
          label: 'CSV',
          caption: t('export.for_spreadsheets'),
          go: () => this.save(`/report?format=csv&${by}`)
        },
        {
          icon: 'code',
          label: 'JSON',
          go: () => this.save(`/report?format=json&${by}`)
        },
        ...['beancount', 'hledger'].map(form => ({
          icon: 'menu_book',
          label: t('report.journal', {form}),
          go: () => this.save(`/export/journal?format=${form}&${this.query}`)
        }))
      ]
    }
  },
  watch: {
    query: 'load',
    by: 'load',
    'store.changes': 'load'
  },
  created() {
    this.load()
  },
  methods: {
    async load() {
      const turn = (this.turn = (this.turn || 0) + 1)
      try {
        const report = await satmachine.call(
          'GET',
          `/report?by=${this.by}&${this.query}`
        )
        if (turn !== this.turn) return
        this.report = report
        this.failure = null
        if (!this.from) this.from = report.from
        if (!this.to) this.to = report.to
      } catch (error) {
        if (turn === this.turn) this.failure = satmachine.sentence(error)
      }
    },
    group(row) {
      const {t} = satmachine
      return {
        day: () => row.day && this.fmt.day(row.day),
        month: () => row.month,
        machine: () =>
          row.device_id
            ? satmachine.machineName(row.device_id)
            : t('report.no_machine'),
        currency: () => row.currency
      }[this.report?.by || this.by]()
    },
    // What has changed a month since it ended, and by how much.
    late(row) {
      const {t} = satmachine
      const {fmt} = this
      const values = (what, number, sats, cash) => ({
        number: fmt.count(number, what),
        sats: fmt.amount(sats),
        cash: fmt.fiat(cash, row.currency)
      })
      const {late_voids: voids, late_taken_back: back} = row
      return [
        row.late_sales &&
          t('report.late', {
            sales: fmt.count(row.late_sales, 'sale'),
            sats: fmt.amount(row.late_sats)
          }),
        voids &&
          t(
            'report.late_voids',
            values('share', voids, row.late_voided_sats, row.late_voided_fiat)
          ),
        back &&
          t(
            'report.late_taken_back',
            values(
              'sale',
              back,
              row.late_taken_back_sats,
              row.late_taken_back_fiat
            )
          )
      ]
        .filter(Boolean)
        .map(text => ({text, tone: 'warning'}))
    },
    async save(path) {
      this.saving = true
      await satmachine.download(path)
      this.saving = false
    },
    print() {
      window.print()
    }
  }
}
