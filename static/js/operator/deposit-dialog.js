// Recording a deposit, from the table or from a client's row.
satmachine.components['sat-deposit-dialog'] = {
  template: '#sat-deposit-dialog',
  mixins: [satmachine.attempts],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: {},
      options: []
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
    },
    // null: its cash goes out with the sales of any machine.
    machines() {
      return [
        {value: null, label: satmachine.t('deposit_dialog.any_machine')},
        ...satmachine.machineOptions()
      ]
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
        device: null,
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
    save() {
      const {client, amount, currency, device, notes} = this.form
      return this.attempt(async () => {
        const deposit = await satmachine.call('POST', '/deposits', {
          client_id: client.value,
          amount: amount.trim(),
          currency,
          device_id: device,
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
      })
    }
  }
}
