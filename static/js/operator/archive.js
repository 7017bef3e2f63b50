// Below the audit log: the shares of old sales, and keeping them in a small form.
satmachine.components['sat-archive'] = {
  template: '#sat-archive',
  mixins: [satmachine.reads('archive', () => '/archive')],
  data() {
    return {fmt: satmachine.format, store: satmachine.store}
  },
  computed: {
    // The months with sales up to the last one that is old enough, oldest first.
    open() {
      return (this.archive?.months || [])
        .filter(month => month.archived_sales < month.sales)
        .reverse()
    },
    lines() {
      const {t} = satmachine
      const {archive, fmt} = this
      return [
        {name: t('archive.archived'), value: archive.archived_shares},
        {
          name: t('archive.open', {month: fmt.month(archive.latest)}),
          value: archive.open_shares
        },
        {name: t('archive.megabytes'), value: this.megabytes(archive.bytes)},
        archive.free_bytes !== null && {
          name: t('archive.free'),
          value: this.megabytes(archive.free_bytes)
        }
      ]
        .filter(Boolean)
        .map(({name, value}) => ({name, value: fmt.sats(value)}))
    }
  },
  methods: {
    megabytes(bytes) {
      return Math.ceil(bytes / 1_000_000)
    },
    ask() {
      const {t} = satmachine
      satmachine.ask({
        title: t('archive.title'),
        text: t('archive.question_text'),
        fields: [
          {
            name: 'until',
            label: t('archive.until'),
            required: true,
            options: this.open.map(({month}) => ({
              label: this.fmt.month(month),
              value: month
            })),
            value: this.open.at(-1).month
          }
        ],
        okLabel: t('archive.go'),
        run: this.run,
        done: shares => {
          satmachine.notifySuccess(
            t('archive.done', {shares: this.fmt.count(shares, 'share')})
          )
          satmachine.changed()
        }
      })
    },
    // The server stops now and then, so that no request takes too long.
    async run(values) {
      let shares = 0
      for (let done = false; !done;) {
        const answer = await satmachine.call('POST', '/archive', values)
        shares += answer.shares
        done = answer.done
      }
      return shares
    }
  }
}
