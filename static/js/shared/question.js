// The one dialog that asks before something is done. It stays open, with the
// server's sentence in it, when the thing could not be done.
satmachine.components['sat-question'] = {
  template: '#sat-question',
  mixins: [satmachine.attempts],
  data() {
    return {store: satmachine.store, values: {}}
  },
  computed: {
    isOpen() {
      return Boolean(this.store.question)
    },
    question() {
      return this.store.question || {facts: [], fields: []}
    },
    missing() {
      return this.question.fields.some(field => {
        const value = (this.values[field.name] || '').trim()
        return value === satmachine.format.UNREAD || (field.required && !value)
      })
    }
  },
  watch: {
    question(question) {
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
    submit() {
      const {question} = this
      if (this.missing) return
      return this.attempt(async () => {
        const values = Object.fromEntries(
          Object.entries(this.values).map(([name, value]) => [
            name,
            value.trim()
          ])
        )
        const result = await question.run(values)
        this.store.question = null
        if (question.done) question.done(result)
      })
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
