// The head of My DCA: whose it is, how it stands, what can be done, what comes next.
satmachine.components['sat-my-header'] = {
  template: '#sat-my-header',
  emits: ['settings'],
  data() {
    return {fmt: satmachine.format, my: satmachine.my.state}
  },
  computed: {
    me() {
      return this.my.me
    },
    isClosed() {
      return this.me.status === 'closed'
    },
    canRegister() {
      const {client_id: id, registration} = this.my.registration
      return this.isClosed && !id && registration !== 'closed'
    },
    buttons() {
      const {t} = satmachine
      const {status, paused_by: by} = this.me
      const query = new URLSearchParams({client_id: this.me.id})
      const statement = {
        icon: 'description',
        label: t('statement.statement'),
        href: `/satmachineclient/statement?${query}`
      }
      const others = [
        {
          isShown: this.canRegister,
          icon: 'how_to_reg',
          color: 'primary',
          label: t('my_header.again'),
          go: this.again
        },
        {
          isShown: status === 'paused' && by !== 'operator',
          icon: 'play_arrow',
          color: 'primary',
          label: t('my_header.resume'),
          go: this.resume
        },
        {
          isShown: status === 'active',
          icon: 'pause',
          label: t('my_header.pause'),
          go: this.pause
        }
      ]
      return [statement, ...others.filter(each => each.isShown)]
    },
    more() {
      const {t} = satmachine
      return [
        {
          icon: 'tune',
          label: t('my_settings.settings'),
          go: () => this.$emit('settings')
        },
        {icon: 'logout', label: t('my_header.leave'), go: this.leave}
      ]
    },
    clients() {
      const known = this.my.registration.clients || this.me.clients || []
      return known.map(client => ({
        value: client.id,
        label: `${this.fmt.clientName(client)} · ${this.fmt.state(client.status).label}`
      }))
    },
    // Cash that the chosen mode never touches.
    idle() {
      const amount = this.fmt.idleCash(this.me)
      if (this.isClosed || !amount) return null
      return satmachine.t('my_header.idle', {
        amount,
        currency: this.me.currency
      })
    },
    terms() {
      return this.me.terms_to_accept && this.me.programme.terms
    },
    left() {
      return this.fmt.cashLeft(this.me)
    },
    // Where things stand, when the figures alone do not say it.
    notice() {
      const {t} = satmachine
      const {status, paused_by: by} = this.me
      const say = (icon, color, key, values) => ({
        icon,
        color,
        title: t(`my_notices.${key}`),
        text: t(`my_notices.${key}_text`, values)
      })
      if (status === 'pending') return say('schedule', 'warning', 'pending')
      if (status === 'paused') {
        return by === 'operator'
          ? say('pause_circle', 'warning', 'paused_by_operator')
          : say('pause_circle', 'warning', 'paused')
      }
      if (status === 'closed') {
        if (this.left) {
          return say('savings', 'warning', 'closed_left', {left: this.left})
        }
        return this.me.balances.length
          ? say('do_not_disturb_on', 'grey', 'closed')
          : say('do_not_disturb_on', 'grey', 'never_begun')
      }
      return this.firstSteps(say)
    }
  },
  methods: {
    // From the first deposit to the first sats, and when the cash is used up.
    firstSteps(say) {
      const {balances, total_sats: sats, waiting_sats: onTheirWay} = this.me
      const isPending = balances.some(b =>
        this.fmt.isAmount(b.pending_deposits)
      )
      if (this.left) {
        return sats || onTheirWay
          ? null
          : say('hourglass_top', 'info', 'first_purchase')
      }
      if (isPending) return say('move_to_inbox', 'info', 'on_its_way')
      return sats || onTheirWay
        ? say('savings', 'info', 'used_up')
        : say('savings', 'info', 'first_deposit')
    },
    acceptTerms() {
      const {t} = satmachine
      satmachine.ask({
        title: t('my_header.accept_question'),
        text: t('my_header.accept_text'),
        okLabel: t('my_header.accept'),
        run: () =>
          satmachine.call('POST', satmachine.my.path('/terms'), {
            terms_hash: this.me.terms_to_accept
          }),
        done: me => {
          this.my.me = me
          satmachine.notifySuccess(t('my_header.accepted'))
        }
      })
    },
    choose(id) {
      satmachine.my.load(id)
    },
    again() {
      this.my.again = true
    },
    ask(status, question) {
      satmachine.ask({
        ...question,
        run: () => satmachine.my.update({status}),
        done: () => satmachine.my.load()
      })
    },
    pause() {
      const {t} = satmachine
      this.ask('paused', {
        title: t('my_header.pause_question'),
        text: t('my_header.pause_text'),
        okLabel: t('my_header.pause'),
        color: 'warning'
      })
    },
    resume() {
      const {t} = satmachine
      this.ask('active', {
        title: t('my_header.resume_question'),
        text: t('my_header.resume_text'),
        okLabel: t('my_header.resume'),
        color: 'positive'
      })
    },
    leave() {
      const {t} = satmachine
      const onTheirWay = this.me.waiting_sats
      const facts = []
      if (this.left)
        facts.push({name: t('my_header.cash_left'), value: this.left})
      if (onTheirWay) {
        facts.push({
          name: t('my_figures.on_their_way'),
          value: this.fmt.amount(onTheirWay)
        })
      }
      this.ask('closed', {
        title: t('my_header.leave_question'),
        text: t(this.left ? 'my_header.leave_left' : 'my_header.leave_text'),
        facts,
        icon: 'logout',
        okLabel: t('my_header.leave'),
        color: 'negative'
      })
    }
  }
}
