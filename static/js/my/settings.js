// Changing how one takes part: mode, limit, wallet, name.
satmachine.components['sat-my-settings'] = {
  template: '#sat-my-settings',
  mixins: [satmachine.attempts],
  props: {modelValue: Boolean},
  emits: ['update:modelValue'],
  data() {
    return {my: satmachine.my.state, form: {}}
  },
  computed: {
    programme() {
      return this.my.me.programme || this.my.registration
    },
    problem() {
      return satmachine.myFormProblem(this.form, this.programme)
    }
  },
  watch: {
    modelValue(open) {
      if (!open) return
      const {me} = this.my
      this.failure = null
      this.form = {
        wallet_id: me.wallet_id,
        username: me.username || '',
        dca_mode: me.dca_mode,
        payout_min_sats: String(me.payout_min_sats ?? ''),
        fixed_mode_daily_limit: me.fixed_mode_daily_limit || '',
        // A limit stays in its currency; a new one is in the operator's.
        currency:
          (me.dca_mode === 'fixed' && me.currency) ||
          this.programme.currency ||
          me.currency ||
          satmachine.lastCurrency()
      }
    }
  },
  methods: {
    // Only what is new: the rest may be what the operator has set. A limit is
    // understood together with its currency.
    changes() {
      const {me} = this.my
      const data = satmachine.myFormData(this.form)
      const isNew = name => name in data && data[name] !== me[name]
      const limit = ['fixed_mode_daily_limit', 'currency']
      const names = [
        'wallet_id',
        'username',
        'dca_mode',
        'payout_min_sats'
      ].filter(isNew)
      if (limit.some(isNew)) names.push(...limit)
      return Object.fromEntries(names.map(name => [name, data[name]]))
    },
    close() {
      this.$emit('update:modelValue', false)
    },
    save() {
      return this.attempt(async () => {
        await satmachine.my.update(this.changes())
        satmachine.notifySuccess(satmachine.t('my_settings.saved'))
        this.close()
      })
    }
  }
}
