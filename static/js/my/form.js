// Which wallet, which mode, what name: the fields of registration and settings.
satmachine.components['sat-my-form'] = {
  template: '#sat-my-form',
  // The object is the form's own: its fields are written in place.
  props: {form: Object, programme: Object},
  data() {
    return {fmt: satmachine.format, g: window.g}
  },
  computed: {
    // Sats are paid to a wallet of one's own only; a shared one is somebody else's.
    wallets() {
      const own = new Set(
        (this.g.user?.wallets || [])
          .filter(wallet => wallet.walletType !== 'lightning-shared')
          .map(wallet => wallet.id)
      )
      return this.fmt.walletOptions().filter(option => own.has(option.value))
    },
    modes() {
      const {t} = satmachine
      return [
        {
          value: 'flow',
          icon: 'waves',
          title: t('my_form.flow'),
          text: t('my_form.flow_text'),
          example: this.flowExample()
        },
        {
          value: 'fixed',
          icon: 'event',
          title: t('my_form.fixed'),
          text: t('my_form.fixed_text'),
          example: this.fixedExample()
        }
      ]
    },
    // The operator's currency is not asked for.
    hasOwnCurrency() {
      const {currency} = this.programme
      return !currency || this.form.currency !== currency
    },
    bounds() {
      const {t} = satmachine
      const {smallest_daily_limit: least, largest_daily_limit: most} =
        this.programme
      const from = this.fmt.fiat(least, this.programme.currency)
      const to = this.fmt.fiat(most, this.programme.currency)
      if (least && most) return t('my_form.from_to', {from, to})
      if (least) return t('my_form.at_least', {from})
      return most ? t('my_form.at_most', {to}) : undefined
    }
  },
  created() {
    if (!this.form.wallet_id && this.wallets.length === 1) {
      this.form.wallet_id = this.wallets[0].value
    }
  },
  methods: {
    money(amount) {
      return this.fmt.fiat(amount, this.programme.currency)
    },
    flowExample() {
      const {t} = satmachine
      return [
        {name: t('my_form.flow_1'), value: this.money('1000')},
        {name: t('my_form.flow_2'), value: this.money('200')},
        {name: t('my_form.flow_3'), value: this.fmt.amount(26000)}
      ]
    },
    fixedExample() {
      const {t} = satmachine
      const share = {share: this.money('100')}
      return [
        {name: t('my_form.fixed_1', share), value: this.money('100')},
        {name: t('my_form.fixed_2', share), value: this.money('50')},
        {name: t('my_form.fixed_3', share), value: this.money('0')}
      ]
    },
    makeWallet() {
      satmachine.askWallet({
        text: satmachine.t('my_form.new_wallet_text'),
        name: satmachine.t('my_form.new_wallet_name'),
        done: wallet => {
          this.form.wallet_id = wallet.id
        }
      })
    }
  }
}

// What is still missing or wrong in that form, in a sentence; null when all is well.
satmachine.myFormProblem = (form, programme) => {
  const {t, format} = satmachine
  if (!form.wallet_id) return t('my_form.choose_a_wallet')
  const smallest = form.payout_min_sats || ''
  if (smallest && !format.isAmount(smallest)) return t('payouts.smallest_wrong')
  if (form.dca_mode !== 'fixed') return null
  const limit = (form.fixed_mode_daily_limit || '').trim()
  if (!format.isAmount(limit)) return t('my_form.enter_a_limit')
  if (!form.currency) return t('my_form.choose_a_currency')
  // Bounds are in the operator's currency; of another one the server decides.
  if (form.currency !== programme.currency) return null
  const {smallest_daily_limit: least, largest_daily_limit: most} = programme
  if (least && format.isLess(limit, least)) return t('my_form.too_small')
  if (most && format.isLess(most, limit)) return t('my_form.too_large')
  return null
}

// The form as the server takes it.
satmachine.myFormData = form => {
  const data = {
    wallet_id: form.wallet_id,
    username: (form.username || '').trim() || null,
    dca_mode: form.dca_mode,
    payout_min_sats: Number(form.payout_min_sats) || null
  }
  if (form.dca_mode === 'fixed') {
    data.fixed_mode_daily_limit = form.fixed_mode_daily_limit.trim()
    data.currency = form.currency
  }
  return data
}
