// What people noted on a sale, oldest first: added at any time, never changed.
satmachine.components['sat-sale-notes'] = {
  template: '#sat-sale-notes',
  props: {sale: String},
  data() {
    return {fmt: satmachine.format, notes: [], failure: null}
  },
  watch: {
    sale: {
      immediate: true,
      handler() {
        this.load()
      }
    }
  },
  methods: {
    async load() {
      const {sale} = this
      this.notes = []
      this.failure = null
      try {
        const notes = await satmachine.call(
          'GET',
          `/transactions/${sale}/notes`
        )
        if (sale === this.sale) this.notes = notes
      } catch (error) {
        this.failure = satmachine.sentence(error)
      }
    },
    add() {
      const {t} = satmachine
      satmachine.ask({
        title: t('sale_notes.add'),
        text: t('sale_notes.text'),
        fields: [{name: 'notes', label: t('sale_notes.note'), required: true}],
        okLabel: t('sale_notes.add'),
        run: values =>
          satmachine.call('POST', `/transactions/${this.sale}/notes`, values),
        done: note => this.notes.push(note)
      })
    },
    author(note) {
      const who = note.author_name || this.fmt.shortId(note.author)
      return `${who}, ${this.fmt.time(note.created_at)}`
    }
  }
}
