// What a person enters of one machine: the cash that was counted, and its name.
satmachine.machineQuestions = {
  methods: {
    currencyOf(machine) {
      return (
        machine.totals[0]?.currency ||
        machine.cash[0]?.currency ||
        satmachine.lastCurrency()
      )
    },
    count(machine) {
      const {t} = satmachine
      const currency = this.currencyOf(machine)
      satmachine.ask({
        title: t('machines.count_cash_of', {
          name: satmachine.machineName(machine.device_id)
        }),
        text: t('machines.count_text'),
        fields: [
          {
            name: 'amount',
            label: t('machines.amount_counted', {currency}),
            currency,
            required: true,
            decimal: true
          },
          {name: 'notes', label: t('transaction_dialog.notes_optional')}
        ],
        okLabel: t('machines.count_cash'),
        run: ({amount, notes}) =>
          satmachine.call('POST', `${this.path(machine)}/counts`, {
            amount,
            currency,
            notes: notes || null
          }),
        done: () => {
          satmachine.notifySuccess(t('machines.count_written'))
          satmachine.changed()
        }
      })
    },
    rename(machine) {
      const {t} = satmachine
      satmachine.ask({
        title: t('machines.rename_of', {
          name: satmachine.machineName(machine.device_id)
        }),
        text: t('machines.rename_text', {
          name: machine.lamassu_name || this.fmt.shortId(machine.device_id)
        }),
        fields: [
          {
            name: 'name',
            label: t('machines.own_name'),
            value: machine.own_name,
            isLine: true
          }
        ],
        okLabel: t('machines.rename'),
        run: ({name}) =>
          satmachine.call('PUT', this.path(machine), {name: name || null}),
        done: () => satmachine.changed()
      })
    },
    path(machine) {
      return `/machines/${encodeURIComponent(machine.device_id)}`
    }
  }
}
