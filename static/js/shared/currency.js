// Choosing a currency: all that there are, or those that LNbits is set to; found by typing.
satmachine.lastCurrency = () =>
  Quasar.LocalStorage.getItem('satmachineclient.currency')

satmachine.rememberCurrency = currency =>
  Quasar.LocalStorage.set('satmachineclient.currency', currency)

satmachine.components['sat-currency'] = {
  template: '#sat-currency',
  props: {
    modelValue: String,
    label: {type: String, default: () => satmachine.t('currency.currency')}
  },
  emits: ['update:modelValue'],
  data() {
    return {options: []}
  },
  computed: {
    all() {
      const {allowedCurrencies: allowed} = window.g
      return window.satmachineCurrencies.filter(
        code => !allowed?.length || allowed.includes(code)
      )
    }
  },
  methods: {
    filter(text, update) {
      update(() => {
        const wanted = text.trim().toUpperCase()
        this.options = this.all.filter(code => code.includes(wanted))
      })
    }
  }
}
