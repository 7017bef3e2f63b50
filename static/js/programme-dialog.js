// What clients find when they register themselves: whether they may, the terms,
// where to bring cash, and between what bounds they choose a daily limit.
satmachine.components['sat-programme-dialog'] = {
  template: '#sat-programme-dialog',
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: null,
      busy: false,
      failure: null
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
    async load() {
      this.failure = null
      this.form = null
      try {
        const programme = await satmachine.call('GET', '/programme')
        this.form = {
          ...programme,
          smallest: programme.smallest_daily_limit || '',
          largest: programme.largest_daily_limit || ''
        }
      } catch (error) {
        this.failure = satmachine.sentence(error)
      }
    },
    close() {
      this.store.programme = false
    },
    async save() {
      if (this.problem || this.busy) return
      const {form} = this
      this.busy = true
      this.failure = null
      try {
        await satmachine.call('PUT', '/programme', {
          registration: form.registration,
          terms: form.terms.trim(),
          deposit_instructions: form.deposit_instructions.trim(),
          currency: form.currency || null,
          smallest_daily_limit: form.smallest.trim() || null,
          largest_daily_limit: form.largest.trim() || null
        })
        satmachine.notifySuccess(satmachine.t('programme.saved'))
        this.close()
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.busy = false
      }
    }
  }
}
