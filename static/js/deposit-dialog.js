// Recording a deposit, from the table or from a client's row.
satmachine.components['sat-deposit-dialog'] = {
  template: '#sat-deposit-dialog',
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: {},
      options: [],
      busy: false,
      failure: null
    }
  },
  computed: {
    problem() {
      if (!this.form.client)
        return satmachine.t('deposit_dialog.choose_a_client')
      if (!this.fmt.isAmount(this.form.amount || '')) {
        return satmachine.t('deposit_dialog.enter_an_amount_with_a')
      }
      if (!this.form.currency)
        return satmachine.t('deposit_dialog.choose_a_currency')
      return null
    }
  },
  watch: {
    'store.deposit'(request) {
      if (!request) return
      const client = request.client
      this.failure = null
      this.form = {
        client: client ? this.option(client) : null,
        amount: '',
        currency: this.currencyOf(client),
        notes: ''
      }
    }
  },
  methods: {
    option(client) {
      return {
        value: client.id,
        label: this.fmt.clientName(client),
        client
      }
    },
    currencyOf(client) {
      return (
        client?.currency ||
        client?.balances?.[0]?.currency ||
        satmachine.lastCurrency()
      )
    },
    async findClients(text, update, abort) {
      const query = new URLSearchParams({limit: 20, search: text.trim()})
      if (!text.trim()) query.delete('search')
      try {
        const page = await satmachine.call('GET', `/clients/paginated?${query}`)
        update(() => {
          this.options = page.data
            .filter(client => client.status !== 'closed')
            .map(this.option)
        })
      } catch (error) {
        abort()
        satmachine.notifyError(error)
      }
    },
    close() {
      this.store.deposit = null
    },
    async save() {
      if (this.problem || this.busy) return
      this.busy = true
      this.failure = null
      try {
        const {client, amount, currency, notes} = this.form
        const deposit = await satmachine.call('POST', '/deposits', {
          client_id: client.value,
          amount: amount.trim(),
          currency,
          notes: notes.trim() || null
        })
        satmachine.rememberCurrency(currency)
        satmachine.notifySuccess(
          satmachine.t('deposit_dialog.recorded', {
            amount: this.fmt.fiat(deposit.amount, currency)
          }),
          satmachine.t('deposit_dialog.confirm_it_once_the_cash')
        )
        this.close()
        satmachine.changed()
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.busy = false
      }
    }
  }
}
