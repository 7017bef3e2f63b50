// What a client saves for, how far they have come, and what they want to hear of.
satmachine.components['sat-my-goal'] = {
  template: '#sat-my-goal',
  mixins: [satmachine.attempts],
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      goal: null,
      notices: null,
      form: null,
      isOpen: false
    }
  },
  computed: {
    kinds() {
      return Object.keys(this.notices || {}).map(value => ({
        value,
        label: satmachine.t(`notices.${value}`)
      }))
    },
    target() {
      const {goal, fmt} = this
      return goal.sats
        ? `${fmt.sats(goal.sats)} sats`
        : fmt.fiat(goal.fiat, goal.currency)
    },
    reached() {
      const {goal, fmt} = this
      return goal.sats
        ? fmt.sats(goal.reached_sats)
        : fmt.fiat(goal.reached_fiat, goal.currency)
    },
    hasGoal() {
      return Boolean(this.goal && (this.goal.sats || this.goal.fiat))
    },
    pace() {
      const {goal, fmt} = this
      if (goal.reached_at) return satmachine.t('my_goal.done')
      if (!goal.per_day) return ''
      const each = goal.sats
        ? `${fmt.sats(Number(goal.per_day))} sats`
        : fmt.fiat(goal.per_day, goal.currency)
      return satmachine.t('my_goal.pace', {
        each,
        by: fmt.date(`${goal.by}T12:00`)
      })
    },
    // Sats, or the cash of a currency that the client has brought.
    units() {
      const codes = this.my.me.balances.map(({currency}) => currency)
      if (this.goal.currency) codes.push(this.goal.currency)
      return [
        {value: 'sats', label: satmachine.t('my_goal.in_sats')},
        ...[...new Set(codes)].map(value => ({
          value,
          label: satmachine.t('my_goal.in_cash', {currency: value})
        }))
      ]
    },
    problem() {
      const {amount, unit} = this.form
      const number = unit === 'sats' ? /^[1-9]\d*$/ : /^(?=.*[1-9])\d+(\.\d+)?$/
      if (!amount || number.test(String(amount).trim())) return null
      return unit === 'sats'
        ? satmachine.t('my_goal.whole')
        : satmachine.t('my_goal.no_amount')
    }
  },
  created() {
    this.attempt(this.load)
  },
  methods: {
    query() {
      return `?client_id=${this.my.me.id}`
    },
    async load() {
      const [goal, notices] = await Promise.all([
        satmachine.call('GET', `/me/goal${this.query()}`),
        satmachine.call('GET', `/me/notices${this.query()}`)
      ])
      this.goal = goal
      this.notices = notices
    },
    open() {
      this.failure = null
      this.form = {
        unit: this.goal.currency || 'sats',
        amount: this.goal.sats || this.goal.fiat || '',
        by: this.goal.by || '',
        told: Object.keys(this.notices).filter(name => this.notices[name])
      }
      this.isOpen = true
    },
    // One that stays as it is is not saved anew: it may be reached, and its day past.
    saveGoal() {
      const {form, goal} = this
      const amount = String(form.amount || '').trim()
      const before = String(goal.sats || goal.fiat || '')
      const isSame =
        amount === before &&
        (!amount ||
          (form.unit === (goal.currency || 'sats') &&
            (form.by || null) === goal.by))
      if (isSame) return null
      const target =
        form.unit === 'sats'
          ? {sats: Number(amount)}
          : {fiat: amount, currency: form.unit}
      const body = amount ? {...target, by: form.by || null} : {}
      return satmachine.call('PUT', `/me/goal${this.query()}`, body)
    },
    save() {
      const {form} = this
      return this.attempt(async () => {
        const told = Object.keys(this.notices).map(name => [
          name,
          form.told.includes(name)
        ])
        await satmachine.call(
          'PUT',
          `/me/notices${this.query()}`,
          Object.fromEntries(told)
        )
        await this.saveGoal()
        await this.load()
        this.isOpen = false
        satmachine.notifySuccess(satmachine.t('my_goal.saved'))
      })
    }
  }
}
