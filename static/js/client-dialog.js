// Adding and editing a client.
satmachine.components['sat-client-dialog'] = {
  template: '#sat-client-dialog',
  props: {modelValue: Object},
  emits: ['update:modelValue'],
  data() {
    return {
      fmt: satmachine.format,
      form: {},
      walletSource: 'other',
      busy: false,
      failure: null
    }
  },
  computed: {
    isNew() {
      return !this.modelValue?.id
    },
    ownWallets() {
      return satmachine.format.walletOptions()
    },
    walletId() {
      return this.walletSource === 'own'
        ? this.form.own_wallet_id
        : (this.form.wallet_id || '').trim()
    },
    problem() {
      if (!this.walletId) return satmachine.t('client_dialog.choose_a_wallet')
      if (this.form.dca_mode === 'fixed') {
        if (!this.fmt.isAmount(this.form.fixed_mode_daily_limit || '')) {
          return satmachine.t('client_dialog.enter_a_daily_limit_with')
        }
        if (!this.form.currency)
          return satmachine.t('client_dialog.choose_the_currency_of_the')
      }
      return null
    }
  },
  watch: {
    modelValue(client) {
      if (!client) return
      this.failure = null
      this.form = {...client}
      const own = this.ownWallets.some(w => w.value === client.wallet_id)
      this.walletSource = own ? 'own' : 'other'
      if (own) this.form.own_wallet_id = client.wallet_id
    }
  },
  methods: {
    close() {
      this.$emit('update:modelValue', null)
    },
    async save() {
      if (this.problem || this.busy) return
      const {form} = this
      const isFixed = form.dca_mode === 'fixed'
      const data = {
        wallet_id: this.walletId,
        username: (form.username || '').trim() || null,
        dca_mode: form.dca_mode
      }
      if (isFixed) {
        data.fixed_mode_daily_limit = form.fixed_mode_daily_limit.trim()
        data.currency = form.currency
      }
      this.busy = true
      this.failure = null
      try {
        const client = this.isNew
          ? await satmachine.call('POST', '/clients', data)
          : await satmachine.call('PUT', `/clients/${form.id}`, data)
        satmachine.store.clients[client.id] = client
        satmachine.notifySuccess(
          this.isNew
            ? satmachine.t('client_dialog.client_added')
            : satmachine.t('client_dialog.client_saved')
        )
        if (isFixed) satmachine.rememberCurrency(form.currency)
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
