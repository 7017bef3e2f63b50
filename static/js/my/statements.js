// The visitor's statements, month by month: to print, as a file, for the tax file.
satmachine.components['sat-my-statements'] = {
  template: '#sat-my-statements',
  mixins: [satmachine.reads('months', () => satmachine.my.path('/statements'))],
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      store: satmachine.store,
      shown: 6
    }
  },
  computed: {
    rows() {
      return (this.months || []).slice(0, this.shown).map(month => {
        const label = this.fmt.month(month.month)
        return {
          ...month,
          label,
          name: satmachine.t('my_statements.of_month', {month: label}),
          page: this.page({from: month.from, to: month.to}),
          files: this.files(month)
        }
      })
    }
  },
  methods: {
    page(days) {
      const query = new URLSearchParams({client_id: this.my.me.id, ...days})
      return `/satmachineclient/statement?${query}`
    },
    files(month) {
      const {t} = satmachine
      const file = (format, icon, label, caption) => ({
        icon,
        label,
        caption,
        go: () => this.save(month, format)
      })
      return [
        file('csv', 'grid_on', 'CSV', t('export.for_spreadsheets')),
        file(
          'koinly',
          'request_quote',
          'Koinly',
          t('my_statements.koinly_caption')
        )
      ]
    },
    save({from, to}, format) {
      return satmachine.download(
        satmachine.my.path('/statement', {from, to, format})
      )
    }
  }
}
