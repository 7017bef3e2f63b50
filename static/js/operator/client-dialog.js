// Adding and editing a client.
satmachine.components['sat-client-dialog'] = {
  template: '#sat-client-dialog',
  mixins: [satmachine.attempts],
  props: {modelValue: Object},
  emits: ['update:modelValue'],
  data() {
    return {
      fmt: satmachine.format,
      form: {},
      walletSource: 'user',
      user: null,
      users: [],
      wallets: []
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
      const {
        own_wallet_id: own,
        user_wallet_id: users,
        wallet_id: id
      } = this.form
      return {own, user: users, other: (id || '').trim()}[this.walletSource]
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
    // Also where the tab is made with the dialog open already.
    modelValue: {
      immediate: true,
      handler(client) {
        if (!client) return
        this.failure = null
        this.form = {...client}
        const own = this.ownWallets.some(w => w.value === client.wallet_id)
        this.walletSource = own ? 'own' : client.id ? 'other' : 'user'
        this.user = null
        this.wallets = []
        if (own) this.form.own_wallet_id = client.wallet_id
      }
    }
  },
  methods: {
    // LNbits' users by their name; whoever has none is found by the wallet's id.
    async findUsers(text, update, abort) {
      const query = new URLSearchParams({limit: 20, sortby: 'username'})
      if (text.trim()) query.set('username[like]', text.trim())
      try {
        const {data} = await LNbits.api.request(
          'GET',
          `/users/api/v1/user?${query}`,
          null
        )
        update(() => {
          this.users = data.data
            .filter(user => user.username)
            .map(user => ({value: user.id, label: user.username}))
        })
      } catch (error) {
        abort()
        satmachine.notifyError(error)
      }
    },
    async loadWallets(user) {
      this.wallets = []
      this.form.user_wallet_id = null
      try {
        const {data} = await LNbits.api.request(
          'GET',
          `/users/api/v1/user/${user.value}/wallet`,
          null
        )
        this.wallets = data
          .filter(wallet => !wallet.deleted)
          .map(wallet => ({value: wallet.id, label: wallet.name}))
        if (this.wallets.length === 1) {
          this.form.user_wallet_id = this.wallets[0].value
        }
        if (!this.form.username) this.form.username = user.label
      } catch (error) {
        satmachine.notifyError(error)
      }
    },
    close() {
      this.$emit('update:modelValue', null)
    },
    save() {
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
      return this.attempt(async () => {
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
      })
    }
  }
}
