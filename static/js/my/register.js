// For somebody who is no client yet: what this is, and the form to take part.
satmachine.components['sat-my-register'] = {
  template: '#sat-my-register',
  mixins: [satmachine.attempts],
  data() {
    return {
      my: satmachine.my.state,
      form: {
        wallet_id: null,
        username: window.g.user?.username || '',
        dca_mode: 'flow',
        fixed_mode_daily_limit: '',
        currency:
          satmachine.my.state.registration.currency || satmachine.lastCurrency()
      },
      accepted: false
    }
  },
  computed: {
    programme() {
      return this.my.registration
    },
    isClosed() {
      return this.programme.registration === 'closed'
    },
    needsApproval() {
      return this.programme.registration === 'approval'
    },
    problem() {
      const problem = satmachine.myFormProblem(this.form, this.programme)
      if (problem) return problem
      return this.programme.terms && !this.accepted
        ? satmachine.t('my_register.accept_first')
        : null
    },
    // The way of the money, in three steps.
    steps() {
      const {t} = satmachine
      return [
        {icon: 'payments', text: t('my_register.step_1')},
        {icon: 'swap_horiz', text: t('my_register.step_2')},
        {icon: 'account_balance_wallet', text: t('my_register.step_3')}
      ]
    }
  },
  methods: {
    back() {
      this.my.again = false
    },
    save() {
      if (this.problem) return
      return this.attempt(async () => {
        const data = satmachine.myFormData(this.form)
        if (this.programme.terms) data.accept_terms = true
        await satmachine.my.register(data)
        satmachine.notifySuccess(satmachine.t('my_register.registered'))
      })
    }
  }
}

// Where cash is handed in, in the operator's words.
satmachine.components['sat-my-instructions'] = {
  template: '#sat-my-instructions',
  props: {text: String}
}
