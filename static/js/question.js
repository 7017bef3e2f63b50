// The one dialog that asks before something is done. It stays open, with the
// server's sentence in it, when the thing could not be done.
satmachine.components['sat-question'] = {
  template: '#sat-question',
  data() {
    return {store: satmachine.store, values: {}, busy: false, failure: null}
  },
  computed: {
    question() {
      return this.store.question
    },
    missing() {
      return this.question.fields.some(
        field => field.required && !(this.values[field.name] || '').trim()
      )
    }
  },
  watch: {
    question(question) {
      if (!question) return
      this.failure = null
      this.values = Object.fromEntries(
        question.fields.map(field => [field.name, field.value || ''])
      )
    }
  },
  methods: {
    close() {
      if (!this.busy) this.store.question = null
    },
    async submit() {
      if (this.missing || this.busy) return
      const question = this.question
      this.busy = true
      this.failure = null
      try {
        const values = Object.fromEntries(
          Object.entries(this.values).map(([name, value]) => [
            name,
            value.trim()
          ])
        )
        const result = await question.run(values)
        this.store.question = null
        if (question.done) question.done(result)
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.busy = false
      }
    }
  }
}

// Asks for a name and makes an LNbits wallet of the user's own; `done(wallet)`.
satmachine.askWallet = ({text, name, done}) => {
  const {t} = satmachine
  satmachine.ask({
    title: t('checklist.new_wallet'),
    text,
    fields: [
      {
        name: 'name',
        label: t('checklist.wallet_name'),
        required: true,
        value: name,
        isLine: true
      }
    ],
    okLabel: t('checklist.wallets_action'),
    run: values => LNbits.api.createWallet(values.name, 'lightning'),
    done: ({data}) => {
      const wallet = LNbits.map.wallet(data)
      window.g.user.wallets.push(wallet)
      satmachine.notifySuccess(t('checklist.wallet_made'))
      if (done) done(wallet)
    }
  })
}
