// What clients find when they register themselves: whether they may, the terms,
// where to bring cash, and between what bounds they choose a daily limit.
satmachine.components['sat-programme-dialog'] = {
  template: '#sat-programme-dialog',
  mixins: [satmachine.attempts],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: null
    }
  },
  computed: {
    ways() {
      const {t} = satmachine
      return [
        {value: 'open', label: t('programme.open')},
        {value: 'approval', label: t('programme.approval')},
        {value: 'closed', label: t('programme.closed')}
      ]
    },
    problem() {
      const {t} = satmachine
      const {currency, smallest, largest} = this.form
      const limits = [smallest, largest].map(text => text.trim())
      if (!limits.every(text => !text || this.fmt.isAmount(text))) {
        return t('programme.limit_number')
      }
      if (limits.some(Boolean) && !currency) {
        return t('programme.limits_need_currency')
      }
      if (!/^\d*$/.test(this.form.smallestForward.trim())) {
        return t('programme.forward_number')
      }
      const [least, most] = limits
      return least && most && this.fmt.isLess(most, least)
        ? t('programme.limits_crossed')
        : null
    }
  },
  watch: {
    'store.programme'(open) {
      if (open) this.load()
    }
  },
  methods: {
    load() {
      this.form = null
      return this.attempt(async () => {
        const programme = await satmachine.call('GET', '/programme')
        this.form = {
          ...programme,
          smallest: programme.smallest_daily_limit || '',
          largest: programme.largest_daily_limit || '',
          smallestForward: String(programme.smallest_forward_sats || '')
        }
      })
    },
    close() {
      this.store.programme = false
    },
    save() {
      const {form} = this
      return this.attempt(async () => {
        await satmachine.call('PUT', '/programme', {
          registration: form.registration,
          terms: form.terms.trim(),
          deposit_instructions: form.deposit_instructions.trim(),
          currency: form.currency || null,
          smallest_daily_limit: form.smallest.trim() || null,
          largest_daily_limit: form.largest.trim() || null,
          forwarding: form.forwarding,
          smallest_forward_sats: Number(form.smallestForward.trim()) || null,
          operator_name: form.operator_name.trim(),
          operator_address: form.operator_address.trim()
        })
        satmachine.notifySuccess(satmachine.t('programme.saved'))
        this.close()
      })
    }
  }
}
