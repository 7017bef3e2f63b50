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
    canPause() {
      return this.me.status === 'active'
    },
    canResume() {
      return this.me.status === 'paused' && this.me.paused_by !== 'operator'
    },
    canRegister() {
      const {client_id: id, registration} = this.my.registration
      return this.isClosed && !id && registration !== 'closed'
    },
    statement() {
      const query = new URLSearchParams({client_id: this.me.id})
      return `/satmachineclient/statement?${query}`
    },
    clients() {
      const known = this.my.registration.clients || this.me.clients || []
      return known.map(client => ({
        value: client.id,
        label: `${this.fmt.clientName(client)} · ${this.fmt.state(client.status).label}`
      }))
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
      const {balances, total_sats: sats, pending_sats: onTheirWay} = this.me
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
      const onTheirWay = this.me.pending_sats
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
