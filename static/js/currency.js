// Choosing a currency: all that LNbits knows, found by typing.
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
      const {allowedCurrencies, currencies} = window.g
      const known = allowedCurrencies?.length ? allowedCurrencies : currencies
      return known.filter(code => /^[A-Z]{3}$/.test(code))
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
